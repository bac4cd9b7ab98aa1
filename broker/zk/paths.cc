#include "broker/zk/paths.h"

#include <fmt/core.h>

#include <charconv>

namespace tandem::broker::zk {

std::string broker_path(std::int32_t id) { return fmt::format("{}/{}", kBrokerIdsPath, id); }

std::string topic_path(std::string_view topic) { return fmt::format("{}/{}", kTopicsPath, topic); }

std::string topic_partitions_path(std::string_view topic) { return topic_path(topic) + "/partitions"; }

std::string partition_path(const TopicPartition& partition) {
  return fmt::format("{}/{}", topic_partitions_path(partition.topic), partition.partition);
}

std::string partition_state_path(const TopicPartition& partition) {
  return partition_path(partition) + "/state";
}

std::string config_type_path(std::string_view type) { return fmt::format("{}/{}", kConfigPath, type); }

std::string config_path(std::string_view type, std::string_view sanitized) {
  return fmt::format("{}/{}/{}", kConfigPath, type, sanitized);
}

std::string delete_topic_path(std::string_view topic) {
  return fmt::format("{}/{}", kDeleteTopicsPath, topic);
}

std::string consumer_offset_path(std::string_view group, const TopicPartition& partition) {
  return fmt::format("{}/{}/offsets/{}/{}", kConsumersPath, group, partition.topic, partition.partition);
}

const std::vector<std::string_view>& persistent_paths() {
  static const std::vector<std::string_view> paths = {
      kConsumersPath,    kBrokerIdsPath,  kTopicsPath,          kConfigChangesPath, kDeleteTopicsPath,
      kSequenceIdPath,   kIsrChangesPath, kProducerIdBlockPath, kLogDirEventsPath,  "/config/topics",
      "/config/clients", "/config/users", "/config/brokers",    "/config/ips",
  };
  return paths;
}

std::vector<std::string> ancestors(std::string_view path) {
  std::vector<std::string> out;
  for (auto at = path.find('/', 1); at != std::string_view::npos; at = path.find('/', at + 1)) {
    out.emplace_back(path.substr(0, at));
  }
  return out;
}

std::optional<std::int64_t> sequence_of(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  const auto digits = name.substr(prefix.size());
  std::int64_t sequence = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), sequence);
  if (digits.empty() || fault != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return sequence;
}

}  // namespace tandem::broker::zk
