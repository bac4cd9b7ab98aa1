#include "coord/storage/set_aside.h"

#include <vector>

#include "coord/storage/epoch_files.h"
#include "coord/storage/files.h"
#include "fs/checkpoint.h"

namespace tandem::coord::storage {

using base::Errc;
using base::Result;
using base::Status;

namespace {

constexpr const char* kNoVote = "tandem.novote";
constexpr const char* kDamaged = "tandem.damaged";
constexpr std::uint64_t kReasonMax = 4096;

std::string no_vote_path(const std::string& directory) { return fs::join(directory, kNoVote); }

Status move_files(fs::Disk& disk, const std::string& directory, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  const std::string aside = fs::join(directory, kDamaged);
  if (auto status = make_durable_dirs(disk, aside); !status) return status;
  for (const std::string& name : names) {
    if (auto status = disk.rename(fs::join(directory, name), fs::join(aside, name)); !status) return status;
  }
  if (auto status = disk.sync_dir(aside); !status) return status;
  return disk.sync_dir(directory);
}

// Before the first file moves, so that a crash between leaves a server that does not vote.
Status begin(fs::Disk& disk, const DataDirectories& directories, const std::string& reason) {
  const auto earlier = vote_withheld(disk, directories.snapshot);
  if (!earlier) return earlier.error();
  if (*earlier) return {};
  for (const std::string& directory : {directories.log, directories.snapshot}) {
    if (auto status = fs::remove_tree(disk, fs::join(directory, kDamaged)); !status) return status;
  }
  return withhold_vote(disk, directories.snapshot, reason);
}

std::vector<std::string> names_of(const std::vector<NumberedFile>& files) {
  std::vector<std::string> names;
  for (const NumberedFile& file : files) names.push_back(file.name);
  return names;
}

}  // namespace

Status withhold_vote(fs::Disk& disk, const std::string& snapshot_directory, const std::string& reason) {
  return fs::write_checkpoint(disk, no_vote_path(snapshot_directory), reason + "\n");
}

Status restore_vote(fs::Disk& disk, const std::string& snapshot_directory) {
  if (auto status = disk.unlink(no_vote_path(snapshot_directory)); !status) {
    return status.error().code == Errc::not_found ? Status() : status;
  }
  return disk.sync_dir(snapshot_directory);
}

Result<std::optional<std::string>> vote_withheld(fs::Disk& disk, const std::string& snapshot_directory) {
  auto text = fs::read_file(disk, no_vote_path(snapshot_directory), kReasonMax);
  if (!text && text.error().code == Errc::not_found) return std::optional<std::string>();
  if (!text) return text.error();
  while (!text->empty() && text->back() == '\n') text->pop_back();
  return std::optional<std::string>(std::move(*text));
}

// Snapshots first: logs without one are recognized as half of a history, snapshots without their logs are
// not.
Status set_history_aside(fs::Disk& disk, const DataDirectories& directories, const std::string& reason) {
  if (auto status = begin(disk, directories, reason); !status) return status;
  const auto snapshots = list_snapshots(disk, directories.snapshot);
  if (!snapshots) return snapshots.error();
  if (auto status = move_files(disk, directories.snapshot, names_of(*snapshots)); !status) return status;
  const auto logs = list_logs(disk, directories.log);
  if (!logs) return logs.error();
  return move_files(disk, directories.log, names_of(*logs));
}

Status set_epochs_aside(fs::Disk& disk, const DataDirectories& directories, const std::string& reason) {
  if (auto status = begin(disk, directories, reason); !status) return status;
  std::vector<std::string> names;
  for (const std::string& name : epoch_file_names()) {
    if (fs::exists(disk, fs::join(directories.snapshot, name))) names.push_back(name);
  }
  return move_files(disk, directories.snapshot, names);
}

}  // namespace tandem::coord::storage
