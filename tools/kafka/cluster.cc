// kafka-cluster.sh, kafka-features.sh and kafka-broker-api-versions.sh: what a cluster says about itself.
#include <fmt/core.h>

#include <array>

#include "broker/protocol/messages/api_versions.h"
#include "tools/kafka/admin.h"
#include "tools/kafka/commands.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace {

// APIs of Kafka 3.9 that have no messages here; those with `client` are listed when the broker lacks them.
struct OtherApi {
  std::int16_t key;
  std::string_view name;
  std::int16_t version_max;
  bool client;
};
constexpr auto kOthers = std::to_array<OtherApi>({
    {52, "Vote", 0, false},
    {53, "BeginQuorumEpoch", 1, false},
    {54, "EndQuorumEpoch", 1, false},
    {55, "DescribeQuorum", 2, true},
    {58, "Envelope", 0, false},
    {59, "FetchSnapshot", 1, false},
    {62, "BrokerRegistration", 4, false},
    {63, "BrokerHeartbeat", 1, false},
    {64, "UnregisterBroker", 0, true},
    {68, "ConsumerGroupHeartbeat", 0, true},
    {69, "ConsumerGroupDescribe", 0, true},
    {70, "ControllerRegistration", 0, false},
    {71, "GetTelemetrySubscriptions", 0, true},
    {72, "PushTelemetry", 0, true},
    {73, "AssignReplicasToDirs", 0, false},
    {74, "ListClientMetricsResources", 0, true},
    {75, "DescribeTopicPartitions", 0, true},
    {76, "ShareGroupHeartbeat", 0, true},
    {77, "ShareGroupDescribe", 0, true},
    {78, "ShareFetch", 0, true},
    {79, "ShareAcknowledge", 0, true},
    {80, "AddRaftVoter", 0, true},
    {81, "RemoveRaftVoter", 0, true},
    {83, "InitializeShareGroupState", 0, true},
    {84, "ReadShareGroupState", 0, true},
    {85, "WriteShareGroupState", 0, true},
    {86, "DeleteShareGroupState", 0, true},
    {87, "ReadShareGroupStateSummary", 0, true},
});

std::string range_text(const VersionRange& range) {
  return range.min == range.max ? std::to_string(range.min) : fmt::format("{} to {}", range.min, range.max);
}

std::string api_line(std::int16_t key, std::string_view name, std::int16_t own_max,
                     const std::map<std::int16_t, VersionRange>& versions) {
  const auto found = versions.find(key);
  if (found == versions.end()) return fmt::format("\t{}({}): UNSUPPORTED", name, key);
  const std::int16_t usable = std::min(own_max, found->second.max);
  return fmt::format("\t{}({}): {} [usable: {}]", name, key, range_text(found->second),
                     usable >= found->second.min ? std::to_string(usable) : "none");
}

void print_versions(const Node& node, const std::map<std::int16_t, VersionRange>& versions) {
  std::map<std::int16_t, std::string> lines;
  for (const auto& api : protocol::all_apis()) {
    const auto key = static_cast<std::int16_t>(api.key);
    lines[key] = api_line(key, api.name, api.version_max, versions);
  }
  for (const OtherApi& other : kOthers)
    if (other.client || versions.contains(other.key))
      lines[other.key] = api_line(other.key, other.name, other.version_max, versions);
  for (const auto& [key, range] : versions)
    if (!lines.contains(key)) lines[key] = fmt::format("\tUNKNOWN({}): {}", key, range_text(range));
  fmt::print("{}:{} (id: {} rack: {}) -> (\n", node.host, node.port, node.id, node.rack.value_or("null"));
  std::size_t left = lines.size();
  for (const auto& [key, line] : lines) fmt::print("{}{}\n", line, --left > 0 ? "," : "");
  fmt::print(")\n");
}

int failed(const base::Error& error) {
  fmt::print(stderr, "{}\n", error.context);
  return 1;
}

// Subcommand first, then options: "cluster-id --bootstrap-server x". Apache's short spellings are taken too.
struct Subcommand {
  std::string name;
  base::Result<Options> options;
};

Subcommand parse_subcommand(const std::vector<std::string>& arguments, std::span<const Option> table) {
  Subcommand parsed{"", Options()};
  std::vector<std::string> rest;
  for (const std::string& word : arguments) {
    const bool is_value =
        !rest.empty() && rest.back().starts_with("--") && rest.back().find('=') == std::string::npos;
    if (word == "-b") {
      rest.emplace_back("--bootstrap-server");
    } else if (word == "-c") {
      rest.emplace_back("--config");
    } else if (word == "-i") {
      rest.emplace_back("--id");
    } else if (word == "-h") {
      rest.emplace_back("--help");
    } else if (!word.starts_with("-") && !is_value && parsed.name.empty()) {
      parsed.name = word;
    } else {
      rest.push_back(word);
    }
  }
  parsed.options = Options::parse(table, rest);
  return parsed;
}

}  // namespace

