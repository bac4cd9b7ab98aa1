#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "base/random.h"
#include "broker/config/topic_config.h"
#include "broker/controller/topic_assign.h"
#include "broker/zk/configs.h"
#include "broker/zk/paths.h"
#include "broker/zk/topics.h"
#include "tools/kafka/text.h"
#include "tools/kafka/topics.h"
#include "tools/kafka/tree.h"

namespace tandem::tools::kafka {

namespace {

namespace zk = broker::zk;
using zkclient::Op;

constexpr std::int64_t kPartitionsDefault = 1;

base::Status check_config(const zk::Config& config) {
  const auto table = broker::config::make_topic_table();
  return broker::config::check_topic_overrides(table,
                                               broker::config::Overrides(config.begin(), config.end()));
}

base::Result<std::vector<std::string>> topic_names(Tree& tree, const Options& options) {
  auto names = tree.children(zk::kTopicsPath);
  if (!names) return names.error();
  if (options.has("exclude-internal"))
    std::erase_if(*names, [](const auto& name) { return is_internal_topic(name); });
  if (const auto pattern = options.get("topic")) return matching_topics(*names, *pattern);
  return names;
}

base::Result<std::vector<std::string>> existing_topics(Tree& tree, const Options& options) {
  auto names = topic_names(tree, options);
  if (names && names->empty() && options.has("topic") && !options.has("if-exists"))
    return base::make_error(base::Errc::not_found, "Topic '{}' does not exist as expected",
                            *options.get("topic"));
  return names;
}

base::Status check_new_name(Tree& tree, const std::string& name) {
  if (const auto fault = zk::topic_name_fault(name))
    return base::make_error(base::Errc::invalid_argument, "{}", *fault);
  const auto names = tree.children(zk::kTopicsPath);
  if (!names) return names.error();
  std::vector<std::string> colliding;
  for (const std::string& other : *names) {
    if (other == name)
      return base::make_error(base::Errc::already_exists, "Topic '{}' already exists.", name);
    if (zk::topic_names_collide(name, other)) colliding.push_back(other);
  }
  if (!colliding.empty())
    return base::make_error(base::Errc::invalid_argument, "Topic '{}' collides with existing topics: {}",
                            name, join(colliding, ", "));
  return {};
}

base::Result<zk::TopicAssignment> new_assignment(Tree& tree, const Options& options) {
  zk::TopicAssignment topic;
  const auto manual = replica_assignment(options);
  if (!manual) return manual.error();
  for (std::size_t i = 0; i < manual->size(); ++i)
    topic.partitions[static_cast<std::int32_t>(i)] = {(*manual)[i], {}, {}};
  if (!manual->empty()) return topic;
  const auto partitions = options.number("partitions");
  if (!partitions) return partitions.error();
  const auto factor = options.number("replication-factor");
  if (!factor) return factor.error();
  const auto brokers = tree.brokers();
  if (!brokers) return brokers.error();
  base::Random random(base::system_seed());
  const auto assigned = broker::controller::assign_replicas(
      *brokers,
      {.partitions = static_cast<std::int32_t>(partitions->value_or(kPartitionsDefault)),
       .replication_factor = static_cast<std::int32_t>(factor->value_or(1))},
      random);
  if (!assigned.error.ok())
    return base::make_error(base::Errc::invalid_argument, "{}", assigned.error.message);
  for (const auto& [partition, replicas] : assigned.partitions)
    topic.partitions[partition] = {replicas, {}, {}};
  return topic;
}

base::Status create(Tree& tree, const Options& options) {
  const std::string name = *options.get("topic");
  const auto configs = topic_configs(options);
  if (!configs) return configs.error();
  const zk::Config config(configs->added.begin(), configs->added.end());
  if (auto checked = check_config(config); !checked) return checked;
  if (has_collision_characters(name)) fmt::print("{}\n", kCollisionWarning);
  if (auto checked = check_new_name(tree, name); !checked) {
    if (checked.error().code == base::Errc::already_exists && options.has("if-not-exists")) return {};
    return checked;
  }
  const auto topic = new_assignment(tree, options);
  if (!topic) return topic.error();
  if (auto written = tree.write(zk::config_path(zk::kTopicConfigs, name), zk::encode_config(config));
      !written)
    return written;
  const auto created = tree.call(Op::create(zk::topic_path(name), zk::encode_topic(*topic)));
  if (!created.ok()) return zk_error(created);
  fmt::print("Created topic {}.\n", name);
  return {};
}

base::Status list(Tree& tree, const Options& options) {
  const auto names = topic_names(tree, options);
  if (!names) return names.error();
  for (const std::string& name : *names)
    fmt::print("{}{}\n", name, tree.exists(zk::delete_topic_path(name)) ? " - marked for deletion" : "");
  return {};
}

base::Status change_config(Tree& tree, const std::string& topic, const TopicConfigs& changes) {
  fmt::print(
      "WARNING: Altering topic configuration from this script has been deprecated and may be removed in "
      "future "
      "releases.\n         Going forward, please use kafka-configs.sh for this functionality\n");
  auto config = tree.config(zk::kTopicConfigs, topic);
  if (!config) return config.error();
  for (const auto& [key, value] : changes.added) {
    std::erase_if(*config, [&](const auto& pair) { return pair.first == key; });
    config->emplace_back(key, value);
  }
  for (const std::string& key : changes.removed)
    std::erase_if(*config, [&](const auto& pair) { return pair.first == key; });
  if (auto checked = check_config(*config); !checked) return checked;
  if (auto changed = tree.change_config(zk::kTopicConfigs, topic, *config); !changed) return changed;
  fmt::print("Updated config for topic {}.\n", topic);
  return {};
}

base::Status add_partitions(Tree& tree, const std::string& name, const Options& options,
                            std::int64_t wanted) {
  if (is_internal_topic(name))
    return base::make_error(base::Errc::invalid_argument,
                            "The number of partitions for the internal topic {} cannot be changed.", name);
  fmt::print(
      "WARNING: If partitions are increased for a topic that has a key, the partition logic or ordering of "
      "the "
      "messages will be affected\n");
  auto topic = tree.assignment(name);
  if (!topic) return topic.error();
  if (!*topic || (*topic)->partitions.empty())
    return base::make_error(base::Errc::not_found, "The topic {} does not exist", name);
  const auto had = static_cast<std::int64_t>((*topic)->partitions.size());
  if (wanted <= had)
    return base::make_error(
        base::Errc::invalid_argument,
        "The number of partitions for a topic can only be increased. Topic {} currently has {} "
        "partitions, {} would not be an increase.",
        name, had, wanted);
  const auto manual = replica_assignment(options);
  if (!manual) return manual.error();
  for (auto i = static_cast<std::size_t>(had); i < manual->size(); ++i)
    (*topic)->partitions[static_cast<std::int32_t>(i)] = {(*manual)[i], {}, {}};
  if (manual->size() <= static_cast<std::size_t>(had)) {
    const auto brokers = tree.brokers();
    if (!brokers) return brokers.error();
    const zk::Replicas& first = (*topic)->partitions.begin()->second.replicas;
    const auto start = std::find_if(brokers->begin(), brokers->end(),
                                    [&](const auto& broker) { return broker.id >= first.front(); });
    base::Random random(base::system_seed());
    const auto grown = broker::controller::assign_replicas(
        *brokers,
        {.partitions = static_cast<std::int32_t>(wanted - had),
         .replication_factor = static_cast<std::int32_t>(first.size()),
         .first_partition = static_cast<std::int32_t>(had),
         .start = start == brokers->end() ? 0 : static_cast<std::uint32_t>(start - brokers->begin())},
        random);
    if (!grown.error.ok()) return base::make_error(base::Errc::invalid_argument, "{}", grown.error.message);
    for (const auto& [partition, replicas] : grown.partitions)
      (*topic)->partitions[partition] = {replicas, {}, {}};
  }
  if (auto written = tree.write(zk::topic_path(name), zk::encode_topic(**topic)); !written) return written;
  fmt::print("Adding partitions succeeded!\n");
  return {};
}

base::Status alter(Tree& tree, const Options& options) {
  const auto names = existing_topics(tree, options);
  if (!names) return names.error();
  const auto changes = topic_configs(options);
  if (!changes) return changes.error();
  const auto partitions = options.number("partitions");
  if (!partitions) return partitions.error();
  for (const std::string& name : *names) {
    if (!changes->added.empty() || !changes->removed.empty()) {
      if (auto changed = change_config(tree, name, *changes); !changed) return changed;
    }
    if (*partitions) {
      if (auto added = add_partitions(tree, name, options, **partitions); !added) return added;
    }
  }
  return {};
}

struct TreeDescription {
  Tree& tree;
  const Options& options;
  PartitionFilter filter;
  std::set<std::int32_t> alive;

