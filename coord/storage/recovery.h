// Recovery: the newest valid snapshot, then every logged transaction behind it, into a target that the caller
// owns (the tree and the sessions). Replay is idempotent because a snapshot may hold effects of transactions
// that are behind it in the log. Nothing is written but the end of a torn log, which is cut off durably; what
// was read is durable when it returns, though the process before may have ended before it synced.
// What cannot be explained by a crash (a damaged entry that was once durable, a hole in the zxids, logs
// without a snapshot) is an error that names file, offset and what to do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "coord/records/txn.h"
#include "coord/storage/snapshot_file.h"
#include "fs/disk.h"

namespace tandem::coord::storage {

class RestoreTarget : public SnapshotVisitor {
 public:
  // Back to an empty tree without even a root: the snapshot that follows brings all.
  virtual void reset() = 0;
  virtual base::Status on_snapshot_end(Zxid zxid, const SnapshotTrailer& trailer) = 0;
  // `payload`: header, body, digest if any. An error stops the recovery.
  virtual base::Status apply(const records::TxnHeader& header, std::string_view payload) = 0;
  // A transaction that was applied found another state than its proposer's.
  virtual bool differs() const { return false; }
  // The last one that was applied left the state that its proposer had.
  virtual bool agrees() const { return false; }
};

struct RecoveryOptions {
  std::string log_directory;       // .../version-2
  std::string snapshot_directory;  // .../version-2; may be the same
  bool trust_empty_snapshot = false;
  // Bytes that may have been a transaction, when nothing shows it: an error where others have all of them,
  // else a warning.
  bool doubt_is_damage = false;
};

struct Recovered {
  bool empty = false;            // neither snapshot nor log: a new data directory
  std::optional<Zxid> snapshot;  // the one that was loaded
  Zxid last_zxid;                // of snapshot and logs together
  std::uint64_t txns = 0;        // replayed
  std::uint64_t log_bytes = 0;   // of entries behind the snapshot
  std::vector<std::string> warnings;
};

base::Result<Recovered> recover(fs::Disk& disk, const RecoveryOptions& options, RestoreTarget& target);

}  // namespace tandem::coord::storage
