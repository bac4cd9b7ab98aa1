// Kafka's small text files: "0\n<count>\n<line>..." (offset checkpoints, leader epochs), and the three others
// that a log directory holds: partition.metadata, meta.properties and .kafka_cleanshutdown. Pure: text in,
// values out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "broker/protocol/uuid.h"

namespace tandem::broker::log {

base::Result<std::vector<std::string>> parse_text_checkpoint(std::string_view contents,
                                                             std::string_view path);
std::string format_text_checkpoint(const std::vector<std::string>& lines);
// The blank-separated numbers of a line; empty when one is malformed.
std::vector<std::int64_t> numbers_of(std::string_view line);

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
};

using OffsetCheckpoint = std::map<TopicPartition, std::int64_t>;
base::Result<OffsetCheckpoint> parse_offset_checkpoint(std::string_view contents, std::string_view path);
std::string format_offset_checkpoint(const OffsetCheckpoint& offsets);

std::string format_partition_metadata(const protocol::Uuid& id);
base::Result<protocol::Uuid> parse_partition_metadata(std::string_view contents, std::string_view path);

struct MetaProperties {
  std::int32_t broker_id = -1;
  std::string cluster_id;
  std::string directory_id;  // 3.7+; kept when there
};
base::Result<MetaProperties> parse_meta_properties(std::string_view contents, std::string_view path);
// `comment` is the date line that Java writes ("#Sun Nov 22 04:00:00 UTC 2026").
std::string format_meta_properties(const MetaProperties& properties, std::string_view comment);

// The content of .kafka_cleanshutdown from 3.9 on; older ones are empty.
std::string format_clean_shutdown(std::int64_t broker_epoch);

}  // namespace tandem::broker::log
