// Replay of the transaction logs behind a snapshot, and the judgement of how each file ends. Part of
// recovery. Rules: entries of a file that was followed by another must reach the next file's first zxid
// (Apache starts a new file after each restart and may leave a torn end behind); the end of the last file may
// be torn, if nothing shows that the bytes were durable once, and is then cut off. Zxids of one epoch have no
// holes.
#pragma once

#include <cstdint>
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
  base::Status run();
  // What was read counts from now on, so it is made to stay: a process that ended between write and sync, or
  // with a failed sync, leaves bytes that the system may never write by itself.
  base::Status make_durable();

  Zxid last_zxid() const { return last_; }
  std::uint64_t txns() const { return txns_; }
  std::uint64_t bytes() const { return bytes_; }
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  base::Status replay_file(const NumberedFile& file, bool is_last);
  base::Status replay_entry(const TxnLogReader& reader, const std::string& path, std::string_view payload);
  base::Status judge_end(TxnLogReader& reader, const NumberedFile& file, const std::string& path,
                         bool is_last);
  base::Status cut(const std::string& path, std::uint64_t offset, LogEnd end);
  base::Error damage(const std::string& path, std::uint64_t offset, const char* what,
                     const char* proof) const;

  fs::Disk& disk_;
  std::string directory_;
  RestoreTarget& target_;
  Zxid last_;
  std::vector<NumberedFile> files_;
  std::optional<DurablePosition> mark_;
  bool last_known_ = false;          // last_ is a transaction that was applied or a snapshot that was loaded
  std::uint64_t last_file_end_ = 0;  // of the entries of the last file; 0: it was removed
  // A file before the current one ended in damage. Within an epoch the zxids show whether anything is
  // missing; when the next one is of another epoch, whole entries behind the bad place show it, or the
  // digests do.
  std::optional<base::Error> doubt_;
  bool proven_ = false;
  std::string unclean_end_;  // how a file before the current one ended, for the sentence about a hole
  std::uint64_t txns_ = 0;
  std::uint64_t bytes_ = 0;
  std::vector<std::string> warnings_;
};

}  // namespace tandem::coord::storage
