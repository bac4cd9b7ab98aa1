#include "tests/sim/brokers/spoiler.h"

#include <fmt/format.h>

#include "base/check.h"
#include "broker/log/file_names.h"

namespace tandem::sim::brokers {

namespace blog = broker::log;

namespace {

// As of a log without producers: the newest one is what a start begins with.
void empty_snapshots(fs::Disk& disk, const std::string& dir) {
  const auto files = disk.list(dir);
  if (!files) return;
  for (const auto& file : *files) {
    const auto name = blog::parse_segment_file(file.name);
    if (!name || name->suffix != blog::kSnapshotSuffix) continue;
    auto opened = disk.open(fs::join(dir, file.name), fs::OpenMode::write);
    const bool done =
        opened && (*opened)->truncate(0) && (*opened)->pwrite(0, blog::ProducerState().snapshot());
    ENSURE(done, "{} cannot be emptied", file.name);
  }
}

// There is no way to ask a log for this.
void forget_all_but_the_last(const blog::ProducerState& state) {
  for (const auto& [id, entry] : state.producers()) {
    if (entry.count < 2) continue;
    auto& spoiled = const_cast<blog::ProducerEntry&>(entry);
    spoiled.batches[0] = entry.last();
    spoiled.count = 1;
  }
}

void forget_all_but_the_first(const blog::LeaderEpochs& epochs) {
  if (epochs.entries().size() > 1) const_cast<std::vector<blog::EpochStart>&>(epochs.entries()).resize(1);
}

}  // namespace

void Spoiler::before_start(fs::Disk& disk) const {
  if (options_.mutant != BrokerMutant::lost_producers) return;
  for (const std::string& log_dir : options_.dirs()) {
    const auto dirs = disk.list(log_dir);
    if (!dirs) continue;
    for (const auto& dir : *dirs)
      if (dir.is_directory) empty_snapshots(disk, fs::join(log_dir, dir.name));
  }
}

void Spoiler::after_event(SimBroker& broker) const {
  const bool epochs = options_.mutant == BrokerMutant::unnoted_epochs;
  if ((!epochs && options_.mutant != BrokerMutant::short_memory) || !broker.serving()) return;
  for (int topic = 0; topic < options_.topics; ++topic) {
    for (std::int32_t number = 0; number < options_.partitions; ++number) {
      const api::Replica* replica = broker.find({fmt::format("t{}", topic), number});
      if (replica == nullptr || replica->log == nullptr) continue;
      if (epochs) {
        forget_all_but_the_first(replica->log->epochs());
      } else {
        forget_all_but_the_last(replica->log->producers());
      }
    }
  }
}

}  // namespace tandem::sim::brokers
