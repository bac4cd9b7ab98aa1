// Log: one replica of one partition on disk, with the files that Kafka keeps for it. One owner thread calls
// everything but the functions marked "any thread". Appends go to the page cache; what a flush policy or a
// roll asks to be synced is handed out as FlushWork for a disk thread. An I/O error makes the log fail for
// good (failed()): the owner takes its directory offline. Offsets that other threads may read are atomic.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "broker/log/leader_epochs.h"
#include "broker/log/producer_state.h"
#include "broker/log/segment.h"
#include "broker/log/text_checkpoint.h"
#include "broker/record/validate.h"

namespace tandem::broker::log {

struct AppendOutcome {
  std::int16_t error = 0;  // Kafka's code when the batch is refused; nothing was appended then
  std::string message;
  std::int64_t first_offset = -1;
  std::int64_t last_offset = -1;
  std::int64_t log_append_time = -1;
  bool duplicate = false;
};

// A range of one segment file; `file` keeps it readable. size is 0 when nothing is there.
struct ReadRange {
  std::shared_ptr<fs::File> file;
  std::uint64_t position = 0;
  std::uint64_t size = 0;
};

// What a disk thread syncs: all that is not known to be durable below `up_to`, also what an unfinished work
// covers already, so that the one which ends first may say that the log is durable up to there.
struct FlushWork {
  std::vector<std::shared_ptr<fs::File>> files;
  std::vector<std::string> paths;    // files and the directory, opened and synced
  std::vector<std::int64_t> rolled;  // bases of the rolled segments among them
  std::int64_t up_to = 0;
  std::uint64_t dir_changes = 0;  // that the directory had seen
  std::uint64_t cuts = 0;         // truncations that the log had seen
  bool active = false;            // the segment that is written to is among them
  base::Status begun;             // why it cannot be done at all
  bool empty() const { return files.empty() && paths.empty(); }
};

// Files renamed *.deleted (or a directory renamed *-delete), to be unlinked after file.delete.delay.ms.
struct PendingDelete {
  std::vector<std::string> files;
  std::string directory;
};

struct LoadOptions {
  LogConfig config;
  bool clean = false;               // the directory bears the marker of a clean stop
  std::int64_t recovery_point = 0;  // from the checkpoint; 0 where it has none
  std::int64_t log_start = 0;
  std::int64_t now_ms = 0;
  bool flush_on_ack = false;  // tandem.log.flush.on.ack
};

struct LoadReport {
  std::uint64_t truncated_bytes = 0;
  std::size_t recovered_segments = 0;
  std::size_t rebuilt_indexes = 0;
  std::vector<std::string> notes;  // sentences for the server's log
};

class Log {
 public:
  // Any thread: reads or makes the directory, recovers what an unclean stop left.
  static base::Result<std::unique_ptr<Log>> load(fs::Disk& disk, std::string dir, TopicPartition where,
                                                 const LoadOptions& options, LoadReport& report);

  const TopicPartition& where() const { return where_; }
  const std::string& dir() const { return dir_; }
  const LogConfig& config() const { return config_; }
  void set_config(const LogConfig& config) { config_ = config; }

  // Any thread.
  std::int64_t start_offset() const { return start_offset_.load(std::memory_order_acquire); }
  std::int64_t end_offset() const { return end_offset_.load(std::memory_order_acquire); }
  std::int64_t recovery_point() const { return recovery_point_.load(std::memory_order_acquire); }
  std::int64_t high_watermark() const { return high_watermark_.load(std::memory_order_acquire); }
  std::uint64_t size() const { return size_.load(std::memory_order_acquire); }

  // A validated record set whose offsets begin at end_offset(), as leader.
  base::Result<AppendOutcome> append(const record::Validated& records, record::Origin origin,
                                     std::int64_t now_ms, bool stage = false);
  // With `stage` the bytes of a set that is kept as sent are written with those that come behind it, or by
  // write_staged(): they stay in place until then, and nothing else is asked of the log.
  bool has_staged() { return active().has_staged(); }
  base::Status write_staged() { return note(active().write_staged(config_)); }
  // Batches as a leader wrote them, as follower: offsets are taken as they are.
  base::Result<AppendOutcome> append_as_follower(std::string_view records, std::int64_t now_ms);

  // Bytes from the batch that holds `offset` on, below the batch that holds `offset_max` (exclusive), at most
  // `bytes_max`; with `min_one` the first batch comes whole even when larger. Offsets outside are the
  // caller's error.
  base::Result<ReadRange> read(std::int64_t offset, std::uint64_t bytes_max, std::int64_t offset_max,
                               bool min_one);
  base::Result<std::optional<TimestampFound>> find_timestamp(std::int64_t timestamp);
  base::Result<std::optional<TimestampFound>> find_max_timestamp();
  // Base offset and time of change of each segment, ascending: what ListOffsets v0 answers from.
  std::vector<std::pair<std::int64_t, std::int64_t>> segment_times() const;
  base::Result<std::vector<AbortedTxn>> aborted_in(std::int64_t from, std::int64_t to);

  LeaderEpochs& epochs() { return epochs_; }
  const ProducerState& producers() const { return producers_; }
  void expire_producers(std::int64_t now_ms) { producers_.expire(now_ms, config_.producer_id_expiration_ms); }
  const std::optional<protocol::Uuid>& topic_id() const { return topic_id_; }
  base::Status set_topic_id(const protocol::Uuid& id);

  // The high watermark as the partition decided it; retention never goes beyond it.
  void set_high_watermark(std::int64_t offset);
  std::int64_t first_unstable_offset() const;       // end_offset() when all is stable
  base::Status advance_start(std::int64_t offset);  // to at most the high watermark

