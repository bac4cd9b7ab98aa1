#include "tools/kafka/configs.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <memory>

#include "broker/config/settings.h"
#include "broker/zk/paths.h"
#include "tools/kafka/text.h"
#include "tools/kafka/tree.h"

namespace tandem::tools::kafka {

namespace {

namespace config = broker::config;
namespace zk = broker::zk;
using Changes = std::vector<std::pair<std::string, std::string>>;

// What may be set in the tree while the broker runs; Apache's tool leaves all else to the brokers.
constexpr std::array<std::string_view, 3> kRates = {"leader.replication.throttled.rate",
                                                    "follower.replication.throttled.rate",
                                                    "replica.alter.log.dirs.io.max.bytes.per.second"};
constexpr std::string_view kWhyByBrokers =
    "Broker configuration updates using ZooKeeper are supported for bootstrapping before brokers are started "
    "to enable encrypted password configs to be stored in ZooKeeper.";
constexpr std::string_view kMessageFormat = "message.format.version";

base::Error only(std::string sentence) { return {base::Errc::invalid_argument, std::move(sentence)}; }

bool is_of_topics(const Entity& entity) { return entity.type.plural == zk::kTopicConfigs; }

// As Apache's tool calls it.
std::string called(const Entity& entity) {
  if (!entity.name) return std::string(entity.type.plural);
  const std::string_view type = is_of_topics(entity) ? "topic" : entity.type.plural;
  return entity.name->empty() ? fmt::format("default {}", type) : fmt::format("{} '{}'", type, *entity.name);
}

std::string node_of(const Entity& entity) {
  const std::string name = entity.name.value_or("");
  if (is_of_topics(entity)) return zk::sanitize_entity(name);
  return name.empty() ? std::string(zk::kDefaultEntity) : name;
}

bool is_secret(std::string_view key) {
  return key.starts_with("password.encoder.") || key.ends_with(".password") || key.ends_with(".key") ||
         key.ends_with("sasl.jaas.config");
}

base::Status check_brokers_are_down(Tree& tree, const Entity& entity, const Changes& added) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : added)
    if (std::find(kRates.begin(), kRates.end(), key) == kRates.end()) keys.push_back(key);
  if (keys.empty()) return {};
  const auto brokers = tree.brokers();
  if (!brokers) return brokers.error();
  const auto is_meant = [&](const auto& broker) {
    return entity.name->empty() || std::to_string(broker.id) == *entity.name;
  };
  if (std::any_of(brokers->begin(), brokers->end(), is_meant)) {
    const std::string when = entity.name->empty()
                                 ? std::string("for default cluster if any broker is running")
                                 : fmt::format("when broker {} is running", *entity.name);
    return only(fmt::format(
        "requirement failed: --bootstrap-server option must be specified to update broker configs "
        "Set({}). {}. {}",
        join(keys, ", "), when, kWhyByBrokers));
  }
  for (const std::string& key : keys)
    if (is_secret(key))
      return only(fmt::format("{} is a secret: those of brokers cannot be stored in the tree yet", key));
  return {};
}

base::Status check_broker_configs(const zk::Config& configs, bool of_all) {
  const auto tables = std::make_shared<const config::Tables>();
  auto loaded = config::load(tables->broker, "zookeeper.connect=nowhere:2181\n", "kafka-configs", {});
  if (!loaded) return loaded.error();
  return config::Settings(tables, std::move(*loaded))
      .check_dynamic(config::Overrides(configs.begin(), configs.end()), of_all);
}

// In the words of the exceptions that Apache's tool lets through.
base::Status check_topic(Tree& tree, const std::string& topic, const zk::Config& configs) {
  if (!tree.exists(zk::topic_path(topic)))
    return base::make_error(
        base::Errc::not_found,
        "org.apache.kafka.common.errors.UnknownTopicOrPartitionException: Topic '{}' does not exist.", topic);
  const auto status = config::check_topic_overrides(config::make_topic_table(),
                                                    config::Overrides(configs.begin(), configs.end()));
  if (status) return {};
  if (status.error().code != base::Errc::invalid_argument) return only(status.error().context);
  return base::make_error(base::Errc::unsupported, "org.apache.kafka.common.config.ConfigException: {}",
                          status.error().context);
}

base::Status check_settings(Tree& tree, const Entity& entity, const zk::Config& configs) {
  if (is_of_topics(entity)) return check_topic(tree, *entity.name, configs);
  if (auto status = check_broker_configs(configs, entity.name->empty()); !status)
    return base::make_error(base::Errc::unsupported, "org.apache.kafka.common.config.ConfigException: {}",
                            status.error().context);
  return {};
}

