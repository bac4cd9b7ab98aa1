#include "tests/sim/brokers/admin.h"

#include <fmt/format.h>

#include "broker/config/settings.h"
#include "broker/protocol/messages/alter_partition_reassignments.h"
#include "broker/protocol/messages/alter_replica_log_dirs.h"
#include "broker/protocol/messages/create_partitions.h"
#include "broker/protocol/messages/create_topics.h"
#include "broker/protocol/messages/delete_records.h"
#include "broker/protocol/messages/delete_topics.h"
#include "broker/protocol/messages/elect_leaders.h"
#include "broker/protocol/messages/incremental_alter_configs.h"

namespace tandem::sim::brokers {

using protocol::ErrorCode;

namespace {

constexpr int kChurned = 3;
constexpr std::string_view kUnclean = "unclean.leader.election.enable";
constexpr std::int8_t kUncleanElection = 1;
constexpr std::int8_t kTopicResource = 2;
constexpr std::int8_t kBrokerResource = 4;
constexpr std::int8_t kSet = 0;
constexpr std::int8_t kDelete = 1;

}  // namespace

Admin::Admin(Surroundings& around, int host, const BrokerOptions& options, base::Random random,
             Checker& checker)
    : SimClient(around, host, options, random), checker_(checker) {}

void Admin::begin() {
  refresh();
  make_topics();
}

void Admin::make_topics() {
  again_in(milliseconds(100), [this] {
    int known = 0;
    for (const auto& [name, count] : partitions_) known += Checker::is_checked(name) ? 1 : 0;
    made_ = known == options_.topics + options_.unclean_topics;
    if (made_) return;
    make_topics();
    if (controller_ < 0) return refresh();
    protocol::CreateTopicsRequest request;
    request.timeout_ms = 2000;
    for (int i = 0; i < options_.topics + options_.unclean_topics; ++i) {
      auto& topic = request.topics.emplace_back();
      const bool unclean = i >= options_.topics;
      topic.name = unclean ? fmt::format("u{}", i - options_.topics) : fmt::format("t{}", i);
      if (unclean) topic.configs.push_back({std::string(kUnclean), "true"});
      topic.num_partitions = options_.partitions;
      topic.replication_factor = static_cast<std::int16_t>(options_.replication);
    }
    ask<protocol::CreateTopicsRequest>(
        controller_, 5, request, [this](const base::Result<protocol::CreateTopicsResponse>&) { refresh(); });
  });
}

template <class Request>
void Admin::tell(std::int16_t version, Request request, std::function<void()> done) {
  if (controller_ < 0) return refresh();
  ask<Request>(controller_, version, request,
               [this, done = std::move(done)](base::Result<typename Request::Response> answer) {
                 refresh();
                 if (!answer) return;
                 ++done_;
                 done();
               });
}

// Made, grown or deleted, whatever it is now.
void Admin::churn() {
  const std::string name = options_.old_protocol ? fmt::format("c{}", churned_++ / 4)
                                                 : fmt::format("c{}", random_.below(kChurned));
  switch (random_.below(3)) {
    case 0: {
      protocol::CreateTopicsRequest request;
      request.timeout_ms = 1000;
      auto& topic = request.topics.emplace_back();
      topic.name = name;
      topic.num_partitions = static_cast<std::int32_t>(random_.between(1, 3));
      topic.replication_factor = static_cast<std::int16_t>(options_.replication);
      return tell(5, std::move(request));
    }
    case 1: {
      protocol::CreatePartitionsRequest request;
      request.timeout_ms = 1000;
      auto& topic = request.topics.emplace_back();
      topic.name = name;
      topic.count = partitions_.contains(name) ? partitions_[name] + 1 : 4;
      return tell(1, std::move(request));
    }
    default: {
      protocol::DeleteTopicsRequest request;
      request.timeout_ms = 1000;
      request.topic_names = {name};
      return tell(3, std::move(request));
    }
  }
}

void Admin::reassign() {
  if (leaders_.empty()) return refresh();
  auto led = leaders_;
  led.insert(internal_.begin(), internal_.end());
  auto at = led.begin();
  std::advance(at, random_.below(led.size()));
  std::vector<std::int32_t> brokers;
  for (int broker = 1; broker <= options_.brokers; ++broker) brokers.push_back(broker);
  for (std::size_t i = brokers.size(); i > 1; --i) std::swap(brokers[i - 1], brokers[random_.below(i)]);
  brokers.resize(static_cast<std::size_t>(options_.replication));
  protocol::AlterPartitionReassignmentsRequest request;
  request.timeout_ms = 1000;
  auto& topic = request.topics.emplace_back();
  topic.name = at->first.topic;
  auto& partition = topic.partitions.emplace_back();
  partition.partition_index = at->first.partition;
  if (random_.chance(0.85)) partition.replicas = brokers;  // else what is under way is called off
  tell(0, std::move(request));
}

void Admin::elect() {
  protocol::ElectLeadersRequest request;
  request.timeout_ms = 1000;
  auto led = leaders_;
  led.insert(internal_.begin(), internal_.end());
  if (!led.empty()) {
    auto at = led.begin();
    std::advance(at, random_.below(led.size()));
    auto& topic = request.topic_partitions.emplace().emplace_back();
    topic.topic = at->first.topic;
    topic.partitions = {at->first.partition};
  }
  tell(1, std::move(request));
}

// ---- unclean elections -----------------------------------------------------------------------------------

TopicPartition Admin::some_unclean() {
  return {fmt::format("u{}", random_.below(static_cast<std::uint64_t>(options_.unclean_topics))),
          static_cast<std::int32_t>(random_.below(static_cast<std::uint64_t>(options_.partitions)))};
}

void Admin::elect_uncleanly() {
  const TopicPartition at = some_unclean();
  protocol::ElectLeadersRequest request;
  request.timeout_ms = 1000;
  request.election_type = kUncleanElection;
  auto& topic = request.topic_partitions.emplace().emplace_back();
  topic.topic = at.topic;
  topic.partitions = {at.partition};
  checker_.on_unclean_asked(at);
  tell(1, std::move(request));
}

void Admin::allow_unclean() {
  set(kTopicResource, some_unclean().topic, {{std::string(kUnclean), "true"}}, random_.chance(0.5));
}

// ---- settings --------------------------------------------------------------------------------------------

void Admin::set(std::int8_t type, const std::string& entity, const std::vector<Setting>& settings, bool on,
                std::function<void()> done) {
  protocol::IncrementalAlterConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = type;
  resource.resource_name = entity;
  for (const Setting& setting : settings) {
    auto& config = resource.configs.emplace_back();
    config.name = setting.name;
    config.config_operation = on ? kSet : kDelete;
    if (on) config.value = setting.value;
  }
  tell(1, std::move(request), std::move(done));
}

// One topic, all replicas of which are slow while they catch up, at a rate for all brokers.
void Admin::throttle() {
  if (throttled_ && random_.chance(0.5)) return unthrottle();
  throttled_ = true;
  const std::string rate = std::to_string(random_.between(100, 5000));
  set(kBrokerResource, "",
      {{std::string(broker::config::kLeaderRate), rate}, {std::string(broker::config::kFollowerRate), rate}},
      true);
  const std::string topic = fmt::format("t{}", random_.below(static_cast<std::uint64_t>(options_.topics)));
  again_in(milliseconds(200), [this, topic] {
    set(kTopicResource, topic,
        {{"leader.replication.throttled.replicas", "*"}, {"follower.replication.throttled.replicas", "*"}},
        true);
  });
}

void Admin::unthrottle() {
  set(kBrokerResource, "",
      {{std::string(broker::config::kLeaderRate), ""}, {std::string(broker::config::kFollowerRate), ""}},
      false, [this] { throttled_ = false; });
  if (stopped_)
    again_in(milliseconds(300), [this] {
      if (throttled_) unthrottle();
    });
}

// ---- log directories -------------------------------------------------------------------------------------

void Admin::move_replica() {
  auto led = leaders_;
  led.insert(internal_.begin(), internal_.end());
  if (led.empty()) return refresh();
  auto at = led.begin();
  std::advance(at, random_.below(led.size()));
  const auto dirs = options_.dirs();
  protocol::AlterReplicaLogDirsRequest request;
  auto& dir = request.dirs.emplace_back();
  dir.path = dirs[random_.below(dirs.size())];
  dir.topics.push_back({protocol::TopicName(at->first.topic), {at->first.partition}});
  ask<protocol::AlterReplicaLogDirsRequest>(
      static_cast<int>(random_.between(1, options_.brokers)), 2, request,
      [this](const base::Result<protocol::AlterReplicaLogDirsResponse>& answer) { done_ += answer ? 1 : 0; });
}

// ---- deletion of records ---------------------------------------------------------------------------------

void Admin::delete_records() {
  const TopicPartition at{
      fmt::format("t{}", random_.below(static_cast<std::uint64_t>(options_.topics))),
      static_cast<std::int32_t>(random_.below(static_cast<std::uint64_t>(options_.partitions)))};
  const int leader = leader_of(at);
  if (leader < 0) return refresh();
  if (busy(leader)) return;
  protocol::DeleteRecordsRequest request;
  request.timeout_ms = 1000;
  auto& topic = request.topics.emplace_back();
  topic.name = at.topic;
  const std::int64_t offset = random_.chance(0.3) ? -1 : checker_.somewhere_in(at, random_);
  topic.partitions.push_back({at.partition, offset});
  const auto asked = checker_.on_deletion_asked(at, offset);
  ask<protocol::DeleteRecordsRequest>(
      leader, 1, request, [this, asked](base::Result<protocol::DeleteRecordsResponse> answer) {
        if (!answer || answer->topics.empty() || answer->topics[0].partitions.empty()) return refresh();
        const auto& row = answer->topics[0].partitions[0];
        if (row.error_code != ErrorCode::none) refresh();
        checker_.on_deletion_answered(asked, row.error_code, row.low_watermark);
      });
}

}  // namespace tandem::sim::brokers
