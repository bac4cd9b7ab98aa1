// Where everything lives in the tree: every path that a Kafka cluster uses (docs: Kafka 3.9 ZkData). Paths
// are inside the chroot, which the client prepends. `kPersistentPaths` must exist before a broker registers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/zk/names.h"

namespace tandem::broker::zk {

constexpr std::string_view kClusterIdPath = "/cluster/id";
constexpr std::string_view kBrokerIdsPath = "/brokers/ids";
constexpr std::string_view kSequenceIdPath = "/brokers/seqid";
constexpr std::string_view kTopicsPath = "/brokers/topics";
constexpr std::string_view kControllerPath = "/controller";
constexpr std::string_view kControllerEpochPath = "/controller_epoch";
constexpr std::string_view kConfigPath = "/config";
constexpr std::string_view kConfigChangesPath = "/config/changes";
constexpr std::string_view kConfigChangePrefix = "config_change_";
constexpr std::string_view kDeleteTopicsPath = "/admin/delete_topics";
constexpr std::string_view kReassignPath = "/admin/reassign_partitions";
constexpr std::string_view kPreferredElectionPath = "/admin/preferred_replica_election";
constexpr std::string_view kIsrChangesPath = "/isr_change_notification";
constexpr std::string_view kIsrChangePrefix = "isr_change_";
constexpr std::string_view kLogDirEventsPath = "/log_dir_event_notification";
constexpr std::string_view kLogDirEventPrefix = "log_dir_event_";
constexpr std::string_view kProducerIdBlockPath = "/latest_producer_id_block";
constexpr std::string_view kFeaturePath = "/feature";
constexpr std::string_view kMigrationPath = "/migration";
constexpr std::string_view kConsumersPath = "/consumers";

// The types of /config, as their znodes are called.
constexpr std::string_view kTopicConfigs = "topics";
constexpr std::string_view kBrokerConfigs = "brokers";

std::string broker_path(std::int32_t id);
std::string topic_path(std::string_view topic);
std::string topic_partitions_path(std::string_view topic);
std::string partition_path(const TopicPartition& partition);
std::string partition_state_path(const TopicPartition& partition);
std::string config_type_path(std::string_view type);
// `sanitized` is the entity name as the tree has it.
std::string config_path(std::string_view type, std::string_view sanitized);
std::string delete_topic_path(std::string_view topic);
std::string consumer_offset_path(std::string_view group, const TopicPartition& partition);

const std::vector<std::string_view>& persistent_paths();

// "/a/b/c" -> {"/a", "/a/b"}: what must exist before it can be created.
std::vector<std::string> ancestors(std::string_view path);
// The ten digits behind `prefix` in a sequential node's name.
std::optional<std::int64_t> sequence_of(std::string_view name, std::string_view prefix);

}  // namespace tandem::broker::zk