  base::Status roll(std::int64_t now_ms);
  base::Result<std::uint64_t> truncate_to(std::int64_t offset);  // gives the bytes cut
  base::Status truncate_fully_at(std::int64_t offset);
  // A read at `offset` found bytes that are not what was written. Whatever follows the last good batch of
  // that segment is copied beside it (BASE.log.damaged) and cut off, and a log that failed for it works
  // again. Gives the bytes cut; none where all is well.
  base::Result<std::uint64_t> set_aside(std::int64_t offset);
  // Renames segments that retention.ms, retention.bytes or the start offset let go.
  base::Result<PendingDelete> apply_retention(std::int64_t now_ms);
  std::size_t segment_count() const { return segments_.size(); }

  // Syncing: begin on the owner, run() on any thread, end on the owner with run()'s outcome.
  FlushWork begin_flush(std::int64_t now_ms);  // all up to the end
  // The same without the indexes of the active segment: a recovery builds those again.
  FlushWork begin_data_flush(std::int64_t now_ms);
  FlushWork take_rolled_flush();  // segments that were rolled since; empty most of the time
  static base::Status run(fs::Disk& disk, FlushWork& work);
  void end_flush(const FlushWork& work, const base::Status& status);
  // Where flushes are asked for, what was cut off is gone from the disk before anything is written in its
  // place: a power cut could leave it among that, and epochs would go back. An append waits for it, unless a
  // flush was made before.
  bool has_unsynced_cut() const { return cut_unsynced_; }
  bool flush_due(std::int64_t now_ms) const;

  // Writes indexes, producer snapshot; `sync` makes all of it durable. The log is not used after.
  base::Status close(bool sync);
  // Renames the directory; no flush of it is under way. The caller syncs what holds it.
  base::Status move_to(std::string dir);
  // Renames the directory (topic-partition.UNIQUE-delete) and gives what to unlink later.
  base::Result<PendingDelete> mark_deleted(std::string_view unique);
  void release_readers();

  // Sentences for the server's log since the last call.
  std::vector<std::string> take_notes() { return std::exchange(notes_, {}); }
  bool failed() const { return failure_.has_value(); }
  const std::optional<base::Error>& failure() const { return failure_; }
  void fail(base::Error error) {
    if (!failure_) failure_ = std::move(error);
  }

 private:
  friend class Loader;
  Log(fs::Disk& disk, std::string dir, TopicPartition where, const LogConfig& config);

  Segment& active() { return *segments_.rbegin()->second; }
  base::Status note(base::Status status);  // remembers a failure
  base::Error noted(base::Error error);
  base::Status do_append(std::span<const record::BatchPiece> batches, Segment::Append& append,
                         std::int64_t now_ms);
  FlushWork begin_work();
  void cut();  // what works under way will report is no longer true
  base::Status sync_cut();
  bool flushes_asked() const {
    return flush_on_ack_ || config_.flush_messages != kNever || config_.flush_ms != kNever;
  }
  base::Status sync_full(Segment& full);
  base::Status roll_to(std::int64_t base_offset, std::int64_t now_ms);
  base::Status take_snapshot(std::int64_t offset);
  base::Status track_producers(std::span<const record::BatchPiece> batches);
  base::Status drop_snapshots(std::int64_t from);
  base::Status reload_producers(std::int64_t end_offset);
  base::Status replay_producers(Segment& segment, std::int64_t from, std::int64_t end_offset);
  base::Status delete_segments(std::vector<std::int64_t> bases, PendingDelete& out);
  base::Result<std::uint64_t> bound_of(Segment& segment, std::int64_t offset_max);
  std::vector<std::int64_t> expired_segments(std::int64_t now_ms, bool& roll_active);
  void note_recent(std::int64_t offset, std::int64_t segment, std::uint64_t position, std::uint64_t size);

  // Where the newest batches begin, so that readers at the tail need no index.
  struct Recent {
    std::int64_t first_offset = -1;
    std::int64_t last_offset = -1;
    std::int64_t segment = -1;
    std::uint64_t position = 0;
    std::uint64_t size = 0;
  };
  static constexpr std::size_t kRecentMax = 16;

  fs::Disk& disk_;
  std::string dir_;
  TopicPartition where_;
  LogConfig config_;
  bool flush_on_ack_ = false;
  std::map<std::int64_t, std::unique_ptr<Segment>> segments_;
  LeaderEpochs epochs_;
  ProducerState producers_;
  std::optional<protocol::Uuid> topic_id_;
  std::optional<base::Error> failure_;
  std::vector<std::string> notes_;  // one at most for each segment that is closed
  // A segment behind the active one that is not known to be durable.
  struct Rolled {
    std::shared_ptr<fs::File> file;  // it was written through, so that its sync hears of failed write-backs
    bool asked = false;              // a work under way covers it
  };
  std::map<std::int64_t, Rolled> rolled_;  // by base
  std::uint64_t dir_changes_ = 1;          // files made in the directory, and truncations
  std::uint64_t dir_synced_ = 0;           // how many of them it has been synced with
  std::uint64_t cuts_ = 0;
  bool cut_unsynced_ = false;
  std::int64_t snapshot_offset_ = 0;  // of the newest producer snapshot
  std::set<std::string> snapshots_to_sync_;
  std::int64_t last_flush_ms_ = 0;
  std::array<Recent, kRecentMax> recent_;
  std::size_t recent_next_ = 0;
  std::atomic<std::int64_t> start_offset_{0};
  std::atomic<std::int64_t> end_offset_{0};
  std::atomic<std::int64_t> recovery_point_{0};
  std::atomic<std::int64_t> high_watermark_{0};
  std::atomic<std::uint64_t> size_{0};
};

}  // namespace tandem::broker::log
