#include "tools/kafka/configs.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "broker/protocol/messages/describe_configs.h"
#include "broker/protocol/messages/incremental_alter_configs.h"
#include "tools/kafka/admin.h"
#include "tools/kafka/commands.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace {

constexpr std::string_view kConfigsName = "kafka-configs.sh";
constexpr auto kConfigsOptions = std::to_array<Option>({
    kBootstrapServer,
    kCommandConfig,
    {"alter", "", "Change configuration."},
    {"describe", "", "Show configuration."},
    {"all", "", "With --describe: also what was not changed."},
    {"entity-type", "topics|brokers|broker-loggers", "What kind of thing to configure."},
    {"entity-name", "name", "Which one."},
    {"entity-default", "", "The default of all brokers."},
    {"topic", "name", "Short for --entity-type topics --entity-name."},
    {"broker", "id", "Short for --entity-type brokers --entity-name."},
    {"broker-defaults", "", "Short for --entity-type brokers --entity-default."},
    {"broker-logger", "id", "Short for --entity-type broker-loggers --entity-name."},
    {"zookeeper", "urls", "The tree, to change it without the brokers as Kafka 2.7: topics, and brokers."},
    {"user", "name", "Not supported yet, as are --client and --ip: quotas and SCRAM credentials."},
    {"client", "name", "Not supported yet."},
    {"ip", "address", "Not supported yet."},
    {"user-defaults", "", "Not supported yet."},
    {"client-defaults", "", "Not supported yet."},
    {"ip-defaults", "", "Not supported yet."},
    {"add-config", "k1=v1,k2=[a,b]", "Values to set."},
    {"add-config-file", "file", "Values to set, from a properties file."},
    {"delete-config", "k1,k2", "Values to take away."},
    {"force", "", "Accepted; nothing is asked."},
    kHelp,
    kVersion,
});

constexpr std::array kTypes = {EntityType{"topics", 2, 1}, EntityType{"brokers", 4, 2},
                               EntityType{"broker-loggers", 8, 0}};
constexpr std::int8_t kDynamicDefaultBroker = 3;
constexpr std::array<std::string_view, 8> kSources = {"UNKNOWN",
                                                      "DYNAMIC_TOPIC_CONFIG",
                                                      "DYNAMIC_BROKER_CONFIG",
                                                      "DYNAMIC_DEFAULT_BROKER_CONFIG",
                                                      "STATIC_BROKER_CONFIG",
                                                      "DEFAULT_CONFIG",
                                                      "DYNAMIC_BROKER_LOGGER_CONFIG",
                                                      "DYNAMIC_CLIENT_METRICS_CONFIG"};
constexpr std::int8_t kSet = 0;
constexpr std::int8_t kDelete = 1;

// Entities of Apache's tool whose broker side is not there yet.
bool is_unsupported(const Options& options) {
  for (const char* option : {"user", "client", "ip", "user-defaults", "client-defaults", "ip-defaults"})
    if (options.has(option)) return true;
  const std::string type = options.get_or("entity-type", "");
  return type == "users" || type == "clients" || type == "ips" || type == "client-metrics";
}

base::Result<Entity> entity_of(const Options& options) {
  for (const auto& [option, type] :
       {std::pair{"topic", 0}, std::pair{"broker", 1}, std::pair{"broker-logger", 2}})
    if (const auto name = options.get(option)) return Entity{kTypes[static_cast<std::size_t>(type)], *name};
  if (options.has("broker-defaults")) return Entity{kTypes[1], ""};
  const auto type = options.get("entity-type");
  if (!type)
    return base::make_error(base::Errc::invalid_argument,
                            "At least one entity type must be specified: --entity-type");
  const auto row =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const EntityType& t) { return t.plural == *type; });
  if (row == kTypes.end())
    return base::make_error(
        base::Errc::invalid_argument,
        "Invalid entity type {}, the entity type must be one of topics, brokers, broker-loggers", *type);
  if (options.has("entity-default")) return Entity{*row, ""};
  return Entity{*row, options.get("entity-name")};
}

base::Result<Connection*> connection_for(Admin& admin, const Entity& entity, const std::string& name) {
  if (entity.type.resource == 2 || name.empty()) return admin.any();
  const auto id = parse_number(name);
  if (!id)
    return base::make_error(base::Errc::invalid_argument,
                            "The entity name for {} must be a valid integer broker id, found: {}",
                            entity.type.plural, name);
  if (const auto nodes = admin.nodes(); !nodes) return nodes.error();
  return admin.node(static_cast<std::int32_t>(*id));
}