base::Status alter_by_tree(Tree& tree, const Options& options, const Entity& entity) {
  const auto added = configs_to_add(options);
  if (!added) return added.error();
  for (const auto& [key, value] : *added)
    if (key == kMessageFormat)
      fmt::print(
          "WARNING: The configuration {}={} is specified. This configuration will be ignored if the version "
          "is "
          "newer than the inter.broker.protocol.version specified in the broker.\n",
          key, value);
  if (!is_of_topics(entity))
    if (auto status = check_brokers_are_down(tree, entity, *added); !status) return status;
  auto configs = tree.config(entity.type.plural, node_of(entity));
  if (!configs) return configs.error();
  const auto removed = configs_to_delete(options);
  std::vector<std::string> unknown;
  for (const std::string& key : removed) {
    const auto same = [&](const auto& pair) { return pair.first == key; };
    if (std::none_of(configs->begin(), configs->end(), same)) unknown.push_back(key);
  }
  if (!unknown.empty()) return only(fmt::format("Invalid config(s): {}", join(unknown, ",")));
  const auto erase = [&](const std::string& key) {
    std::erase_if(*configs, [&](const auto& pair) { return pair.first == key; });
  };
  for (const auto& [key, value] : *added) {
    erase(key);
    configs->emplace_back(key, value);
  }
  for (const std::string& key : removed) erase(key);
  if (auto status = check_settings(tree, entity, *configs); !status) return status;
  if (auto status = tree.change_config(entity.type.plural, node_of(entity), *configs); !status) return status;
  fmt::print("Completed updating config for entity: {}.\n", called(entity));
  return {};
}

base::Status describe_by_tree(Tree& tree, const Entity& entity) {
  std::vector<std::string> names;
  if (entity.name) {
    names.push_back(*entity.name);
  } else {
    auto found = tree.children(zk::config_type_path(entity.type.plural));
    if (!found) return found.error();
    names = std::move(*found);
    for (std::string& name : names)
      if (name == zk::kDefaultEntity) name.clear();
  }
  for (const std::string& name : names) {
    const Entity one{entity.type, name};
    const auto configs = tree.config(entity.type.plural, node_of(one));
    if (!configs) return configs.error();
    std::vector<std::string> pairs;
    for (const auto& [key, value] : *configs) pairs.push_back(key + "=" + value);
    fmt::print("Configs for {} are {}\n", called(one), join(pairs, ","));
  }
  return {};
}

}  // namespace

std::string broken_tree_rule(const Options& options, const base::Result<Entity>& entity) {
  const bool is_typed = options.has("entity-type") || entity.has_value();
  if (!is_typed) return "At least one entity type must be specified";
  if (!entity || (!is_of_topics(*entity) && entity->type.plural != zk::kBrokerConfigs))
    return fmt::format(
        "Invalid entity type {}, the entity type must be one of topics,clients,users,brokers with the "
        "--zookeeper argument",
        entity ? std::string(entity->type.plural) : options.get_or("entity-type", ""));
  if (options.has("bootstrap-server"))
    return "Only one of --bootstrap-server or --zookeeper must be specified";
  if (options.has("all")) return "--bootstrap-server must be specified for --all";
  if (!is_of_topics(*entity) && entity->name && !entity->name->empty() && !parse_number(*entity->name))
    return fmt::format("The entity name for brokers must be a valid integer broker id, but it is: {}",
                       *entity->name);
  if (!options.has("alter")) return "";
  if (!is_of_topics(*entity) && !entity->name)
    return "an entity-name or default entity must be specified with --alter of users, clients or brokers";
  if (is_of_topics(*entity) && entity->name.value_or("").empty())
    return "an entity name must be specified with --alter of topics";
  if (options.has("add-config") && options.has("add-config-file"))
    return "Only one of --add-config or --add-config-file must be specified";
  if (!options.has("add-config") && !options.has("add-config-file") && !options.has("delete-config"))
    return "At least one of --add-config, --add-config-file, or --delete-config must be specified with "
           "--alter";
  return "";
}

base::Status configs_by_zookeeper(const Options& options, const Entity& entity) {
  fmt::print(
      "Warning: --zookeeper is deprecated and will be removed in a future version of Kafka.\n"
      "Use --bootstrap-server instead to specify a broker to connect to.\n");
  const auto tree = Tree::open(options.get_or("zookeeper", ""));
  if (!tree) return tree.error();
  return options.has("alter") ? alter_by_tree(**tree, options, entity) : describe_by_tree(**tree, entity);
}

}  // namespace tandem::tools::kafka
