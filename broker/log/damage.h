// Damage: bytes of a segment that are not what was written, told from a torn end, and kept aside. A batch's
// CRC does not cover its base offset: one that rotted is found by its place among its neighbours. (The last
// batch of a log with a gap before it cannot be told from one that compaction left alone.)
#pragma once

#include <string>

#include "broker/log/batch_scan.h"

namespace tandem::broker::log {

// Whether the scan's batch goes on from `expected`, the offset behind what is before it, and, where offsets
// are missing between them, stays below the batch behind it, which lies before `limit`.
base::Result<bool> in_order(const fs::File& file, const BatchScan& scan, std::uint64_t limit,
                            std::int64_t expected);

// Whether some batch that was written whole begins behind `begin`: then nothing tore there.
base::Result<bool> batch_behind(const fs::File& file, std::uint64_t begin, std::uint64_t end,
                                std::int64_t at_least);

// A copy of these bytes, on the disk when it returns.
base::Status copy_aside(fs::Disk& disk, const fs::File& from, std::uint64_t begin, std::uint64_t end,
                        const std::string& path);

}  // namespace tandem::broker::log