int broker_api_versions(const Invocation& invocation) {
  constexpr std::string_view name = "kafka-broker-api-versions.sh";
  static constexpr auto table = std::to_array<Option>({kBootstrapServer, kCommandConfig, kHelp, kVersion});
  const auto options = Options::parse(table, invocation.args);
  if (!options) return wrong_usage(options.error().context, name, table);
  if (options->has("help"))
    return wrong_usage("This tool helps to retrieve broker version information.", name, table);
  if (options->has("version")) return print_version();
  if (!options->has("bootstrap-server"))
    return wrong_usage("Missing required argument \"[bootstrap-server]\"", name, table);
  auto admin = open_admin(*options);
  if (!admin) return failed(admin.error());
  const auto nodes = admin->nodes();
  if (!nodes) return failed(nodes.error());
  for (const Node& node : *nodes) {
    const auto connection = admin->node(node.id);
    if (connection) {
      print_versions(node, (*connection)->versions());
    } else {
      fmt::print("{}:{} (id: {} rack: {}) -> ERROR: {}\n", node.host, node.port, node.id,
                 node.rack.value_or("null"), connection.error().context);
    }
  }
  return 0;
}

int cluster(const Invocation& invocation) {
  constexpr std::string_view name = "kafka-cluster.sh cluster-id|unregister";
  static constexpr auto table = std::to_array<Option>({kBootstrapServer,
                                                       {"config", "file", "A file of client properties."},
                                                       {"id", "number", "The broker to unregister."},
                                                       kHelp});
  const auto [command, options] = parse_subcommand(invocation.args, table);
  if (!options) return wrong_usage(options.error().context, name, table);
  if (options->has("help")) return wrong_usage("The Kafka cluster tool.", name, table), 0;
  if (command != "cluster-id" && command != "unregister")
    return wrong_usage(command.empty()
                           ? "kafka-cluster: error: too few arguments"
                           : fmt::format("kafka-cluster: error: invalid choice: '{}' (choose from "
                                         "'cluster-id', 'unregister')",
                                         command),
                       name, table);
  if (command == "unregister" && !options->has("id"))
    return wrong_usage("kafka-cluster: error: argument --id/-i is required", name, table);
  if (!options->has("bootstrap-server"))
    return wrong_usage("kafka-cluster: error: one of the arguments --bootstrap-server/-b is required", name,
                       table);
  auto admin = open_admin(*options);
  if (!admin) return failed(admin.error());
  const auto seen = admin->metadata(std::vector<std::string>{});
  if (!seen) return failed(seen.error());
  if (command == "unregister") {
    // Brokers that keep their cluster in a coordination service leave with their session.
    fmt::print("The target cluster does not support the broker unregistration API.\n");
    return 0;
  }
  if (seen->cluster_id) {
    fmt::print("Cluster ID: {}\n", *seen->cluster_id);
  } else {
    fmt::print("No cluster ID found. The Kafka version is probably too old.\n");
  }
  return 0;
}

int features(const Invocation& invocation) {
  constexpr std::string_view name = "kafka-features.sh describe";
  static constexpr auto table = std::to_array<Option>(
      {kBootstrapServer, {"command-config", "file", "A file of client properties."}, kHelp});
  const auto [command, options] = parse_subcommand(invocation.args, table);
  if (command == "upgrade" || command == "downgrade" || command == "disable") {
    fmt::print(stderr, "Could not {} features: a cluster on a coordination service has none to change.\n",
               command);
    return 1;
  }
  if (!options) return wrong_usage(options.error().context, name, table);
  if (options->has("help")) return wrong_usage("Describes feature flags.", name, table), 0;
  if (command != "describe")
    return wrong_usage(command.empty()
                           ? "kafka-features: error: too few arguments"
                           : fmt::format("kafka-features: error: invalid choice: '{}' (choose from "
                                         "'describe', 'upgrade', 'downgrade', 'disable')",
                                         command),
                       name, table);
  if (!options->has("bootstrap-server"))
    return wrong_usage("kafka-features: error: one of the arguments --bootstrap-server is required", name,
                       table);
  auto admin = open_admin(*options);
  if (!admin) return failed(admin.error());
  const auto connection = admin->any();
  if (!connection) return failed(connection.error());
  const auto response = (*connection)
                            ->call(protocol::ApiVersionsRequest{.client_software_name = "tandem",
                                                                .client_software_version = "0.1.0"});
  if (!response) return failed(response.error());
  const auto epoch = response->finalized_features_epoch;
  for (const auto& feature : response->supported_features) {
    std::int16_t level = 0;
    for (const auto& finalized : response->finalized_features)
      if (finalized.name == feature.name) level = finalized.max_version_level;
    fmt::print(
        "Feature: {}\tSupportedMinVersion: {}\tSupportedMaxVersion: {}\tFinalizedVersionLevel: {}\tEpoch: "
        "{}\n",
        feature.name, feature.min_version, feature.max_version, level,
        epoch >= 0 ? std::to_string(epoch) : "-");
  }
  return 0;
}

}  // namespace tandem::tools::kafka
