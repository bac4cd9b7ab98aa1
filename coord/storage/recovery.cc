#include "coord/storage/recovery.h"

#include <fmt/format.h>

#include <algorithm>

#include "coord/storage/durable_mark.h"
#include "coord/storage/log_replay.h"

namespace tandem::coord::storage {

using base::Errc;
using base::Result;
using base::Status;

namespace {

constexpr std::size_t kSnapshotsTried = 100;  // as Apache

// The newest snapshot that can be read, into the target. `newest_seen`: of all, whether they can be or not.
Result<std::optional<Zxid>> load_snapshot(fs::Disk& disk, const RecoveryOptions& options,
                                          RestoreTarget& target, std::vector<std::string>& warnings,
                                          Zxid& newest_seen) {
  auto files = list_snapshots(disk, options.snapshot_directory);
  if (!files) return files.error();
  if (!files->empty()) newest_seen = files->back().zxid;
  std::reverse(files->begin(), files->end());
  if (files->size() > kSnapshotsTried) files->resize(kSnapshotsTried);
  bool any_promising = false;
  for (const NumberedFile& file : *files) {
    const std::string path = fs::join(options.snapshot_directory, file.name);
    const auto valid = looks_valid(disk, path, file.compression);
    if (!valid) return valid.error();
    if (!*valid) {
      warnings.push_back(fmt::format("snapshot {} is not whole, trying an older one", path));
      continue;
    }
    any_promising = true;
    target.reset();
    const auto trailer = read_snapshot(disk, path, file.compression, target);
    const Status status = trailer ? target.on_snapshot_end(file.zxid, *trailer) : Status(trailer.error());
    if (status) return std::optional<Zxid>(file.zxid);
    if (status.error().code == Errc::io) return status.error();
    warnings.push_back(status.error().context + ", trying an older one");
  }
  target.reset();
  if (any_promising)
    return base::make_error(
        Errc::corrupt,
        "no snapshot in {} can be read: {}; put a good snapshot there, or move the damaged ones "
        "away if the logs reach back to the first transaction",
        options.snapshot_directory, warnings.back());
  return std::optional<Zxid>();
}

}  // namespace

Result<Recovered> recover(fs::Disk& disk, const RecoveryOptions& options, RestoreTarget& target) {
  Recovered result;
  Zxid newest_seen;
  const auto snapshot = load_snapshot(disk, options, target, result.warnings, newest_seen);
  if (!snapshot) return snapshot.error();
  result.snapshot = *snapshot;
  result.last_zxid = snapshot->value_or(Zxid(0));

  LogReplay replay(disk, options.log_directory, *snapshot, target);
  if (auto status = replay.find_logs(); !status) return status.error();
  if (!*snapshot) {
    const auto entries = replay.any_entries();
    if (!entries) return entries.error();
    result.empty = !*entries;
    // A snapshot has its name when it is whole, and there was none of a later zxid without a history.
    if (result.empty && newest_seen > Zxid(0))
      return base::make_error(
          Errc::corrupt,
          "{}, and there is nothing else: take this server's data directory away and let it "
          "fetch everything from the others, or restore the file from a copy",
          result.warnings.back());
    if (!result.empty && !options.trust_empty_snapshot)
      return base::make_error(
          Errc::corrupt,
          "no snapshot found in {}, but there are log entries in {}: something is broken; set "
          "snapshot.trust.empty=true to start from the logs alone if they are complete",
          options.snapshot_directory, options.log_directory);
  }
  if (auto status = replay.run(options.doubt_is_damage); !status) return status.error();
  if (auto status = replay.make_durable(); !status) return status.error();
  if (auto status = disk.sync_dir(options.snapshot_directory); !status) return status.error();
  result.last_zxid = replay.last_zxid();
  result.txns = replay.txns();
  result.log_bytes = replay.bytes();
  result.warnings.insert(result.warnings.end(), replay.warnings().begin(), replay.warnings().end());
  return result;
}

}  // namespace tandem::coord::storage
