// Damage in one member of an ensemble: its files go out of the way, and that it may hold less than it once
// acknowledged is remembered, so that it gives no vote until the others have brought it up to date.
// tandem.novote, in the snapshot directory, says why; an operator who knows better removes it. Files set
// aside lie in tandem.damaged beside where they were, under their own names: neither this server nor
// Apache's reads a directory there. One set is kept: the next one removes those of a damage that is mended.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "fs/disk.h"

namespace tandem::coord::storage {

// All are durable when they return.
base::Status withhold_vote(fs::Disk& disk, const std::string& snapshot_directory, const std::string& reason);
base::Status restore_vote(fs::Disk& disk, const std::string& snapshot_directory);
// The reason, when the vote is withheld.
base::Result<std::optional<std::string>> vote_withheld(fs::Disk& disk, const std::string& snapshot_directory);

struct DataDirectories {
  std::string log;       // .../version-2
  std::string snapshot;  // .../version-2; may be the same
};

// Withholds the vote, then moves every snapshot and every log: what is left is an empty server.
base::Status set_history_aside(fs::Disk& disk, const DataDirectories& directories, const std::string& reason);
// Withholds the vote, then moves currentEpoch and acceptedEpoch.
base::Status set_epochs_aside(fs::Disk& disk, const DataDirectories& directories, const std::string& reason);

}  // namespace tandem::coord::storage
