#include "coord/storage/purge.h"

#include <algorithm>

#include "coord/storage/snapshot_file.h"

namespace tandem::coord::storage {

using base::Result;
using base::Status;

namespace {

// The oldest snapshot that stays; nothing when all stay.
const NumberedFile* oldest_kept(const std::vector<NumberedFile>& snapshots, int keep) {
  const auto count = static_cast<std::size_t>(std::max(keep, kSnapshotsKeptMin));
  if (snapshots.size() <= count) return nullptr;
  return &snapshots[snapshots.size() - count];
}

Status remove(fs::Disk& disk, const std::string& directory, const std::vector<std::string>& names,
              std::vector<std::string>& removed) {
  for (const std::string& name : names) {
    const std::string path = fs::join(directory, name);
    if (auto status = disk.unlink(path); !status && status.error().code != base::Errc::not_found)
      return status;
    removed.push_back(path);
  }
  return {};
}

}  // namespace

std::vector<std::string> purgeable_snapshots(const std::vector<NumberedFile>& snapshots, int keep) {
  std::vector<std::string> names;
  const NumberedFile* oldest = oldest_kept(snapshots, keep);
  if (oldest == nullptr) return names;
  for (const NumberedFile* file = snapshots.data(); file != oldest; ++file) names.push_back(file->name);
  return names;
}

std::vector<std::string> purgeable_logs(const std::vector<NumberedFile>& logs,
                                        const std::vector<NumberedFile>& snapshots, int keep) {
  std::vector<std::string> names;
  const NumberedFile* oldest = oldest_kept(snapshots, keep);
  if (oldest == nullptr) return names;
  // A log is needed from the last one that starts at or before the snapshot: it may reach behind it.
  for (std::size_t i = 0; i + 1 < logs.size(); ++i) {
    if (logs[i].zxid < oldest->zxid && logs[i + 1].zxid <= oldest->zxid) names.push_back(logs[i].name);
  }
  return names;
}

Result<std::vector<std::string>> purge(fs::Disk& disk, const std::string& log_directory,
                                       const std::string& snapshot_directory, int keep) {
  const auto listed = list_snapshots(disk, snapshot_directory);
  if (!listed) return listed.error();
  // A snapshot that cannot be loaded keeps nothing alive.
  std::vector<NumberedFile> snapshots;
  for (const NumberedFile& file : *listed) {
    const auto valid = looks_valid(disk, fs::join(snapshot_directory, file.name), file.compression);
    if (!valid) return valid.error();
    if (*valid) snapshots.push_back(file);
  }
  const auto logs = list_logs(disk, log_directory);
  if (!logs) return logs.error();
  std::vector<std::string> removed;
  // Snapshots first: wherever this stops, every snapshot that is left still has its logs.
  if (auto status = remove(disk, snapshot_directory, purgeable_snapshots(snapshots, keep), removed); !status)
    return status.error();
  if (removed.empty()) return removed;
  if (auto status = disk.sync_dir(snapshot_directory); !status) return status.error();
  if (auto status = remove(disk, log_directory, purgeable_logs(*logs, snapshots, keep), removed); !status)
    return status.error();
  return removed;
}

}  // namespace tandem::coord::storage
