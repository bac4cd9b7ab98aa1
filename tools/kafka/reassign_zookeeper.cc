#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "broker/zk/admin.h"
#include "broker/zk/paths.h"
#include "tools/kafka/reassign_partitions.h"
#include "tools/kafka/tree.h"

namespace tandem::tools::kafka {

namespace {

constexpr auto kOnlyByBrokers = std::to_array<std::string_view>(
    {"additional", "cancel", "command-config", "replica-alter-log-dirs-throttle", "list", "timeout"});

base::Result<Assignments> assignments_in(Tree& tree, const std::set<std::string>& topics) {
  Assignments out;
  for (const auto& name : topics) {
    const auto topic = tree.assignment(name);
    if (!topic) return topic.error();
    if (!*topic) continue;
    for (const auto& [number, assignment] : (*topic)->partitions) out[{name, number}] = assignment.replicas;
  }
  return out;
}

base::Status no_log_dirs(const std::vector<Placement>& placements) {
  if (log_dir_goals(placements).empty()) return {};
  return error_of("bootstrap-server needs to be provided when replica reassignments are present.");
}

// Sets (or, without a value, takes away) settings of a topic or broker; nothing is written without a change.
base::Status change_settings(Tree& tree, std::string_view type, const std::string& entity,
                             const std::map<std::string, std::optional<std::string>>& changes) {
  auto config = tree.config(type, entity);
  if (!config) return config.error();
  const zk::Config before = *config;
  for (const auto& [key, value] : changes) {
    std::erase_if(*config, [&](const auto& pair) { return pair.first == key; });
    if (value) config->emplace_back(key, *value);
  }
  return *config == before ? base::Status() : tree.change_config(type, entity, *config);
}

base::Status generate_by_tree(Tree& tree, const Options& options) {
  const auto names = topics_to_move(options);
  if (!names) return error_of(names.error());
  const auto standing = assignments_in(tree, *names);
  if (!standing) return error_of(standing.error());
  auto brokers = tree.brokers();
  if (!brokers) return error_of(brokers.error());
  return print_proposal(*standing, std::move(*brokers), options);
}

// Every partition and broker that is named must be there.
base::Status check_goals(Tree& tree, const Assignments& proposed, const Assignments& standing) {
  std::vector<zk::TopicPartition> missing;
  std::set<std::int32_t> strangers;
  for (const auto& [partition, replicas] : proposed) {
    if (!standing.contains(partition)) missing.push_back(partition);
    strangers.insert(replicas.begin(), replicas.end());
  }
  if (!missing.empty())
    return error_of(fmt::format("The proposed assignment contains non-existent partitions: List({})",
                                joined(missing, ", ")));
  const auto brokers = tree.brokers();
  if (!brokers) return error_of(brokers.error());
  for (const auto& broker : *brokers) strangers.erase(broker.id);
  if (strangers.empty()) return {};
  return error_of(
      fmt::format("The proposed assignment contains non-existent brokerIDs: {}", fmt::join(strangers, ",")));
}

base::Status throttle_by_tree(Tree& tree, const ThrottlePlan& plan, std::int64_t bytes_per_second) {
  fmt::print("{}\n", kRunVerifyPeriodically);
  for (const auto& [topic, settings] : plan.topics) {
    if (auto done = change_settings(tree, zk::kTopicConfigs, topic, {settings.begin(), settings.end()});
        !done)
      return error_of(done.error());
  }
  const std::string rate = std::to_string(bytes_per_second);
  for (const auto broker : plan.brokers) {
    if (auto done = change_settings(tree, zk::kBrokerConfigs, std::to_string(broker),
                                    {{std::string(kLeaderRate), rate}, {std::string(kFollowerRate), rate}});
        !done)
      return error_of(done.error());
  }
  fmt::print("The inter-broker throttle limit was set to {} B/s\n", bytes_per_second);
  return {};
}

base::Status execute_by_tree(Tree& tree, const Options& options) {
  const auto placements = placements_of(options);
  if (!placements) return error_of(placements.error());
  if (const auto fault = placements_fault(*placements); !fault.empty()) return error_of(fault);
  if (auto status = no_log_dirs(*placements); !status) return status;
  const auto throttle = options.number("throttle");
  if (!throttle) return error_of(throttle.error());
  Assignments proposed;
  std::set<std::string> topics;
  for (const auto& placement : *placements) {
    proposed[placement.partition] = placement.replicas;
    topics.insert(placement.partition.topic);
  }
  auto standing = assignments_in(tree, topics);
  if (!standing) return error_of(standing.error());
  if (auto status = check_goals(tree, proposed, *standing); !status) return status;
  const std::string node(zk::kReassignPath);
  if (tree.exists(node)) return terse(std::string(kReassignmentExists));
  std::erase_if(*standing, [&](const auto& entry) { return !proposed.contains(entry.first); });
  print_standing(*standing);
  if (throttle->value_or(-1) >= 0) {
    if (auto status = throttle_by_tree(tree, throttle_plan({}, proposed, *standing), **throttle); !status)
      return status;
  }
  const auto created = tree.call(zkclient::Op::create(node, zk::encode_reassignment(proposed)));
  if (!created.ok()) return error_of(zk_error(created));
  print_started(proposed);
  return {};
}

base::Status clear_by_tree(Tree& tree, const std::vector<Placement>& placements) {
  const auto alive = tree.brokers();
  if (!alive) return error_of(alive.error());
  std::set<std::int32_t> ids;
  for (const auto& broker : *alive) ids.insert(broker.id);
  const auto [brokers, topics] = throttled_entities(std::move(ids), placements);
  print_clearing(brokers);
  for (const auto broker : brokers) {
    if (auto done = change_settings(tree, zk::kBrokerConfigs, std::to_string(broker),
                                    {{std::string(kLeaderRate), std::nullopt},
                                     {std::string(kFollowerRate), std::nullopt},
                                     {std::string(kLogDirRate), std::nullopt}});
        !done)
      return error_of(done.error());
  }
  print_clearing(topics);
  for (const auto& topic : topics) {
    if (auto done = change_settings(
            tree, zk::kTopicConfigs, topic,
            {{std::string(kLeaderReplicas), std::nullopt}, {std::string(kFollowerReplicas), std::nullopt}});
        !done)
      return error_of(done.error());
  }
  return {};
}

base::Status verify_by_tree(Tree& tree, const Options& options) {
  const auto placements = placements_of(options);
  if (!placements) return error_of(placements.error());
  if (auto status = no_log_dirs(*placements); !status) return status;
  fmt::print(
      "Warning: because you are using the deprecated --zookeeper option, the results may be incomplete.  Use "
      "--bootstrap-server instead for more accurate results.\n");
  const auto node = tree.data(std::string(zk::kReassignPath));
  if (!node) return error_of(node.error());
  std::set<zk::TopicPartition> moving;
  if (*node) {
    const auto goals = zk::decode_reassignment(**node);
    if (!goals) return error_of(goals.error());
    for (const auto& [partition, replicas] : *goals) moving.insert(partition);
  }
  std::set<std::string> topics;
  for (const auto& placement : *placements) topics.insert(placement.partition.topic);
  const auto standing = assignments_in(tree, topics);
  if (!standing) return error_of(standing.error());
  print_move_states(*placements, moving, *standing, "complete");
  if (!moving.empty() || options.has("preserve-throttles")) return {};
  return clear_by_tree(tree, *placements);
}

}  // namespace

int reassign_by_zookeeper(const Options& options) {
  for (const auto name : kOnlyByBrokers) {
    if (!options.has(name)) continue;
    fmt::print(stderr, "You must specify --bootstrap-server when using \"[{}]\"\n", name);
    return 1;
  }
  fmt::print("Warning: --zookeeper is deprecated, and will be removed in a future version of Kafka.\n");
  const auto tree = Tree::open(options.get_or("zookeeper", ""));
  base::Status done = tree ? base::Status() : error_of(tree.error());
  if (done && options.has("generate")) done = generate_by_tree(**tree, options);
  if (done && options.has("execute")) done = execute_by_tree(**tree, options);
  if (done && options.has("verify")) done = verify_by_tree(**tree, options);
  if (done) return 0;
  fmt::print("{}\n", done.error().context);
  return 1;
}

}  // namespace tandem::tools::kafka
