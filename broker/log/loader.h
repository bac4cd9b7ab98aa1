// Loader: opens a partition directory as Kafka's LogLoader does: leftovers removed, swaps completed, segments
// checked, indexes rebuilt where they are missing or wrong, everything from the recovery point on verified
// after an unclean stop and cut at the first bad byte, producer state brought to the end. Where flushes are
// asked for, what recovery keeps of what was not flushed is on the disk afterwards, and what it cut off is
// not. Runs on any thread; a Log has no owner yet.
#pragma once

#include <set>

#include "broker/log/log.h"

namespace tandem::broker::log {

class Loader {
 public:
  // What is below `flushed_to` is on the disk, however much of it has to be read again.
  Loader(fs::Disk& disk, const LoadOptions& options, std::int64_t flushed_to, LoadReport& report)
      : disk_(disk), options_(options), flushed_to_(flushed_to), report_(report) {}

  base::Result<std::unique_ptr<Log>> load(std::string dir, TopicPartition where);

 private:
  base::Status clean_leftovers();
  base::Status complete_swaps(const std::vector<std::string>& swaps);
  base::Status load_segments();
  base::Status recover();
  base::Result<std::uint64_t> recover_segment(Segment& segment);
  base::Result<bool> lacks_before(Segment& segment, std::int64_t next_base);
  base::Status keep_damaged(const Segment& segment, const fs::File& file, std::uint64_t valid,
                            std::int64_t next);
  base::Status set_aside_from(std::int64_t base);
  base::Status drop_from(std::int64_t base);
  base::Status settle_offsets();
  base::Status learn_epochs();
  base::Result<std::vector<EpochStart>> epochs_of(Segment& segment, std::int64_t from, std::int64_t to);
  base::Status write_tail_anew();
  base::Status write_anew(Segment& segment);
  base::Status load_topic_id();
  base::Status load_producers();

  fs::Disk& disk_;
  const LoadOptions& options_;
  std::int64_t flushed_to_;
  LoadReport& report_;
  std::set<std::int64_t> rebuilt_;  // bases of segments whose indexes were built here
  std::unique_ptr<Log> log_;
};

}  // namespace tandem::broker::log