using Config = protocol::DescribeConfigsResponse::DescribeConfigsResourceResult;

base::Result<std::vector<Config>> configs_of(Admin& admin, const Entity& entity, const std::string& name,
                                             bool all) {
  const auto connection = connection_for(admin, entity, name);
  if (!connection) return connection.error();
  protocol::DescribeConfigsRequest request;
  request.include_synonyms = true;
  request.resources.push_back({.resource_type = entity.type.resource, .resource_name = name});
  const auto response = (*connection)->call(request);
  if (!response) return response.error();
  const std::int8_t source =
      entity.type.resource == 4 && name.empty() ? kDynamicDefaultBroker : entity.type.dynamic_source;
  std::vector<Config> configs;
  for (const auto& result : response->results) {
    if (result.error_code != ErrorCode::none)
      return base::make_error(base::Errc::unavailable, "{}",
                              words_of(result.error_code, result.error_message));
    for (const auto& config : result.configs)
      if (all || source == 0 || config.config_source == source) configs.push_back(config);
  }
  std::sort(configs.begin(), configs.end(), [](const Config& a, const Config& b) { return a.name < b.name; });
  return configs;
}

void print_config(const Config& config) {
  const auto source_name = [](std::int8_t source) {
    return kSources[source >= 0 && static_cast<std::size_t>(source) < kSources.size()
                        ? static_cast<std::size_t>(source)
                        : 0];
  };
  std::vector<std::string> synonyms;
  for (const auto& synonym : config.synonyms)
    synonyms.push_back(
        fmt::format("{}:{}={}", source_name(synonym.source), synonym.name, synonym.value.value_or("null")));
  fmt::print("  {}={} sensitive={} synonyms={{{}}}\n", config.name, config.value.value_or("null"),
             config.is_sensitive, join(synonyms, ", "));
}

base::Status describe(Admin& admin, const Options& options, const Entity& entity) {
  std::vector<std::string> names;
  if (entity.name) {
    names.push_back(*entity.name);
  } else if (entity.type.resource == 2) {
    const auto seen = admin.metadata(std::nullopt);
    if (!seen) return seen.error();
    for (const auto& topic : seen->topics) names.push_back(topic.name.value_or(""));
    std::sort(names.begin(), names.end());
  } else {
    const auto nodes = admin.nodes();
    if (!nodes) return nodes.error();
    for (const Node& node : *nodes) names.push_back(std::to_string(node.id));
    names.emplace_back();
  }
  const std::string_view one = entity.type.plural.substr(0, entity.type.plural.size() - 1);
  for (const std::string& name : names) {
    if (name.empty()) {
      fmt::print("Default configs for {} in the cluster are:\n", entity.type.plural);
    } else {
      fmt::print("{} configs for {} {} are:\n", options.has("all") ? "All" : "Dynamic", one, name);
    }
    const auto configs = configs_of(admin, entity, name, options.has("all"));
    if (!configs) return configs.error();
    for (const Config& config : *configs) print_config(config);
  }
  return {};
}

base::Status alter(Admin& admin, const Options& options, const Entity& entity) {
  const auto added = configs_to_add(options);
  if (!added) return added.error();
  const std::string name = entity.name.value_or("");
  const auto before = configs_of(admin, entity, name, false);
  if (!before) return before.error();

  protocol::IncrementalAlterConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = entity.type.resource;
  resource.resource_name = name;
  for (const auto& [key, value] : *added)
    resource.configs.push_back({.name = key, .config_operation = kSet, .value = value});
  std::vector<std::string> unknown;
  for (const std::string& key : configs_to_delete(options)) {
    if (std::none_of(before->begin(), before->end(), [&](const Config& c) { return c.name == key; }))
      unknown.push_back(key);
    resource.configs.push_back({.name = key, .config_operation = kDelete, .value = ""});
  }
  if (!unknown.empty())
    return base::make_error(base::Errc::invalid_argument, "Invalid config(s): {}", join(unknown, ","));
  const auto connection = connection_for(admin, entity, name);
  if (!connection) return connection.error();
  const auto response = (*connection)->call(request);
  if (!response) return response.error();
  for (const auto& result : response->responses)
    if (result.error_code != ErrorCode::none)
      return base::make_error(base::Errc::unavailable, "org.apache.kafka.common.errors.{}: {}",
                              protocol::error_info(result.error_code).exception,
                              words_of(result.error_code, result.error_message));
  if (name.empty()) {
    fmt::print("Completed updating default config for {} in the cluster.\n", entity.type.plural);
  } else {
    fmt::print("Completed updating config for {} {}.\n",
               entity.type.plural.substr(0, entity.type.plural.size() - 1), name);
  }
  return {};
}

