// Damage: bytes of a segment that are not what was written, told from a torn end, and kept aside. A batch's
// CRC covers neither its base offset nor its leader epoch: a base offset that rotted is found by its place
// among its neighbours, an epoch by what the log knows of its epochs. (The last batch of a log with a gap
// before it cannot be told from one that compaction left alone.)
#pragma once

#include <string>

#include "broker/log/batch_scan.h"
#include "broker/log/leader_epochs.h"

namespace tandem::broker::log {

// Whether the scan's batch goes on from `expected`, the offset behind what is before it, and, where offsets
// are missing between them, stays below the batch behind it, which lies before `limit`.
base::Result<bool> in_order(const fs::File& file, const BatchScan& scan, std::uint64_t limit,
                            std::int64_t expected);

// Whether the scan's batch is of the epoch in which the log says that its offset was written. An epoch that
// the batch before it (`before`) or behind it has as well did not rot: where a tree was restored from a
// backup, epochs began again at lower ones, and the log forgot of later ones where they began.
base::Result<bool> of_its_epoch(const fs::File& file, const BatchScan& scan, std::uint64_t limit,
                                std::optional<std::int32_t> before, const LeaderEpochs& epochs);

// Whether some batch that was written whole begins behind `begin`: then nothing tore there.
base::Result<bool> batch_behind(const fs::File& file, std::uint64_t begin, std::uint64_t end,
                                std::int64_t at_least);

// A copy of these bytes, on the disk when it returns.
base::Status copy_aside(fs::Disk& disk, const fs::File& from, std::uint64_t begin, std::uint64_t end,
                        const std::string& path);

}  // namespace tandem::broker::log
