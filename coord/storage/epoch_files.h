// The two numbers that a server of an ensemble keeps beside its history, in Apache's files currentEpoch (the
// epoch whose leader's history it has) and acceptedEpoch (the last one it promised to follow): decimal text,
// replaced as a whole through NAME.tmp, durable when the call returns. Both lie in the snapshot directory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "coord/storage/files.h"
#include "fs/disk.h"

namespace tandem::coord::storage {

struct Epochs {
  std::int64_t accepted = 0;
  std::int64_t current = 0;
  std::vector<std::string> warnings;  // of loading
};

// Reads both, by Apache's rules: a missing file is the epoch of the last zxid and is written; a current epoch
// below that one is completed from a left currentEpoch.tmp. Where Apache gives up though nothing is wrong (a
// server that stopped between a new leader's transactions and its epoch), this one goes on: it has not
// acknowledged that leader, so the lower number is the true one. Errors name the file and what to do.
base::Result<Epochs> load_epochs(fs::Disk& disk, const std::string& directory, Zxid last_zxid);

base::Status write_accepted_epoch(fs::Disk& disk, const std::string& directory, std::int64_t epoch);
base::Status write_current_epoch(fs::Disk& disk, const std::string& directory, std::int64_t epoch);

}  // namespace tandem::coord::storage
