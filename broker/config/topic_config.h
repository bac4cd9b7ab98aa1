// TopicConfig: the settings of one topic. A key's value is the topic's own, else that of the broker's
// synonym, else Kafka 3.9's default. A plain value, computed anew when either changes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "broker/config/broker_config.h"
#include "conf/table.h"

namespace tandem::broker::config {

struct TopicConfig {
  std::vector<std::string> cleanup_policy{"delete"};
  std::string compression_type = "producer";
  std::int32_t compression_gzip_level = -1;
  std::int32_t compression_lz4_level = 9;
  std::int32_t compression_zstd_level = 3;
  std::int64_t delete_retention_ms = 86400000;
  std::int64_t file_delete_delay_ms = 60000;
  std::int64_t flush_messages = INT64_MAX;
  std::int64_t flush_ms = INT64_MAX;
  std::int32_t index_interval_bytes = 4096;
  std::int64_t max_compaction_lag_ms = INT64_MAX;
  std::int32_t max_message_bytes = 1048588;
  bool message_downconversion_enable = true;
  std::string message_format_version = "3.0-IV1";
  std::int64_t message_timestamp_after_max_ms = INT64_MAX;
  std::int64_t message_timestamp_before_max_ms = INT64_MAX;
  std::int64_t message_timestamp_difference_max_ms = INT64_MAX;
  std::string message_timestamp_type = "CreateTime";
  double min_cleanable_dirty_ratio = 0.5;
  std::int64_t min_compaction_lag_ms = 0;
  std::int32_t min_insync_replicas = 1;
  bool preallocate = false;
  std::int64_t retention_bytes = -1;
  std::int64_t retention_ms = 604800000;
  std::int32_t segment_bytes = 1073741824;
  std::int32_t segment_index_bytes = 10485760;
  std::int64_t segment_jitter_ms = 0;
  std::int64_t segment_ms = 604800000;
  bool unclean_leader_election_enable = false;
  std::vector<std::string> leader_replication_throttled_replicas;
  std::vector<std::string> follower_replication_throttled_replicas;

  bool operator==(const TopicConfig&) const = default;
};

using TopicTable = conf::Table<TopicConfig>;
TopicTable make_topic_table();

// What a topic without settings of its own has on this broker.
TopicConfig topic_defaults(const BrokerConfig& broker);

using Overrides = std::map<std::string, std::string>;

// The topic's settings; an override that is not valid (written by an older or newer broker) is passed over.
TopicConfig topic_config(const TopicTable& table, const BrokerConfig& broker, const Overrides& overrides);

// Why these may not become a topic's settings, in Kafka's words: Errc::invalid_argument for a value that its
// setting does not take, Errc::unsupported for an unknown key and for settings that contradict each other.
base::Status check_topic_overrides(const TopicTable& table, const Overrides& overrides);

}  // namespace tandem::broker::config
