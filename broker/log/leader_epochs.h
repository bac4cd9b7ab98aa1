// LeaderEpochs: which leader epoch began at which offset, in memory and in leader-epoch-checkpoint (Kafka's
// text form). Owned by one log. What cuts it is on disk before the call returns. A new epoch is written with
// the first flush of what lies behind it: until then a recovery, which reads all that was not flushed, finds
// it in the batches, and an epoch without any says nothing. So thousands of partitions change leaders without
// a sync.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fs/disk.h"

namespace tandem::broker::log {

struct EpochStart {
  std::int32_t epoch = 0;
  std::int64_t start_offset = 0;
  bool operator==(const EpochStart&) const = default;
};

struct EpochEnd {
  std::int32_t epoch = -1;
  std::int64_t end_offset = -1;
  bool operator==(const EpochEnd&) const = default;
};

class LeaderEpochs {
 public:
  LeaderEpochs(fs::Disk& disk, std::string path) : disk_(&disk), path_(std::move(path)) {}

  base::Status load();  // a missing file is empty
  base::Status assign(std::int32_t epoch, std::int64_t start_offset);
  // What a batch in the log proves: the offset is of the epoch. Entries that agree are kept, those of epochs
  // that later leaders began and wrote nothing in as well.
  base::Status confirm(std::int32_t epoch, std::int64_t offset);
  // What batches that are below the first entry prove, ascending.
  void learn_before(const std::vector<EpochStart>& earlier);
  std::optional<std::int32_t> latest() const;
  // Of the epoch that `offset` was written in.
  std::optional<std::int32_t> epoch_of(std::int64_t offset) const;
  // The largest epoch at or below `epoch` and where it ended; -1, -1 where that is not known (KIP-279).
  EpochEnd end_of(std::int32_t epoch, std::int64_t log_end_offset) const;
  base::Status truncate_from_end(std::int64_t end_offset);
  // The same at the start of a log that ends there: the file may keep what it has. Who is assigned the same
  // epoch at the same offset again writes nothing.
  void forget_from(std::int64_t end_offset);
  base::Status truncate_from_start(std::int64_t start_offset);
  base::Status clear();
  const std::vector<EpochStart>& entries() const { return entries_; }
  void moved(std::string path) { path_ = std::move(path); }
  bool unsaved() const { return unsaved_ || !forgotten_.empty(); }
  base::Status save();

 private:
  bool remembers(const EpochStart& entry);

  fs::Disk* disk_;
  std::string path_;
  std::vector<EpochStart> entries_;  // both ascending
  bool unsaved_ = false;
  std::vector<EpochStart> forgotten_;  // what the file may have behind the entries; ascending
};

}  // namespace tandem::broker::log
