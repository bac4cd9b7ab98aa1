#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>

#include "broker/protocol/messages/incremental_alter_configs.h"
#include "tools/kafka/reassign_partitions.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace {

using ThrottleChanges = std::map<std::string, std::optional<std::string>>;  // nullopt: take it away
using ThrottledResources = std::map<std::string, ThrottleChanges>;          // by name

constexpr std::int8_t kThrottledTopic = 2;
constexpr std::int8_t kThrottledBroker = 4;
constexpr std::int8_t kSetThrottle = 0;
constexpr std::int8_t kDropThrottle = 1;

protocol::IncrementalAlterConfigsRequest throttle_request(std::int8_t type,
                                                          const ThrottledResources& resources) {
  protocol::IncrementalAlterConfigsRequest request;
  for (const auto& [name, changes] : resources) {
    auto& resource = request.resources.emplace_back();
    resource.resource_type = type;
    resource.resource_name = name;
    for (const auto& [key, value] : changes) {
      auto& config = resource.configs.emplace_back();
      config.name = key;
      config.config_operation = value ? kSetThrottle : kDropThrottle;
      config.value = value;
    }
  }
  return request;
}

base::Status apply_throttles(base::Result<Connection*> connection, std::int8_t type,
                             const ThrottledResources& resources) {
  if (resources.empty()) return {};
  if (!connection) return connection.error();
  const auto response = (*connection)->call(throttle_request(type, resources));
  if (!response) return response.error();
  for (const auto& result : response->responses) {
    if (result.error_code != ErrorCode::none)
      return base::make_error(base::Errc::unavailable, "{}",
                              words_of(result.error_code, result.error_message));
  }
  return {};
}

// A broker's own settings are asked of that broker, when it is there.
base::Status apply_to_brokers(Admin& admin, const ThrottledResources& resources) {
  for (const auto& [name, changes] : resources) {
    auto connection = admin.node(static_cast<std::int32_t>(parse_number(name).value_or(-1)));
    if (auto status =
            apply_throttles(connection ? connection : admin.any(), kThrottledBroker, {{name, changes}});
        !status)
      return status;
  }
  return {};
}

struct ThrottledMove {
  std::set<std::int32_t> sources;
  std::set<std::int32_t> destinations;
};

std::map<zk::TopicPartition, ThrottledMove> moves_of(const ReassignStates& current,
                                                     const Assignments& proposed,
                                                     const Assignments& standing) {
  std::map<zk::TopicPartition, ThrottledMove> out;
  for (const auto& [partition, state] : current) {
    ThrottledMove& move = out[partition];
    move.sources.insert(state.replicas.begin(), state.replicas.end());
    for (const auto broker : state.adding) move.sources.erase(broker);
    move.destinations.insert(state.adding.begin(), state.adding.end());
  }
  for (const auto& [partition, replicas] : proposed) {
    const bool moving = out.contains(partition);
    ThrottledMove& move = out[partition];
    if (!moving) move.sources.insert(standing.at(partition).begin(), standing.at(partition).end());
    move.destinations.clear();
    for (const auto broker : replicas) {
      if (!move.sources.contains(broker)) move.destinations.insert(broker);
    }
  }
  return out;
}

std::string comma_joined(const std::set<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ","));
}

}  // namespace

ThrottlePlan throttle_plan(const ReassignStates& current, const Assignments& proposed,
                           const Assignments& standing) {
  std::map<std::string, std::set<std::string>> leaders;
  std::map<std::string, std::set<std::string>> followers;
  ThrottlePlan plan;
  for (const auto& [partition, move] : moves_of(current, proposed, standing)) {
    auto& lead = leaders[partition.topic];
    auto& follow = followers[partition.topic];
    for (const auto broker : move.sources) lead.insert(fmt::format("{}:{}", partition.partition, broker));
    for (const auto broker : move.destinations)
      follow.insert(fmt::format("{}:{}", partition.partition, broker));
    plan.brokers.insert(move.sources.begin(), move.sources.end());
    plan.brokers.insert(move.destinations.begin(), move.destinations.end());
  }
  for (const auto& [topic, replicas] : leaders)
    plan.topics[topic][std::string(kLeaderReplicas)] = comma_joined(replicas);
  for (const auto& [topic, replicas] : followers)
    plan.topics[topic][std::string(kFollowerReplicas)] = comma_joined(replicas);
  return plan;
}

base::Status set_move_throttle(Admin& admin, const ReassignStates& current, const Assignments& proposed,
                               const Assignments& standing, std::int64_t bytes_per_second) {
  const ThrottlePlan plan = throttle_plan(current, proposed, standing);
  ThrottledResources topics;
  for (const auto& [topic, settings] : plan.topics)
    topics[topic] = ThrottleChanges(settings.begin(), settings.end());
  if (auto status = apply_throttles(admin.any(), kThrottledTopic, topics); !status) return status;
  ThrottledResources rates;
  for (const auto broker : plan.brokers) {
    auto& changes = rates[std::to_string(broker)];
    changes[std::string(kLeaderRate)] = std::to_string(bytes_per_second);
    changes[std::string(kFollowerRate)] = std::to_string(bytes_per_second);
  }
  if (auto status = apply_to_brokers(admin, rates); !status) return status;
  fmt::print("The inter-broker throttle limit was set to {} B/s\n", bytes_per_second);
  return {};
}

base::Status set_log_dir_throttle(Admin& admin, const LogDirGoals& goals, std::int64_t bytes_per_second) {
  ThrottledResources rates;
  for (const auto& [replica, dir] : goals)
    rates[std::to_string(replica.broker)][std::string(kLogDirRate)] = std::to_string(bytes_per_second);
  if (auto status = apply_to_brokers(admin, rates); !status) return status;
  fmt::print("The replica-alter-dir throttle limit was set to {} B/s\n", bytes_per_second);
  return {};
}

ThrottledEntities throttled_entities(std::set<std::int32_t> alive, const std::vector<Placement>& placements) {
  ThrottledEntities out{std::move(alive), {}};
  for (const auto& placement : placements) {
    out.brokers.insert(placement.replicas.begin(), placement.replicas.end());
    out.topics.insert(placement.partition.topic);
  }
  return out;
}

void print_clearing(const std::set<std::int32_t>& brokers) {
  fmt::print("Clearing broker-level throttles on broker{} {}\n", brokers.size() == 1 ? "" : "s",
             fmt::join(brokers, ","));
}

void print_clearing(const std::set<std::string>& topics) {
  fmt::print("Clearing topic-level throttles on topic{} {}\n", topics.size() == 1 ? "" : "s",
             fmt::join(topics, ","));
}

base::Status clear_throttles(Admin& admin, const std::vector<Placement>& placements) {
  const auto nodes = admin.nodes();
  if (!nodes) return nodes.error();
  std::set<std::int32_t> alive;
  for (const Node& node : *nodes) alive.insert(node.id);
  const auto [brokers, names] = throttled_entities(std::move(alive), placements);
  print_clearing(brokers);
  ThrottledResources rates;
  for (const auto broker : brokers) {
    for (const auto key : {kLeaderRate, kFollowerRate, kLogDirRate})
      rates[std::to_string(broker)][std::string(key)] = std::nullopt;
  }
  if (auto status = apply_to_brokers(admin, rates); !status) return status;
  print_clearing(names);
  ThrottledResources topics;
  for (const auto& name : names) {
    for (const auto key : {kLeaderReplicas, kFollowerReplicas}) topics[name][std::string(key)] = std::nullopt;
  }
  return apply_throttles(admin.any(), kThrottledTopic, topics);
}

}  // namespace tandem::tools::kafka
