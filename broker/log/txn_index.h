// TxnIndex: the aborted transactions of a segment, 34-byte entries {version i16 = 0, producer id, first
// offset, last offset, last stable offset, all i64}, big-endian, in the order of their markers. The file
// exists only when it has an entry.
#pragma once

#include <vector>

#include "fs/disk.h"

namespace tandem::broker::log {

struct AbortedTxn {
  std::int64_t producer_id = 0;
  std::int64_t first_offset = 0;
  std::int64_t last_offset = 0;
  std::int64_t last_stable_offset = 0;
  bool operator==(const AbortedTxn&) const = default;
};

constexpr std::size_t kAbortedTxnSize = 34;

base::Status append_aborted(fs::Disk& disk, const std::string& path, const AbortedTxn& txn);
// All entries; empty when the file is missing. Errc::corrupt asks for a rebuild of the segment.
base::Result<std::vector<AbortedTxn>> read_aborted(fs::Disk& disk, const std::string& path);
base::Status write_aborted(fs::Disk& disk, const std::string& path, const std::vector<AbortedTxn>& entries);

}  // namespace tandem::broker::log
