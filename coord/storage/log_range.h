// The part of the log that a learner lacks, read in chunks while the log goes on being written: from the last
// transaction at or before the learner's, in zxid order over all files. Owned by whoever reads, on any
// thread. What is not durable yet must not be asked for: the reader stops at the first bytes that are no
// whole entry; where another file follows them, they are an error. Within an epoch the zxids show a hole;
// where an epoch begins they do not, and beneath the snapshot that was loaded nobody has looked: files that
// were removed may be back in part after a loss of power, and a leader's snapshot that was installed in part
// leaves a log that does not reach up to it. There no beginning of an epoch is crossed.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "coord/records/txn_batch.h"
#include "coord/storage/files.h"
#include "coord/storage/txn_log_reader.h"
#include "fs/disk.h"

namespace tandem::coord::storage {

// Bytes of log that are worth more than a snapshot of this size: snapshotSizeFactor of it (Apache's 0.33),
// and a floor below which a snapshot never pays.
inline constexpr double kSnapshotSizeFactor = 0.33;
std::uint64_t log_share_of_snapshot(std::uint64_t snapshot_bytes, double factor = kSnapshotSizeFactor);

class LogRange {
 public:
  // Nothing: the log does not surely reach back to `from`, or holds more than `bytes_max` behind it.
  // `loaded`: the snapshot whose replay showed that the log behind it is whole.
  static base::Result<std::unique_ptr<LogRange>> open(fs::Disk& disk, const std::string& log_directory,
                                                      Zxid loaded, Zxid from, std::uint64_t bytes_max);

  // The next transactions, some `bytes` of them, none behind `through`. Empty: that was all.
  base::Result<std::vector<records::TxnRef>> next(std::size_t bytes, Zxid through);

 private:
  LogRange(fs::Disk& disk, std::string directory, Zxid loaded, Zxid from)
      : disk_(disk), directory_(std::move(directory)), loaded_(loaded), from_(from) {}
  base::Result<bool> find(std::uint64_t bytes_max);
  base::Result<std::optional<records::TxnRef>> read_one();
  base::Status follow(Zxid zxid);

  fs::Disk& disk_;
  std::string directory_;
  Zxid loaded_;
  Zxid from_;
  std::vector<NumberedFile> files_;  // still to be read, the first is open
  std::size_t at_ = 0;
  std::unique_ptr<TxnLogReader> reader_;
  std::optional<Zxid> last_;           // read
  std::deque<records::TxnRef> ahead_;  // read and not handed out
};

}  // namespace tandem::coord::storage
