#include "tests/sim/brokers/stage.h"

#include <fmt/format.h>

#include "base/check.h"
#include "broker/zk/paths.h"

namespace tandem::sim::brokers {

namespace zk = broker::zk;
namespace record = broker::record;
namespace {

constexpr Duration kLagMax = std::chrono::seconds(30);
constexpr std::int32_t kMoreThanThereAre = 99;
constexpr std::int64_t kSegmentBytes = 1000;
constexpr std::int64_t kIndexBytes = 100;
constexpr std::int64_t kTimeBegins = 1000;

}  // namespace

std::string batch_of(const Written& written) {
  record::BatchOptions options;
  options.base_offset = written.at;
  options.leader_epoch = written.leader_epoch;
  if (written.idempotent) {
    options.producer_id = kProducerId;
    options.producer_epoch = written.epoch;
    options.base_sequence = static_cast<std::int32_t>(written.first);
  }
  record::BatchBuilder builder(options);
  for (int i = 0; i < written.count; ++i)
    builder.append(written.at + i, kTimeBegins + written.first + i, "k",
                   fmt::format("{}:{}", kProducer, written.first + i));
  return *builder.finish();
}

// ---- a broker --------------------------------------------------------------------------------------------

StagedBroker::StagedBroker(Surroundings& around, int number, const TopicPartition& partition)
    : partition_(partition),
      process_(around, number, base::Random(static_cast<std::uint64_t>(number))),
      disk_(base::Random(static_cast<std::uint64_t>(number)), {}),
      shards_(process_, 1),
      replicas_(process_, {}, shards_, node_, disk_, {}),
      replica_(std::make_shared<api::Replica>(replicas_, partition.topic, partition.partition, 0, 0, number,
                                              0, kLagMax)) {
  broker::log::LoadOptions options;
  options.config.segment_bytes = kSegmentBytes;
  options.config.index_interval_bytes = kIndexBytes;
  broker::log::LoadReport report;
  auto log = broker::log::Log::load(disk_, "/d/" + partition.text(), {partition.topic, partition.partition},
                                    options, report);
  must(log.has_value());
  replica_->log = std::move(*log);
}

void StagedBroker::must(bool done) { ENSURE(done, "the stage cannot do that"); }

void StagedBroker::become(int leader, std::int32_t leader_epoch, std::int64_t mark) {
  broker::replica::Partition::State state;
  state.leader = leader;
  state.leader_epoch = leader_epoch;
  state.isr = {leader};
  state.replicas = {1, 2, 3};
  // Of which there are too few in sync for it to move the watermark by itself.
  const broker::replica::LogEnds ends{.end = std::max(mark, log().end_offset()),
                                      .min_insync = kMoreThanThereAre};
  replica_->core = broker::replica::Partition(number(), mark, kLagMax);
  replica_->core.apply(state, ends, process_.now());
  log().set_high_watermark(mark);
}

void StagedBroker::store(const Written& written) {
  must(log().append_as_follower(batch_of(written), process_.wall().ms).has_value());
}

void StagedBroker::sync() {
  auto work = log().begin_data_flush(0);
  const auto status = broker::log::Log::run(disk_, work);
  must(static_cast<bool>(status));
  log().end_flush(work, status);
}

void StagedBroker::begin_at(std::int64_t start) { must(log().advance_start(start).has_value()); }

void StagedBroker::spoil(const std::string& file, std::uint64_t offset) {
  auto opened = disk_.open(fs::join(log().dir(), file), fs::OpenMode::write);
  must(opened.has_value());
  std::string byte(1, ' ');
  must((*opened)->pread(offset, byte).has_value());
  ++byte[0];
  must((*opened)->pwrite(offset, byte).has_value());
}

// ---- all of it -------------------------------------------------------------------------------------------

Stage::Stage(std::string topic) : at{std::move(topic), 0} {
  options.replication = options.brokers = 3;
  for (int number = 1; number <= options.brokers; ++number) {
    brokers_[number] = std::make_unique<StagedBroker>(around_, number, at);
    all_[number] = brokers_[number].get();
  }
  change(std::string(zk::kControllerEpochPath), "1");
  assign({1, 2, 3});
}

void Stage::change(const std::string& path, const std::string& data, bool gone) {
  TreeChange change;
  change.path = path;
  change.data = data;
  change.gone = gone;
  checker.on_change(change);
}

void Stage::assign(const std::vector<std::int32_t>& replicas) {
  zk::TopicAssignment topic;
  topic.partitions[at.partition].replicas = replicas;
  change(zk::topic_path(at.topic), zk::encode_topic(topic));
}

void Stage::state(const State& state) {
  zk::PartitionState to;
  to.leader = state.leader;
  to.leader_epoch = state.leader_epoch;
  to.isr = state.isr;
  to.controller_epoch = state.controller_epoch;
  if (state.recovering) to.recovery = zk::LeaderRecovery::recovering;
  change(zk::partition_state_path(at), zk::encode_state(to));
}

void Stage::wait(Duration time) {
  const Instant end = scheduler_.now() + time;
  while (scheduler_.run_one(end)) {
  }
}

void Stage::commit(int count) {
  state({});
  for (int number = 1; number <= options.brokers; ++number)
    for (int i = 0; i < count; ++i) broker(number).store({.at = i, .first = i});
  for (int number = 1; number <= options.brokers; ++number) {
    broker(number).become(1, 1, number == 1 ? count : 0);
    look(number);
  }
}

std::string Stage::violated() const {
  const auto text = checker.violation().value_or("");
  return text.substr(0, text.find(':'));
}

}  // namespace tandem::sim::brokers
