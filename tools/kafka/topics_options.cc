#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "tools/kafka/text.h"
#include "tools/kafka/topics.h"

namespace tandem::tools::kafka {

namespace {

constexpr auto kTopicsOptions = std::to_array<Option>({
    kBootstrapServer,
    kCommandConfig,
    {"zookeeper", "host:port/chroot", "Work through the coordination tree, as Kafka 2.7 and older."},
    {"create", "", "Create a new topic."},
    {"list", "", "List topics."},
    {"alter", "", "Add partitions; with --zookeeper also change the configuration."},
    {"describe", "", "Show partitions and configuration."},
    {"delete", "", "Delete topics."},
    {"topic", "name", "The topic; a regular expression except with --create."},
    {"topic-id", "id", "The topic's id, with --describe."},
    {"partitions", "number", "How many partitions to have."},
    {"replication-factor", "number", "How many replicas of each partition to have."},
    {"replica-assignment", "1:2,2:1", "The brokers of each partition."},
    {"config", "key=value", "A configuration value of the topic; may be repeated."},
    {"delete-config", "key", "Take a configuration value away (--zookeeper)."},
    {"if-exists", "", "Do nothing when the topic does not exist."},
    {"if-not-exists", "", "Do nothing when the topic exists."},
    {"exclude-internal", "", "Leave internal topics out."},
    {"under-replicated-partitions", "", "Only partitions with replicas out of sync."},
    {"unavailable-partitions", "", "Only partitions without a live leader."},
    {"under-min-isr-partitions", "", "Only partitions with fewer in-sync replicas than configured."},
    {"at-min-isr-partitions", "", "Only partitions with just as many in-sync replicas as configured."},
    {"topics-with-overrides", "", "Only topics with configuration of their own."},
    {"partition-size-limit-per-response", "number", "Accepted; answers are never cut."},
    {"disable-rack-aware", "", "Do not spread replicas over racks (--zookeeper)."},
    {"force", "", "Accepted; nothing is asked."},
    kHelp,
    kVersion,
});

constexpr auto kConflicts = std::to_array<Conflict>({
    {"config", {"list", "describe", "delete"}},
    {"partitions", {"list", "describe", "delete"}},
    {"replication-factor", {"list", "alter", "describe", "delete"}},
    {"replica-assignment", {"list", "describe", "delete"}},
    {"under-replicated-partitions", {"create", "list", "alter", "delete", "topics-with-overrides"}},
    {"under-min-isr-partitions", {"create", "list", "alter", "delete", "topics-with-overrides"}},
    {"at-min-isr-partitions", {"create", "list", "alter", "delete", "topics-with-overrides"}},
    {"unavailable-partitions", {"create", "list", "alter", "delete", "topics-with-overrides"}},
    {"topics-with-overrides", {"create", "list", "alter", "delete"}},
    {"if-exists", {"create", "list"}},
    {"if-not-exists", {"list", "alter", "describe", "delete"}},
    {"exclude-internal", {"create", "alter", "delete"}},
});
constexpr auto kCreateConflicts =
    std::to_array<Conflict>({{"replica-assignment", {"partitions", "replication-factor"}}});

}  // namespace

std::span<const Option> topics_options() { return kTopicsOptions; }

std::string topics_conflict(const Options& options) {
  const std::string conflict = first_conflict(options, kConflicts);
  return conflict.empty() && options.has("create") ? first_conflict(options, kCreateConflicts) : conflict;
}

int topics_failure(std::string_view message) {
  fmt::print("Error while executing topic command : {}\n", message);
  return 1;
}

base::Result<TopicConfigs> topic_configs(const Options& options) {
  TopicConfigs configs;
  for (const std::string& pair : options.all("config")) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || trim(pair.substr(equals + 1)).empty())
      return base::make_error(
          base::Errc::invalid_argument,
          "requirement failed: Invalid topic config: all configs to be added must be in the "
          "format \"key=val\".");
    configs.added[std::string(trim(pair.substr(0, equals)))] = trim(pair.substr(equals + 1));
  }
  configs.removed = options.all("delete-config");
  return configs;
}

base::Result<std::vector<std::vector<std::int32_t>>> replica_assignment(const Options& options) {
  std::vector<std::vector<std::int32_t>> assignment;
  const auto text = options.get("replica-assignment");
  if (!text || text->empty()) return assignment;
  for (const std::string& partition : split(*text, ',')) {
    std::vector<std::int32_t> replicas;
    for (const std::string& broker : split(partition, ':')) {
      const auto id = parse_number(trim(broker));
      if (!id) return base::make_error(base::Errc::invalid_argument, "For input string: \"{}\"", broker);
      if (std::find(replicas.begin(), replicas.end(), *id) != replicas.end())
        return base::make_error(base::Errc::invalid_argument,
                                "Partition replica lists may not contain duplicate entries: {}", *id);
      replicas.push_back(static_cast<std::int32_t>(*id));
    }
    if (!assignment.empty() && replicas.size() != assignment.front().size())
      return base::make_error(base::Errc::invalid_argument,
                              "Partition {} has different replication factor: [{}]", assignment.size(),
                              join(replicas, ", "));
    assignment.push_back(std::move(replicas));
  }
  return assignment;
}

std::string to_text(const PartitionLine& line) {
  return fmt::format("\tTopic: {}\tPartition: {}\tLeader: {}\tReplicas: {}\tIsr: {}", line.topic,
                     line.partition, line.leader < 0 ? "none" : std::to_string(line.leader),
                     join(line.replicas, ","), join(line.isr, ","));
}

PartitionFilter::PartitionFilter(const Options& options)
    : under_replicated(options.has("under-replicated-partitions")),
      unavailable(options.has("unavailable-partitions")),
      under_min_isr(options.has("under-min-isr-partitions")),
      at_min_isr(options.has("at-min-isr-partitions")) {}

bool PartitionFilter::wants(const PartitionLine& line, std::size_t replicas, int min_isr,
                            bool leader_is_alive) const {
  const bool led = line.leader >= 0;
  const int in_sync = static_cast<int>(line.isr.size());
  return (under_replicated && line.isr.size() < replicas) || (unavailable && (!led || !leader_is_alive)) ||
         (under_min_isr && (!led || in_sync < min_isr)) || (at_min_isr && in_sync == min_isr);
}

}  // namespace tandem::tools::kafka