  base::Status print(const std::string& name) const;
  base::Status print_partitions(const std::string& name, const zk::TopicAssignment& topic,
                                std::string_view suffix) const;
};

base::Status TreeDescription::print(const std::string& name) const {
  const auto topic = tree.assignment(name);
  if (!topic) return topic.error();
  if (!*topic) {
    fmt::print("Topic {} doesn't exist!\n", name);
    return {};
  }
  const std::string_view suffix = tree.exists(zk::delete_topic_path(name)) ? "\tMarkedForDeletion: true" : "";
  const bool overrides_only = options.has("topics-with-overrides");
  if (!filter.any()) {
    const auto config = tree.config(zk::kTopicConfigs, name);
    if (!config) return config.error();
    std::vector<std::string> pairs;
    for (const auto& [key, value] : *config) pairs.push_back(key + "=" + value);
    const auto& partitions = (*topic)->partitions;
    if (!overrides_only || !pairs.empty())
      fmt::print("Topic: {}\tPartitionCount: {}\tReplicationFactor: {}\tConfigs: {}{}\n", name,
                 partitions.size(), partitions.empty() ? 0 : partitions.begin()->second.replicas.size(),
                 join(pairs, ","), suffix);
  }
  return overrides_only ? base::Status() : print_partitions(name, **topic, suffix);
}

base::Status TreeDescription::print_partitions(const std::string& name, const zk::TopicAssignment& topic,
                                               std::string_view suffix) const {
  for (const auto& [partition, replicas] : topic.partitions) {
    PartitionLine line{name, partition, zk::kNoLeader, replicas.replicas, {}};
    const auto data = tree.data(zk::partition_state_path({name, partition}));
    if (!data) return data.error();
    if (*data) {
      const auto state = zk::decode_state({name, partition}, **data, 0);
      if (!state) return state.error();
      line.leader = state->leader;
      line.isr = state->isr;
    }
    if (!filter.any() || filter.wants(line, line.replicas.size(), 1, alive.contains(line.leader)))
      fmt::print("{}{}\n", to_text(line), suffix);
  }
  return {};
}

base::Status describe(Tree& tree, const Options& options) {
  const auto names = existing_topics(tree, options);
  if (!names) return names.error();
  const auto brokers = tree.brokers();
  if (!brokers) return brokers.error();
  TreeDescription description{tree, options, PartitionFilter(options), {}};
  for (const auto& broker : *brokers) description.alive.insert(broker.id);
  for (const std::string& name : *names)
    if (auto printed = description.print(name); !printed) return printed;
  return {};
}

base::Status remove(Tree& tree, const Options& options) {
  const auto names = existing_topics(tree, options);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (is_internal_topic(name))
      return base::make_error(
          base::Errc::invalid_argument,
          "Topic {} is a kafka internal topic and is not allowed to be marked for deletion.", name);
    const auto marked = tree.call(Op::create(zk::delete_topic_path(name), std::nullopt));
    if (marked.error == jute::ErrorCode::node_exists) {
      fmt::print("Topic {} is already marked for deletion.\n", name);
      continue;
    }
    if (!marked.ok()) return base::make_error(base::Errc::unavailable, "Error while deleting topic {}", name);
    fmt::print(
        "Topic {} is marked for deletion.\nNote: This will have no impact if delete.topic.enable is not set "
        "to "
        "true.\n",
        name);
  }
  return {};
}

}  // namespace

int topics_by_zookeeper(const Options& options) {
  if (options.has("create") && !options.has("replica-assignment")) {
    for (const char* name : {"partitions", "replication-factor"})
      if (!options.has(name))
        return wrong_usage(fmt::format("Missing required argument \"[{}]\"", name), kTopicsName,
                           topics_options());
  }
  const auto tree = Tree::open(*options.get("zookeeper"));
  if (!tree) return topics_failure(tree.error().context);
  base::Status done;
  if (options.has("create")) done = create(**tree, options);
  if (options.has("list")) done = list(**tree, options);
  if (options.has("alter")) done = alter(**tree, options);
  if (options.has("describe")) done = describe(**tree, options);
  if (options.has("delete")) done = remove(**tree, options);
  return done ? 0 : topics_failure(done.error().context);
}

}  // namespace tandem::tools::kafka
