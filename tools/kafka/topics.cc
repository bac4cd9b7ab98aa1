#include "tools/kafka/topics.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <set>

#include "broker/protocol/messages/create_partitions.h"
#include "broker/protocol/messages/create_topics.h"
#include "broker/protocol/messages/delete_topics.h"
#include "broker/protocol/messages/describe_configs.h"
#include "broker/protocol/messages/list_partition_reassignments.h"
#include "broker/zk/map_order.h"
#include "tools/kafka/admin.h"
#include "tools/kafka/commands.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace {

constexpr std::int32_t kRequestTimeoutMs = 60'000;
constexpr std::int8_t kTopicResource = 2;
constexpr std::int8_t kDefaultSource = 5;

base::Result<std::vector<std::string>> topic_names(Admin& admin, const Options& options) {
  const auto seen = admin.metadata(std::nullopt);
  if (!seen) return seen.error();
  std::vector<std::string> names;
  for (const auto& topic : seen->topics)
    if (topic.name && !(options.has("exclude-internal") && is_internal_topic(*topic.name)))
      names.push_back(*topic.name);
  std::sort(names.begin(), names.end());
  if (const auto pattern = options.get("topic")) return matching_topics(names, *pattern);
  return names;
}

// A topic that was named must be there, unless --if-exists.
base::Result<std::vector<std::string>> existing_topics(Admin& admin, const Options& options) {
  auto names = topic_names(admin, options);
  if (names && names->empty() && options.has("topic") && !options.has("if-exists"))
    return base::make_error(base::Errc::not_found, "Topic 'Optional[{}]' does not exist as expected",
                            *options.get("topic"));
  return names;
}

base::Status create(Admin& admin, const Options& options) {
  const auto configs = topic_configs(options);
  if (!configs) return configs.error();
  const auto assignment = replica_assignment(options);
  if (!assignment) return assignment.error();
  const auto partitions = options.number("partitions");
  if (!partitions) return partitions.error();
  const auto factor = options.number("replication-factor");
  if (!factor) return factor.error();
  const std::string name = *options.get("topic");
  if (has_collision_characters(name)) fmt::print("{}\n", kCollisionWarning);
  if (*factor && (**factor < 1 || **factor > INT16_MAX))
    return base::make_error(base::Errc::invalid_argument,
                            "The replication factor must be between 1 and {} inclusive", INT16_MAX);
  if (*partitions && **partitions < 1)
    return base::make_error(base::Errc::invalid_argument, "The partitions must be greater than 0");

  protocol::CreateTopicsRequest request;
  request.timeout_ms = kRequestTimeoutMs;
  auto& topic = request.topics.emplace_back();
  topic.name = name;
  topic.num_partitions = static_cast<std::int32_t>(partitions->value_or(-1));
  topic.replication_factor = static_cast<std::int16_t>(factor->value_or(-1));
  if (!assignment->empty()) {
    topic.num_partitions = -1;
    topic.replication_factor = -1;
  }
  for (std::size_t i = 0; i < assignment->size(); ++i)
    topic.assignments.push_back({static_cast<std::int32_t>(i), (*assignment)[i]});
  for (const auto& [key, value] : configs->added) topic.configs.push_back({key, value});

  const auto response = admin.ask_controller<protocol::CreateTopicsRequest>(request, [](const auto& answer) {
    return answer.topics.empty() ? ErrorCode::none : answer.topics.front().error_code;
  });
  if (!response) return response.error();
  for (const auto& result : response->topics) {
    if (result.error_code == ErrorCode::topic_already_exists && options.has("if-not-exists")) return {};
    if (result.error_code != ErrorCode::none)
      return base::make_error(base::Errc::invalid_argument, "{}",
                              words_of(result.error_code, result.error_message));
  }
  fmt::print("Created topic {}.\n", name);
  return {};
}

