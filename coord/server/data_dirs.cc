#include "coord/server/data_dirs.h"

#include "coord/storage/files.h"

namespace tandem::coord::server {

using base::Errc;
using base::Result;
using base::Status;

namespace {

constexpr const char* kLockName = "tandem.lock";
constexpr std::string_view kTemporary = ".tmp";

Status make_dir(fs::Disk& disk, const std::string& path, bool autocreate) {
  const auto info = disk.info(path);
  if (info && info->is_directory) return {};
  if (info) return base::make_error(Errc::invalid_argument, "{} is not a directory", path);
  if (!autocreate)
    return base::make_error(
        Errc::not_found,
        "missing data directory {}, and zookeeper.datadir.autocreate is false: make it by hand", path);
  auto status = storage::make_durable_dirs(disk, path);
  if (!status)
    return base::make_error(status.error().code, "unable to create data directory {}: {}", path,
                            status.error().context);
  return {};
}

// With two directories, files of one kind in the directory of the other mean a configuration that was changed
// by mistake: starting would look like an empty database.
Status check_contents(fs::Disk& disk, const Config& config) {
  if (config.log_directory() == config.snapshot_directory()) return {};
  const auto snapshots = storage::list_snapshots(disk, config.log_directory());
  if (!snapshots) return snapshots.error();
  if (!snapshots->empty())
    return base::make_error(Errc::invalid_argument,
                            "log directory {} has snapshot files: check dataDir and dataLogDir",
                            config.log_directory());
  const auto logs = storage::list_logs(disk, config.snapshot_directory());
  if (!logs) return logs.error();
  if (!logs->empty())
    return base::make_error(Errc::invalid_argument,
                            "snapshot directory {} has log files: check dataDir and dataLogDir",
                            config.snapshot_directory());
  return {};
}

void remove_temporaries(fs::Disk& disk, const std::string& directory) {
  const auto entries = disk.list(directory);
  if (!entries) return;
  for (const fs::DirEntry& entry : *entries) {
    if (!entry.name.ends_with(kTemporary)) continue;
    const std::string_view name =
        std::string_view(entry.name).substr(0, entry.name.size() - kTemporary.size());
    // Best effort: what stays only takes space.
    if (storage::parse_snapshot_name(name)) static_cast<void>(disk.unlink(fs::join(directory, entry.name)));
  }
}

}  // namespace

Result<std::unique_ptr<fs::Lock>> open_data_dirs(fs::Disk& disk, const Config& config) {
  for (const std::string& path : {config.log_directory(), config.snapshot_directory()}) {
    if (auto status = make_dir(disk, path, config.datadir_autocreate); !status) return status.error();
  }
  if (auto status = check_contents(disk, config); !status) return status.error();
  auto lock = disk.lock(fs::join(config.log_directory(), kLockName));
  if (!lock) {
    if (lock.error().code == Errc::unavailable)
      return base::make_error(Errc::unavailable, "{} is in use by another tandem-coord",
                              config.log_directory());
    return base::make_error(lock.error().code, "cannot write to data directory {}: {}",
                            config.log_directory(), lock.error().context);
  }
  remove_temporaries(disk, config.snapshot_directory());
  return lock;
}

}  // namespace tandem::coord::server
