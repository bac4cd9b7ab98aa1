// Replay of the transaction logs behind a snapshot, and the judgement of how each file ends. Part of
// recovery. Rules: entries of a file that was followed by another must reach the next file's first zxid
// (Apache starts a new file after each restart and may leave a torn end behind); the end of the last file may
// be torn, if nothing shows that the bytes were durable once, and is then cut off. Zxids of one epoch have no
// holes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "coord/storage/durable_mark.h"
#include "coord/storage/recovery.h"
#include "coord/storage/txn_log_reader.h"

namespace tandem::coord::storage {

// A batch is written with one call and synced before the next: a tear never spans more than this.
inline constexpr std::uint64_t kBatchBytesMax = 8U << 20;

class LogReplay {
 public:
  // Entries up to `snapshot` are skipped.
  // `snapshot`: nothing when there is none and the logs must reach back to the beginning.
  LogReplay(fs::Disk& disk, std::string directory, std::optional<Zxid> snapshot, RestoreTarget& target);

  // Lists the files that hold entries behind the snapshot.
  base::Status find_logs();
  base::Result<bool> any_entries() const;
  base::Status run(bool doubt_is_damage);
  // What was read counts from now on, so it is made to stay: a process that ended between write and sync, or
  // with a failed sync, leaves bytes that the system may never write by itself.
  base::Status make_durable();

  Zxid last_zxid() const { return last_; }
  std::uint64_t txns() const { return txns_; }
  std::uint64_t bytes() const { return bytes_; }
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  // A file before the current one ended in bytes that are no transaction, and may have been one.
  struct Doubt {
    std::string path;
    std::uint64_t offset = 0;
    LogEnd end = LogEnd::clean;
    Zxid last;
    bool proven = false;   // whole entries follow them
    bool covered = false;  // the file goes on to where the snapshot is: what Apache's servers leave
  };

  base::Status replay_file(std::size_t index);
  base::Status replay_entry(const TxnLogReader& reader, const std::string& path, std::string_view payload);
  base::Status judge_end(TxnLogReader& reader, std::size_t index, const std::string& path);
  base::Status judge_earlier_end(TxnLogReader& reader, const std::string& path);
  base::Status settle_doubt(bool doubt_is_damage);
  base::Error damage(const Doubt& doubt) const;
  base::Status cut(const std::string& path, std::uint64_t offset, LogEnd end);
  base::Error damage(const std::string& path, std::uint64_t offset, const char* what, const char* proof,
                     Zxid last) const;

  fs::Disk& disk_;
  std::string directory_;
  RestoreTarget& target_;
  Zxid last_;
  std::vector<NumberedFile> files_;
  std::map<Zxid, std::uint64_t> durable_;  // bytes, by file: those that the mark names
  Zxid last_durable_;                      // the last of them that had any
  std::vector<DurablePosition> ends_;      // of the entries of each file
  bool last_known_ = false;          // last_ is a transaction that was applied or a snapshot that was loaded
  std::uint64_t last_file_end_ = 0;  // of the entries of the last file; 0: it was removed
  // Within an epoch the zxids show whether anything is missing; when the next one is of another epoch, whole
  // entries behind the bad place show it, or the first digest that can be compared does.
  std::optional<Doubt> doubt_;
  std::optional<Zxid> last_read_;  // of the current file
  std::string unclean_end_;        // how a file before the current one ended, for the sentence about a hole
  std::uint64_t txns_ = 0;
  std::uint64_t bytes_ = 0;
  std::vector<std::string> warnings_;
};

}  // namespace tandem::coord::storage
