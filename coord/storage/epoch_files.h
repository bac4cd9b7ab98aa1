// The two numbers that a server of an ensemble keeps beside its history, in Apache's files currentEpoch (the
// epoch whose leader's history it has) and acceptedEpoch (the last one it promised to follow): decimal text,
// replaced as a whole through NAME.tmp, durable when the call returns. Both lie in the snapshot directory.
// Beside them tandem.epochs keeps what was last written here and when each file was: int magic "TDEP", then
// for accepted and current a long number and a long modification time in ms, int CRC-32C. A file of that time
// with another number in it has rotted; one of another time was written by another server, and is believed.
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
// acknowledged that leader, so the lower number is the true one. Errors name the file and what to do;
// Errc::corrupt when the numbers cannot be true.
base::Result<Epochs> load_epochs(fs::Disk& disk, const std::string& directory, Zxid last_zxid);

std::vector<std::string> epoch_file_names();

base::Status write_accepted_epoch(fs::Disk& disk, const std::string& directory, std::int64_t epoch);
base::Status write_current_epoch(fs::Disk& disk, const std::string& directory, std::int64_t epoch);

}  // namespace tandem::coord::storage