base::Status alter(Admin& admin, const Options& options) {
  const auto names = existing_topics(admin, options);
  if (!names) return names.error();
  if (names->empty()) return {};
  const auto assignment = replica_assignment(options);
  if (!assignment) return assignment.error();
  const auto partitions = options.number("partitions");
  if (!partitions) return partitions.error();
  const auto seen = admin.metadata(*names);
  if (!seen) return seen.error();

  protocol::CreatePartitionsRequest request;
  request.timeout_ms = kRequestTimeoutMs;
  for (const auto& known : seen->topics) {
    const std::size_t before = known.partitions.size();
    const auto more = static_cast<std::int64_t>(partitions->value_or(0)) - static_cast<std::int64_t>(before);
    const std::size_t placed = assignment->size() - std::min(assignment->size(), before);
    if (!assignment->empty() && more > 0 && static_cast<std::size_t>(more) != placed)
      return base::make_error(base::Errc::invalid_argument,
                              "Increasing the number of partitions by {} but {} assignments provided.", more,
                              placed);
    auto& topic = request.topics.emplace_back();
    topic.name = known.name.value_or("");
    topic.count = static_cast<std::int32_t>(partitions->value_or(0));
    for (std::size_t i = before; i < assignment->size(); ++i) {
      if (!topic.assignments) topic.assignments.emplace();
      topic.assignments->push_back({(*assignment)[i]});
    }
  }
  const auto response =
      admin.ask_controller<protocol::CreatePartitionsRequest>(request, [](const auto& answer) {
        return answer.results.empty() ? ErrorCode::none : answer.results.front().error_code;
      });
  if (!response) return response.error();
  for (const auto& result : response->results)
    if (result.error_code != ErrorCode::none)
      return base::make_error(base::Errc::invalid_argument, "{}",
                              words_of(result.error_code, result.error_message));
  return {};
}

base::Status list_topics(Admin& admin, const Options& options) {
  const auto names = topic_names(admin, options);
  if (!names) return names.error();
  fmt::print("{}\n", join(*names, "\n"));
  return {};
}

base::Status remove(Admin& admin, const Options& options) {
  const auto names = existing_topics(admin, options);
  if (!names) return names.error();
  if (names->empty()) return {};
  protocol::DeleteTopicsRequest request;
  request.timeout_ms = kRequestTimeoutMs;
  request.topic_names = *names;
  for (const std::string& name : *names) request.topics.push_back({.name = name});
  const auto response = admin.ask_controller<protocol::DeleteTopicsRequest>(request, [](const auto& answer) {
    return answer.responses.empty() ? ErrorCode::none : answer.responses.front().error_code;
  });
  if (!response) return response.error();
  for (const auto& result : response->responses)
    if (result.error_code != ErrorCode::none)
      return base::make_error(base::Errc::invalid_argument, "{}",
                              words_of(result.error_code, result.error_message));
  return {};
}

struct DescribedConfig {
  std::string changed;  // "k=v,k=v"
  int min_isr = 1;
};

base::Result<std::map<std::string, DescribedConfig>> describe_configs(Admin& admin,
                                                                      const std::vector<std::string>& names) {
  protocol::DescribeConfigsRequest request;
  for (const std::string& name : names)
    request.resources.push_back({.resource_type = kTopicResource, .resource_name = name});
  const auto connection = admin.any();
  if (!connection) return connection.error();
  const auto response = (*connection)->call(request);
  if (!response) return response.error();
  std::map<std::string, DescribedConfig> all;
  for (const auto& result : response->results) {
    if (result.error_code != ErrorCode::none)
      return base::make_error(base::Errc::unavailable, "{}",
                              words_of(result.error_code, result.error_message));
    DescribedConfig& described = all[result.resource_name];
    std::vector<std::int32_t> hashes;
    for (const auto& config : result.configs) hashes.push_back(broker::zk::java_string_hash(config.name));
    for (const auto at : java_hash_order(hashes)) {
      const auto& config = result.configs[at];
      if (config.name == "min.insync.replicas")
        described.min_isr = static_cast<int>(parse_number(config.value.value_or("1")).value_or(1));
      if (config.config_source == kDefaultSource || config.is_default) continue;
      if (!described.changed.empty()) described.changed += ',';
      described.changed += config.name + "=" + config.value.value_or("null");
    }
  }
  return all;
}

