// The settings of one log: the topic's keys with the broker's values below them. A plain value, filled by
// server/topic_config, handed to the log's owner thread whenever a key changes. Defaults are Kafka 3.9's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "broker/record/format.h"

namespace tandem::broker::log {

constexpr std::int64_t kNever = INT64_MAX;

// Partitions of a topic whose replica here is throttled.
struct ThrottledPartitions {
  bool all = false;
  std::vector<std::int32_t> partitions;
  bool contains(std::int32_t partition) const {
    return all || std::find(partitions.begin(), partitions.end(), partition) != partitions.end();
  }
  bool operator==(const ThrottledPartitions&) const = default;
};

struct LogConfig {
  std::int64_t segment_bytes = 1073741824;
  std::int64_t segment_ms = 604800000;
  std::int64_t segment_jitter_ms = 0;
  std::int64_t index_bytes_max = 10485760;  // segment.index.bytes
  std::int64_t index_interval_bytes = 4096;
  std::int64_t retention_ms = 604800000;  // -1: no limit
  std::int64_t retention_bytes = -1;      // -1: no limit
  std::int64_t file_delete_delay_ms = 60000;
  std::int64_t flush_messages = kNever;
  std::int64_t flush_ms = kNever;
  std::int64_t max_message_bytes = 1048588;
  std::int32_t min_insync_replicas = 1;
  bool cleanup_delete = true;
  bool cleanup_compact = false;
  std::int8_t message_format = 2;  // magic that the log stores
  record::TimestampType timestamp_type = record::TimestampType::create;
  std::int64_t timestamp_before_max_ms = kNever;
  std::int64_t timestamp_after_max_ms = kNever;
  std::optional<record::Codec> compression;  // nothing: as the producer sent it
  int compression_level = -1000;             // record::kDefaultLevel
  bool downconversion_enable = true;
  std::int64_t producer_id_expiration_ms = 86400000;
  ThrottledPartitions leader_throttled;
  ThrottledPartitions follower_throttled;

  bool operator==(const LogConfig&) const = default;
};

}  // namespace tandem::broker::log
