// What administrators and leaders ask of the controller and of a broker's directories. One broker has no
// moves or elections to make: what is granted here is what changes nothing.
#include "broker/protocol/messages/alter_partition.h"
#include "broker/protocol/messages/alter_partition_reassignments.h"
#include "broker/protocol/messages/alter_replica_log_dirs.h"
#include "broker/protocol/messages/describe_log_dirs.h"
#include "broker/protocol/messages/describe_producers.h"
#include "broker/protocol/messages/elect_leaders.h"
#include "broker/protocol/messages/list_partition_reassignments.h"
#include "broker/protocol/messages/produce.h"
#include "broker/protocol/messages/update_features.h"
#include "broker/record/builder.h"
#include "probe.h"

namespace tandem::differential {

namespace {

using namespace protocol;

constexpr std::int8_t kPreferred = 0;
constexpr std::int8_t kUnclean = 1;
constexpr std::int8_t kNoElection = 9;
constexpr std::int8_t kRecovering = 1;
constexpr std::int32_t kAbsent = 99;  // a broker or a partition that is not there

using Partition = AlterPartitionRequest::PartitionData;

// The partition as it was made: led by broker 0, alone in its in-sync set.
Partition as_it_is(std::int32_t index = 0) {
  return {.partition_index = index, .new_isr = {0}, .new_isr_with_epochs = {{0, -1}}};
}

Partition with_isr(std::vector<BrokerId> isr) {
  Partition partition = as_it_is();
  partition.new_isr_with_epochs.clear();
  for (const BrokerId id : isr) partition.new_isr_with_epochs.push_back({id, -1});
  partition.new_isr = std::move(isr);
  return partition;
}

AlterPartitionRequest alter(const Side& side, const std::string& topic, std::vector<Partition> partitions) {
  AlterPartitionRequest request;
  request.broker_id = 0;
  request.broker_epoch = side.broker_epoch;
  const auto id = side.topic_ids.find(topic);
  request.topics.push_back({.topic_name = topic,
                            .topic_id = id == side.topic_ids.end() ? Uuid{{7, 7, 7}} : id->second,
                            .partitions = std::move(partitions)});
  return request;
}

void ask_alter_partition(Probe& probe, std::int16_t version) {
  const auto ask = [&](const char* label, const std::string& topic, std::vector<Partition> partitions) {
    probe.ask(
        label, version, [&](Side& side) { return alter(side, topic, partitions); },
        [](Side&, const auto&) {});
  };
  probe.ask("old broker", version, AlterPartitionRequest{.broker_id = 0, .broker_epoch = 1});
  probe.ask("unknown broker", version, AlterPartitionRequest{.broker_id = kAbsent, .broker_epoch = 1});
  ask("as it is", "diff", {as_it_is()});
  ask("two as they are", "diff", {as_it_is(1), as_it_is(2)});
  ask("no partitions", "diff", {});
  ask("unknown partition", "diff", {as_it_is(kAbsent)});
  ask("unknown topic", "unknown", {as_it_is()});
  ask("replica that is down", "diff", {with_isr({0, kAbsent})});

  Partition changed = as_it_is();
  changed.leader_epoch = 5;
  ask("newer leader epoch", "diff", {changed});
  changed.leader_epoch = -1;
  ask("older leader epoch", "diff", {changed});
  changed = as_it_is();
  changed.partition_epoch = 5;
  ask("newer partition epoch", "diff", {changed});
  changed.partition_epoch = -1;
  ask("older partition epoch, as it is", "diff", {changed});
  changed = with_isr({0, kAbsent});
  changed.partition_epoch = -1;
  ask("older partition epoch", "diff", {changed});
  changed = with_isr({0, kAbsent});
  changed.leader_recovery_state = kRecovering;
  if (version >= 1) ask("recovering with two", "diff", {changed});
  changed = as_it_is();
  changed.leader_recovery_state = kRecovering;
  if (version >= 1) ask("recovering once recovered", "diff", {changed});
}

ElectLeadersRequest elect(std::int8_t type, std::string topic, std::vector<std::int32_t> partitions) {
  ElectLeadersRequest request;
  request.election_type = type;
  request.timeout_ms = kTimeoutMs;
  request.topic_partitions.emplace().push_back({std::move(topic), std::move(partitions)});
  return request;
}

void ask_elections(Probe& probe, std::int16_t version) {
  probe.ask("not needed", version, elect(kPreferred, "diff", {0, 1, 2}));
  probe.ask("some unknown", version, elect(kPreferred, "diff", {0, kAbsent}));
  probe.ask("unknown topic", version, elect(kPreferred, "unknown", {0}));
  probe.ask("bad name", version, elect(kPreferred, "bad name", {0}));
  probe.ask("no partitions", version, elect(kPreferred, "diff", {}));
  probe.ask("named twice", version, elect(kPreferred, "diff", {0, 0}));
  probe.ask("all", version, ElectLeadersRequest{.topic_partitions = std::nullopt, .timeout_ms = kTimeoutMs});
  ElectLeadersRequest none{.timeout_ms = kTimeoutMs};
  none.topic_partitions.emplace();
  probe.ask("none", version, none);
  auto hurried = elect(kPreferred, "diff", {0});
  hurried.timeout_ms = 0;
  probe.ask("no time", version, hurried);
  if (version < 1) return;
  probe.ask("unclean, not needed", version, elect(kUnclean, "diff", {0, 1}));
  probe.ask("unclean, some unknown", version, elect(kUnclean, "diff", {0, kAbsent}));
  probe.ask("unknown kind", version, elect(kNoElection, "diff", {0}));
}

AlterPartitionReassignmentsRequest move(std::string topic, std::int32_t partition,
                                        std::optional<std::vector<BrokerId>> replicas) {
  AlterPartitionReassignmentsRequest request;
  request.timeout_ms = kTimeoutMs;
  request.topics.push_back({std::move(topic), {{partition, std::move(replicas)}}});
  return request;
}

void ask_reassignments(Probe& probe, std::int16_t version) {
  using Replicas = std::vector<BrokerId>;
  probe.ask("to where it is", version, move("diff", 0, Replicas{0}));
  probe.ask("nothing to cancel", version, move("diff", 0, std::nullopt));
  probe.ask("unknown partition", version, move("diff", kAbsent, Replicas{0}));
  probe.ask("unknown topic", version, move("unknown", 0, Replicas{0}));
  probe.ask("nothing to cancel there", version, move("unknown", 0, std::nullopt));
  probe.ask("to nowhere", version, move("diff", 0, Replicas{}));
  probe.ask("a broker twice", version, move("diff", 0, Replicas{0, 0}));
  probe.ask("negative broker", version, move("diff", 0, Replicas{-1}));
  probe.ask("unknown broker", version, move("diff", 0, Replicas{0, kAbsent}));
  auto several = move("diff", 0, Replicas{0});
  several.topics[0].partitions.push_back({kAbsent, Replicas{0}});
  several.topics[0].partitions.push_back({1, Replicas{kAbsent}});
  probe.ask("some wrong", version, several);
  several = move("diff", 0, Replicas{0});
  several.topics[0].partitions.push_back(several.topics[0].partitions[0]);
  probe.ask("named twice", version, several);
  probe.ask("nothing", version, AlterPartitionReassignmentsRequest{.timeout_ms = kTimeoutMs});
}

void ask_list(Probe& probe, std::int16_t version) {
  using Request = ListPartitionReassignmentsRequest;
  probe.ask("all", version, Request{});
  Request some;
  some.topics.emplace();
  probe.ask("none", version, some);
  some.topics->push_back({"diff", {0, kAbsent}});
  some.topics->push_back({"unknown", {0}});
  probe.ask("named", version, some);
}

AlterReplicaLogDirsRequest place(const std::string& path, std::string topic,
                                 std::vector<std::int32_t> partitions) {
  AlterReplicaLogDirsRequest request;
  request.dirs.push_back({path, {{std::move(topic), std::move(partitions)}}});
  return request;
}

void ask_directories(Probe& probe, std::int16_t version) {
  const auto ask = [&](const char* label, std::string topic, std::vector<std::int32_t> partitions) {
    probe.ask(
        label, version, [&](Side& side) { return place(side.log_dir, topic, partitions); },
        [](Side&, const auto&) {});
  };
  ask("where they are", "diff", {0, 1});
  ask("no partitions", "diff", {});
  ask("unknown partition", "diff", {0, kAbsent});
  ask("unknown topic", "unknown", {0});
  ask("bad name", "bad name", {0});
  probe.ask("unknown directory", version, place("/nowhere", "diff", {0, kAbsent}));
  probe.ask("relative directory", version, place("nowhere", "diff", {0}));
  probe.ask("empty directory", version, place("", "diff", {0}));
  probe.ask("nothing", version, AlterReplicaLogDirsRequest{});
}

using Feature = UpdateFeaturesRequest::FeatureUpdateKey;

void ask_features(Probe& probe, std::int16_t version) {
  const auto ask = [&](const char* label, std::vector<Feature> features) {
    UpdateFeaturesRequest request;
    request.timeout_ms = kTimeoutMs;
    request.feature_updates = std::move(features);
    probe.ask(label, version, request);
    request.validate_only = true;
    if (version >= 1) probe.ask(label, version, request);
  };
  ask("nothing", {});
  ask("unknown", {{.feature = "nonsense", .max_version_level = 1}});
  ask("of the other mode", {{.feature = "metadata.version", .max_version_level = 20}});
  ask("empty name", {{.feature = "", .max_version_level = 1}});
  ask("level 0", {{.feature = "nonsense", .max_version_level = 0}});
  ask("negative level", {{.feature = "nonsense", .max_version_level = -1}});
  ask("removal", {{.feature = "nonsense", .allow_downgrade = true, .upgrade_type = 2}});
  ask("unsafe removal", {{.feature = "nonsense", .allow_downgrade = true, .upgrade_type = 3}});
  ask("downgrade",
      {{.feature = "nonsense", .max_version_level = 1, .allow_downgrade = true, .upgrade_type = 2}});
  ask("two unknown", {{.feature = "b", .max_version_level = 1}, {.feature = "a", .max_version_level = 2}});
  if (version >= 1)
    ask("unknown change", {{.feature = "nonsense", .max_version_level = 1, .upgrade_type = 9}});
}

ProduceRequest from_producer(std::int64_t id) {
  broker::record::BatchOptions options;
  options.producer_id = id;
  options.producer_epoch = 3;
  options.base_sequence = 0;
  broker::record::BatchBuilder builder(options);
  builder.append(1'700'000'000'000, "key", "value");
  builder.append(1'700'000'000'001, "key", "value");
  ProduceRequest request{.acks = -1, .timeout_ms = kTimeoutMs};
  request.topic_data.push_back(
      {"diff", {{.index = 2, .records = Records(bytes::Slice::own(builder.finish().value()))}}});
  return request;
}

void ask_producers(Probe& probe, std::int16_t version) {
  DescribeProducersRequest request;
  probe.ask("nothing", version, request);
  request.topics = {{"diff", {0, 2, kAbsent}}};
  probe.ask("some", version, request);
  request.topics = {{"unknown", {0}}, {"bad name", {0}}, {"diff", {}}};
  probe.ask("wrong", version, request);
}

void learn_directory(Probe& probe) {
  DescribeLogDirsRequest request;
  request.topics.emplace().push_back({.topic = "diff", .partitions = {0}});
  probe.ask(
      "directory", DescribeLogDirsRequest::kVersionMax, [&](Side&) { return request; },
      [](Side& side, const DescribeLogDirsResponse& response) {
        if (!response.results.empty()) side.log_dir = response.results[0].log_dir;
      });
}

}  // namespace

void ask_cluster_admin(Probe& probe) {
  each_version<AlterPartitionRequest>([&](std::int16_t version) { ask_alter_partition(probe, version); });
  each_version<ElectLeadersRequest>([&](std::int16_t version) { ask_elections(probe, version); });
  each_version<AlterPartitionReassignmentsRequest>(
      [&](std::int16_t version) { ask_reassignments(probe, version); });
  each_version<ListPartitionReassignmentsRequest>([&](std::int16_t version) { ask_list(probe, version); });
  learn_directory(probe);
  each_version<AlterReplicaLogDirsRequest>([&](std::int16_t version) { ask_directories(probe, version); });
  each_version<UpdateFeaturesRequest>([&](std::int16_t version) { ask_features(probe, version); });
  probe.ask("setup", ProduceRequest::kVersionMax, from_producer(77));
  each_version<DescribeProducersRequest>([&](std::int16_t version) { ask_producers(probe, version); });
}

}  // namespace tandem::differential