struct Moving {
  std::vector<std::int32_t> replicas, adding, removing;
};
using Reassignments = std::map<std::pair<std::string, std::int32_t>, Moving>;

// Empty where the brokers do not know the question.
Reassignments reassignments_of(Admin& admin, const protocol::MetadataResponse& seen) {
  protocol::ListPartitionReassignmentsRequest request;
  request.timeout_ms = kRequestTimeoutMs;
  request.topics.emplace();
  for (const auto& topic : seen.topics) {
    auto& asked = request.topics->emplace_back();
    asked.name = topic.name.value_or("");
    for (const auto& partition : topic.partitions)
      asked.partition_indexes.push_back(partition.partition_index);
  }
  Reassignments all;
  const auto response = admin.ask_controller<protocol::ListPartitionReassignmentsRequest>(
      request, [](const auto& answer) { return answer.error_code; });
  if (!response) return all;
  for (const auto& topic : response->topics)
    for (const auto& partition : topic.partitions)
      all[{topic.name, partition.partition_index}] = {partition.replicas, partition.adding_replicas,
                                                      partition.removing_replicas};
  return all;
}

// Replicas that a move is adding do not count.
std::size_t replication_factor(const PartitionLine& line, const Moving* moving) {
  return moving == nullptr ? line.replicas.size() : moving->replicas.size() - moving->adding.size();
}

std::string line_text(const PartitionLine& line, const Moving* moving) {
  std::string text = to_text(line);
  if (moving != nullptr)
    text += fmt::format("\tAdding Replicas: {}\tRemoving Replicas: {}", join(moving->adding, ","),
                        join(moving->removing, ","));
  return text + "\tElr: N/A\tLastKnownElr: N/A";
}

struct Description {
  const Options& options;
  PartitionFilter filter;
  std::set<std::int32_t> alive;
  Reassignments moving;

  void print(const protocol::MetadataResponse::MetadataResponseTopic& topic,
             const DescribedConfig& config) const;
};

void Description::print(const protocol::MetadataResponse::MetadataResponseTopic& topic,
                        const DescribedConfig& config) const {
  const std::string name = topic.name.value_or("");
  auto partitions = topic.partitions;
  std::sort(partitions.begin(), partitions.end(),
            [](const auto& a, const auto& b) { return a.partition_index < b.partition_index; });
  bool first = true;
  for (const auto& partition : partitions) {
    const PartitionLine line{name, partition.partition_index, partition.leader_id, partition.replica_nodes,
                             partition.isr_nodes};
    const auto found = moving.find({name, line.partition});
    const Moving* move = found == moving.end() ? nullptr : &found->second;
    const bool overrides_only = options.has("topics-with-overrides");
    if (first && !filter.any() && !(overrides_only && config.changed.empty())) {
      const std::string id = topic.topic_id.is_zero() ? "" : "\tTopicId: " + topic.topic_id.to_string();
      fmt::print("Topic: {}{}\tPartitionCount: {}\tReplicationFactor: {}\tConfigs: {}\n", name, id,
                 partitions.size(), replication_factor(line, move), config.changed);
    }
    first = false;
    if (overrides_only) continue;
    if (!filter.any() ||
        filter.wants(line, replication_factor(line, move), config.min_isr, alive.contains(line.leader)))
      fmt::print("{}\n", line_text(line, move));
  }
}