base::Status configs_by_brokers(const Options& options, const Entity& entity) {
  auto admin = open_admin(options);
  if (!admin) return admin.error();
  return options.has("alter") ? alter(*admin, options, entity) : describe(*admin, options, entity);
}

std::string broken_rule(const Options& options, const base::Result<Entity>& entity) {
  if (options.has("alter") == options.has("describe"))
    return "Command must include exactly one action: --describe, --alter";
  if (is_unsupported(options))
    return "Quotas and SCRAM credentials (entity types users, clients, ips, client-metrics) are not "
           "supported yet";
  if (options.has("zookeeper")) return broken_tree_rule(options, entity);
  if (!options.has("bootstrap-server"))
    return "One of the required --bootstrap-server arguments must be specified";
  if (!entity) return entity.error().context;
  if (options.has("alter") && !entity->name)
    return "an entity-name or default entity must be specified with --alter of topics, brokers, "
           "broker-loggers";
  if (options.has("alter") && !options.has("add-config") && !options.has("add-config-file") &&
      !options.has("delete-config"))
    return "At least one of --add-config, --add-config-file, or --delete-config must be specified with "
           "--alter";
  return "";
}

}  // namespace

base::Result<std::vector<std::pair<std::string, std::string>>> configs_to_add(const Options& options) {
  std::vector<std::pair<std::string, std::string>> added;
  if (const auto file = options.get("add-config-file")) {
    std::ifstream in(*file);
    if (!in) return base::make_error(base::Errc::not_found, "{} (No such file or directory)", *file);
    for (std::string line; std::getline(in, line);) {
      const std::size_t equals = line.find('=');
      if (line.starts_with('#') || equals == std::string::npos) continue;
      added.emplace_back(trim(line.substr(0, equals)), trim(line.substr(equals + 1)));
    }
  }
  const std::string text = options.get_or("add-config", "");
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t equals = text.find('=', at);
    if (equals == std::string::npos)
      return base::make_error(
          base::Errc::invalid_argument,
          "requirement failed: Invalid entity config: all configs to be added must be in the "
          "format \"key=val\".");
    std::size_t start = equals + 1;
    std::size_t end = std::min(text.find(',', start), text.size());
    std::size_t next = end + 1;
    if (start < text.size() && text[start] == '[') {
      end = std::min(text.find(']', start), text.size());
      ++start;
      next = std::min(text.find(',', end), text.size()) + 1;
    }
    added.emplace_back(trim(text.substr(at, equals - at)), trim(text.substr(start, end - start)));
    at = next;
  }
  return added;
}

std::vector<std::string> configs_to_delete(const Options& options) {
  const std::string text = options.get_or("delete-config", "");
  if (text.empty()) return {};
  std::vector<std::string> keys = split(text, ',');
  for (std::string& key : keys) key = std::string(trim(key));
  return keys;
}

int configs(const Invocation& invocation) {
  if (invocation.args.empty())
    return wrong_usage("This tool helps to manipulate and describe entity config for a topic or broker",
                       kConfigsName, kConfigsOptions);
  const auto options = Options::parse(kConfigsOptions, invocation.args);
  if (!options) return wrong_usage(options.error().context, kConfigsName, kConfigsOptions);
  if (options->has("help"))
    return wrong_usage("This tool helps to manipulate and describe entity config for a topic or broker",
                       kConfigsName, kConfigsOptions);
  if (options->has("version")) return print_version();
  const auto entity = entity_of(*options);
  if (const std::string broken = broken_rule(*options, entity); !broken.empty())
    return wrong_usage(broken, kConfigsName, kConfigsOptions);
  const base::Status done = options->has("zookeeper") ? configs_by_zookeeper(*options, *entity)
                                                      : configs_by_brokers(*options, *entity);
  if (done) return 0;
  if (done.error().code != base::Errc::invalid_argument)
    fmt::print(stderr, "Error while executing config command with args '{}'\n", join(invocation.args, " "));
  fmt::print(stderr, "{}\n", done.error().context);
  return 1;
}

}  // namespace tandem::tools::kafka
