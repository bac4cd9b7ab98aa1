#include "broker/api/log_config.h"

#include <algorithm>
#include <charconv>

#include "base/checksum.h"
#include "broker/record/compression.h"

namespace tandem::broker::api {

namespace {

struct Version {
  int major = 0;
  int minor = 0;
};

// The two leading numbers of "2.7", "3.0-IV1", "0.10.2".
Version parse_version(std::string_view text) {
  Version version;
  const char* end = text.data() + text.size();
  const auto [dot, code] = std::from_chars(text.data(), end, version.major);
  if (code == std::errc() && dot != end && *dot == '.') std::from_chars(dot + 1, end, version.minor);
  return version;
}

// From protocol 3.0 on the format is always v2; before, the topic says (KIP-724).
std::int8_t magic_of(const config::TopicConfig& topic, const config::BrokerConfig& broker) {
  if (parse_version(broker.inter_broker_protocol_version).major >= 3) return 2;
  const Version format = parse_version(topic.message_format_version);
  if (format.major > 0 || format.minor >= 11) return 2;
  return format.minor == 10 ? 1 : 0;
}

std::optional<record::Codec> codec_of(const std::string& name) {
  for (const auto codec :
       {record::Codec::gzip, record::Codec::snappy, record::Codec::lz4, record::Codec::zstd})
    if (name == record::to_string(codec)) return codec;
  if (name == "uncompressed") return record::Codec::none;
  return std::nullopt;  // "producer"
}

int level_of(const config::TopicConfig& topic, const std::optional<record::Codec>& codec) {
  if (codec == record::Codec::gzip) return topic.compression_gzip_level;
  if (codec == record::Codec::lz4) return topic.compression_lz4_level;
  if (codec == record::Codec::zstd) return topic.compression_zstd_level;
  return record::kDefaultLevel;
}

// The newer limits count where they are set, else the older one for both sides.
std::int64_t limit_of(std::int64_t newer, std::int64_t older) { return newer != INT64_MAX ? newer : older; }

// "partition:broker" words, those of this broker; "*" is all.
log::ThrottledPartitions throttled_here(const std::vector<std::string>& words, std::int32_t broker_id) {
  log::ThrottledPartitions out;
  for (const std::string_view word : words) {
    if (word == "*") out.all = true;
    const auto colon = word.find(':');
    if (colon == std::string_view::npos) continue;
    std::int32_t partition = -1;
    std::int32_t broker = -1;
    std::from_chars(word.data(), word.data() + colon, partition);
    std::from_chars(word.data() + colon + 1, word.data() + word.size(), broker);
    if (partition >= 0 && broker == broker_id) out.partitions.push_back(partition);
  }
  return out;
}

}  // namespace

log::LogConfig log_config(const config::TopicConfig& topic, const config::BrokerConfig& broker,
                          std::string_view topic_name, std::int32_t broker_id) {
  const auto has_policy = [&topic](std::string_view policy) {
    return std::find(topic.cleanup_policy.begin(), topic.cleanup_policy.end(), policy) !=
           topic.cleanup_policy.end();
  };
  log::LogConfig out;
  out.segment_bytes = topic.segment_bytes;
  out.segment_ms = topic.segment_ms;
  // Logs of different topics do not roll at the same moment.
  const std::int64_t jitter = std::min(topic.segment_jitter_ms, topic.segment_ms);
  out.segment_jitter_ms = jitter > 0 ? static_cast<std::int64_t>(base::crc32c(topic_name)) % jitter : 0;
  out.index_bytes_max = topic.segment_index_bytes;
  out.index_interval_bytes = topic.index_interval_bytes;
  out.retention_ms = topic.retention_ms;
  out.retention_bytes = topic.retention_bytes;
  out.file_delete_delay_ms = topic.file_delete_delay_ms;
  out.flush_messages = topic.flush_messages;
  out.flush_ms = topic.flush_ms;
  out.max_message_bytes = topic.max_message_bytes;
  out.min_insync_replicas = topic.min_insync_replicas;
  out.cleanup_delete = has_policy("delete");
  out.cleanup_compact = has_policy("compact");
  out.message_format = magic_of(topic, broker);
  out.timestamp_type = topic.message_timestamp_type == "LogAppendTime" ? record::TimestampType::log_append
                                                                       : record::TimestampType::create;
  out.timestamp_before_max_ms =
      limit_of(topic.message_timestamp_before_max_ms, topic.message_timestamp_difference_max_ms);
  out.timestamp_after_max_ms =
      limit_of(topic.message_timestamp_after_max_ms, topic.message_timestamp_difference_max_ms);
  out.compression = codec_of(topic.compression_type);
  out.compression_level = level_of(topic, out.compression);
  out.downconversion_enable = topic.message_downconversion_enable;
  out.producer_id_expiration_ms = broker.producer_id_expiration_ms;
  out.leader_throttled = throttled_here(topic.leader_replication_throttled_replicas, broker_id);
  out.follower_throttled = throttled_here(topic.follower_replication_throttled_replicas, broker_id);
  return out;
}

}  // namespace tandem::broker::api
