// Which files autopurge and zkCleanup.sh remove: all but the newest `keep` valid-looking snapshots, and the
// logs that no kept snapshot needs (a log is needed when it holds entries behind the oldest kept snapshot).
// Left-over temporary files of snapshots go too.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "coord/storage/files.h"
#include "fs/disk.h"

namespace tandem::coord::storage {

inline constexpr int kSnapshotsKeptMin = 3;

// Pure: the names to remove, oldest first. Both lists ascending.
std::vector<std::string> purgeable_snapshots(const std::vector<NumberedFile>& snapshots, int keep);
std::vector<std::string> purgeable_logs(const std::vector<NumberedFile>& logs,
                                        const std::vector<NumberedFile>& snapshots, int keep);

// Removes them; returns the paths removed. Stops at the first error of the disk.
base::Result<std::vector<std::string>> purge(fs::Disk& disk, const std::string& log_directory,
                                             const std::string& snapshot_directory, int keep);

}  // namespace tandem::coord::storage
