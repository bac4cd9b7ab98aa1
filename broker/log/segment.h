// Segment: one .log file with its offset, time and transaction indexes. The active one is appended to by its
// log's owner thread; files of the others are opened when read. Positions handed out stay valid while the
// file is held.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "broker/log/batch_scan.h"
#include "broker/log/leader_epochs.h"
#include "broker/log/log_config.h"
#include "broker/log/offset_index.h"
#include "broker/log/time_index.h"
#include "broker/log/txn_index.h"

namespace tandem::broker::log {

struct FoundBatch {
  std::int64_t base_offset = 0;  // the offset field of its header
  std::uint64_t position = 0;
  std::uint64_t size = 0;
};

struct TimestampFound {
  std::int64_t timestamp = -1;
  std::int64_t offset = -1;
  std::int32_t leader_epoch = -1;
};

class Segment {
 public:
  Segment(fs::Disk& disk, std::string dir, std::int64_t base_offset);

  static base::Result<std::unique_ptr<Segment>> create(fs::Disk& disk, const std::string& dir,
                                                       std::int64_t base_offset, std::int64_t now_ms);
  // Takes up the files; Errc::corrupt or not_found of an index leaves the segment usable for recover().
  base::Status open();
  base::Status open_log_file();
  // Files of an emptied segment, indexes made new.
  base::Status reset_indexes();

  std::int64_t base_offset() const { return base_offset_; }
  std::uint64_t size() const { return size_; }
  // The largest timestamp, or the file's time of change where no record has one.
  std::int64_t largest_timestamp() const { return max_.timestamp >= 0 ? max_.timestamp : modified_ms_; }
  std::int64_t modified_ms() const { return modified_ms_; }
  const TimestampOffset& max_timestamp() const { return max_; }
  base::Result<std::shared_ptr<fs::File>> file();
  OffsetIndex& offset_index() { return offsets_; }
  TimeIndex& time_index() { return times_; }
  std::string txn_index_path() const { return path(".txnindex"); }
  std::string path(std::string_view suffix) const;

  struct Append {
    std::span<const std::string_view> pieces;
    std::uint64_t bytes = 0;
    std::int64_t first_offset = 0;
    std::int64_t last_offset = 0;
    std::int64_t max_timestamp = -1;
    std::int64_t offset_of_max = -1;
    std::int64_t now_ms = 0;
    bool stage = false;  // write later; `pieces` are a header, which is copied, and what stays in place
  };
  base::Status append(const Append& append, const LogConfig& config);
  bool has_staged() const { return !staged_.empty(); }
  base::Status write_staged(const LogConfig& config) { return write({}, config); }
  bool should_roll(const Append& append, const LogConfig& config) const;
  bool time_to_roll(std::int64_t max_timestamp, std::int64_t now_ms, const LogConfig& config) const;

  // The first batch whose last offset is at or above `offset`; nothing behind the last one.
  base::Result<std::optional<FoundBatch>> find(std::int64_t offset);
  // How many of the `size` bytes at `position`, where a batch begins, a reader may have. What was in the file
  // when it was opened may have rotted: its CRCs, and what they do not cover, are checked before it is first
  // read. Errc::corrupt when not even the first batch is right.
  base::Result<std::uint64_t> checked(std::uint64_t position, std::uint64_t size, const LeaderEpochs& epochs);
  void trust() { found_ = 0; }  // every batch has been checked
  // The end of the leading batches that are whole, right and in order, and the offset behind them.
  struct Sound {
    std::uint64_t size = 0;
    std::int64_t next_offset = 0;
  };
  base::Result<Sound> sound(const LeaderEpochs& epochs);
  // The offset behind the last batch.
  base::Result<std::int64_t> read_next_offset();
  // The first record at or behind `from` with a timestamp of at least `timestamp`.
  base::Result<std::optional<TimestampFound>> find_timestamp(std::int64_t timestamp, std::int64_t from);

  // Cuts everything from the batch that holds `offset` on. Gives the bytes removed.
  base::Result<std::uint64_t> truncate_to(std::int64_t offset);
  base::Status truncate_bytes(std::uint64_t size);
  // Called by recovery for each batch that it keeps, and at its end.
  void note_batch(const record::BatchView& batch, std::uint64_t position, std::uint64_t size,
                  const LogConfig& config, base::Status& status);

  // Writes the last time entry: at roll, flush and close.
  base::Status finish_indexes();
  base::Status flush_indexes(bool sync);  // `sync`: of aborted transactions too
  // What could not be done and harms nothing that is stored becomes a sentence in `notes`.
  base::Status close(std::vector<std::string>& notes);
  // Renames all files: `suffix` appended to (".deleted"), or the directory moved.
  base::Status add_suffix(std::string_view suffix);
  base::Status unlink_files();
  void moved(std::string dir);
  // Gives the file it was written through; readers open their own.
  std::shared_ptr<fs::File> make_inactive() { return std::exchange(active_, nullptr); }
  base::Status make_active();
  void release_readers();

 private:
  // A batch that waits for its write.
  struct Staged {
    std::array<char, record::kBatchHeaderSize> header;
    std::string_view rest;
  };

  base::Result<bool> fits(const BatchScan& scan, std::int64_t expected, std::optional<std::int32_t> before,
                          const LeaderEpochs& epochs);
  void stage(std::span<const std::string_view> pieces);
  base::Status write(std::span<const std::string_view> pieces, const LogConfig& config);
  void reserve(const LogConfig& config);
  base::Status release_reserved(std::vector<std::string>& notes);
  base::Status load_max_timestamp();
  base::Status index_append(std::int64_t last_offset, std::uint64_t position);

  fs::Disk& disk_;
  std::string dir_;
  std::string suffix_;
  std::int64_t base_offset_;
  OffsetIndex offsets_;
  TimeIndex times_;
  std::shared_ptr<fs::File> active_;  // held while the segment is appended to
  std::shared_ptr<fs::File> reader_;
  std::uint64_t size_ = 0;  // with what is staged
  std::vector<Staged> staged_;
  std::uint64_t bytes_since_index_ = 0;
  std::uint64_t written_back_ = 0;
  std::uint64_t reserved_ = 0;      // blocks are set aside up to here
  std::uint64_t found_ = 0;         // bytes that were there when the file was opened
  std::uint64_t checked_from_ = 0;  // and which of them have been checked
  std::uint64_t checked_to_ = 0;
  std::int64_t checked_next_ = 0;              // the offset behind the last of these
  std::optional<std::int32_t> checked_epoch_;  // its leader epoch
  TimestampOffset max_;
  std::int64_t modified_ms_ = 0;
  std::int64_t created_ms_ = 0;
  std::optional<std::int64_t> first_timestamp_;  // of the first batch: time-based rolling counts from it
};

}  // namespace tandem::broker::log