base::Status describe(Admin& admin, const Options& options) {
  protocol::MetadataResponse seen;
  if (const auto text = options.get("topic-id")) {
    if (!protocol::Uuid::parse(*text))
      return base::make_error(base::Errc::invalid_argument, "{} is not the id of a topic", *text);
    auto all = admin.metadata(std::nullopt);
    if (!all) return all.error();
    std::erase_if(all->topics, [&](const auto& topic) { return topic.topic_id.to_string() != *text; });
    if (all->topics.empty() && !options.has("if-exists"))
      return base::make_error(base::Errc::not_found, "TopicId '{}' does not exist as expected", *text);
    seen = std::move(*all);
  } else {
    const auto names = existing_topics(admin, options);
    if (!names) return names.error();
    auto some = admin.metadata(*names);
    if (!some) return some.error();
    seen = std::move(*some);
  }
  if (seen.topics.empty()) return {};
  std::vector<std::string> names;
  for (const auto& topic : seen.topics) {
    if (topic.error_code != ErrorCode::none && topic.partitions.empty())
      return base::make_error(base::Errc::unavailable, "{}", words_of(topic.error_code));
    names.push_back(topic.name.value_or(""));
  }
  const auto configs = describe_configs(admin, names);
  if (!configs) return configs.error();
  Description description{options, PartitionFilter(options), {}, reassignments_of(admin, seen)};
  for (const auto& broker : seen.brokers) description.alive.insert(broker.node_id);
  std::sort(seen.topics.begin(), seen.topics.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const auto& topic : seen.topics) {
    const auto config = configs->find(topic.name.value_or(""));
    description.print(topic, config == configs->end() ? DescribedConfig{} : config->second);
  }
  return {};
}

struct Action {
  std::string_view option;
  base::Status (*run)(Admin&, const Options&);
  bool needs_topic;
};

constexpr std::array kTopicActions = {
    Action{"create", create, true},      Action{"list", list_topics, false}, Action{"alter", alter, true},
    Action{"describe", describe, false}, Action{"delete", remove, true},
};

}  // namespace

int topics(const Invocation& invocation) {
  const auto table = topics_options();
  if (invocation.args.empty())
    return wrong_usage("Create, delete, describe, or change a topic.", kTopicsName, table);
  const auto options = Options::parse(table, invocation.args);
  if (!options) return wrong_usage(options.error().context, kTopicsName, table);
  if (options->has("help"))
    return wrong_usage("This tool helps to create, delete, describe, or change a topic.", kTopicsName, table);
  if (options->has("version")) return print_version();
  const auto count = std::count_if(kTopicActions.begin(), kTopicActions.end(),
                                   [&](const Action& action) { return options->has(action.option); });
  if (count != 1)
    return wrong_usage(
        "Command must include exactly one action: --list, --describe, --create, --alter or --delete",
        kTopicsName, table);
  const Action& action = *std::find_if(kTopicActions.begin(), kTopicActions.end(),
                                       [&](const Action& one) { return options->has(one.option); });
  if (options->has("bootstrap-server") == options->has("zookeeper"))
    return wrong_usage(options->has("zookeeper")
                           ? "Only one of --bootstrap-server or --zookeeper must be specified"
                           : "--bootstrap-server must be specified",
                       kTopicsName, table);
  if (action.needs_topic && !options->has("topic"))
    return wrong_usage("Missing required argument \"[topic]\"", kTopicsName, table);
  if (action.option == "alter" && options->has("replica-assignment") && !options->has("partitions"))
    return wrong_usage("The replicas of existing partitions are changed by kafka-reassign-partitions.sh",
                       kTopicsName, table);
  if (const std::string conflict = topics_conflict(*options); !conflict.empty())
    return wrong_usage(conflict, kTopicsName, table);
  if (options->has("zookeeper")) return topics_by_zookeeper(*options);
  if (action.option == "alter" && options->has("config"))
    return wrong_usage(
        "Option combination \"[[bootstrap-server], [config]]\" can't be used with option \"[alter]\" (the "
        "kafka-configs CLI supports altering topic configs with a --bootstrap-server option)",
        kTopicsName, table);
  if (action.option == "alter" && !options->has("partitions"))
    return wrong_usage("Missing required argument \"[partitions]\"", kTopicsName, table);
  auto admin = open_admin(*options);
  if (!admin) return topics_failure(admin.error().context);
  const auto done = action.run(*admin, *options);
  return done ? 0 : topics_failure(done.error().context);
}

}  // namespace tandem::tools::kafka
