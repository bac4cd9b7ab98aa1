#include "broker/config/topic_config.h"

#include "broker/config/value_fault.h"

#include <algorithm>

namespace tandem::broker::config {

namespace {

using conf::recognised;
using conf::setting;
using conf::State;
using conf::Type;
using T = TopicConfig;

constexpr std::int64_t kHourMs = 3600 * 1000;
constexpr std::int64_t kMinuteMs = 60 * 1000;

std::vector<conf::Setting> storage_rows() {
  return {
      setting("cleanup.policy", &T::cleanup_policy,
              {.doc = "What happens to old records.",
               .one_of = {"compact", "delete"},
               .synonyms = {"log.cleanup.policy"}}),
      setting("compression.type", &T::compression_type,
              {.doc = "How batches are stored.",
               .one_of = {"uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"},
               .synonyms = {"compression.type"}}),
      setting("compression.gzip.level", &T::compression_gzip_level,
              {.doc = "Level of gzip.", .min = -1, .max = 9, .synonyms = {"compression.gzip.level"}}),
      setting("compression.lz4.level", &T::compression_lz4_level,
              {.doc = "Level of lz4.", .min = 1, .max = 17, .synonyms = {"compression.lz4.level"}}),
      setting("compression.zstd.level", &T::compression_zstd_level,
              {.doc = "Level of zstd.", .min = -131072, .max = 22, .synonyms = {"compression.zstd.level"}}),
      setting(
          "delete.retention.ms", &T::delete_retention_ms,
          {.doc = "How long tombstones stay.", .min = 0, .synonyms = {"log.cleaner.delete.retention.ms"}}),
      setting("file.delete.delay.ms", &T::file_delete_delay_ms,
              {.doc = "How long files of deleted segments stay.",
               .min = 0,
               .synonyms = {"log.segment.delete.delay.ms"}}),
      setting("flush.messages", &T::flush_messages,
              {.doc = "Records after which the log is forced to disk.",
               .min = 1,
               .synonyms = {"log.flush.interval.messages"}}),
      setting("flush.ms", &T::flush_ms,
              {.doc = "Time after which the log is forced to disk.",
               .min = 0,
               .synonyms = {"log.flush.interval.ms", "log.flush.scheduler.interval.ms"}}),
      setting(
          "index.interval.bytes", &T::index_interval_bytes,
          {.doc = "Bytes of log between index entries.", .min = 0, .synonyms = {"log.index.interval.bytes"}}),
      setting("retention.bytes", &T::retention_bytes,
              {.doc = "How large a partition may grow.", .synonyms = {"log.retention.bytes"}}),
      setting("retention.ms", &T::retention_ms,
              {.doc = "How long records stay.",
               .min = -1,
               .synonyms = {"log.retention.ms", "log.retention.minutes", "log.retention.hours"}}),
      setting("segment.bytes", &T::segment_bytes,
              {.doc = "Size at which a segment ends.", .min = 14, .synonyms = {"log.segment.bytes"}}),
      setting("segment.index.bytes", &T::segment_index_bytes,
              {.doc = "The largest index.", .min = 4, .synonyms = {"log.index.size.max.bytes"}}),
      setting("segment.jitter.ms", &T::segment_jitter_ms,
              {.doc = "Random part taken off segment.ms.",
               .min = 0,
               .synonyms = {"log.roll.jitter.ms", "log.roll.jitter.hours"}}),
      setting(
          "segment.ms", &T::segment_ms,
          {.doc = "Age at which a segment ends.", .min = 1, .synonyms = {"log.roll.ms", "log.roll.hours"}}),
      setting("preallocate", &T::preallocate,
              {.doc = "Whether segments are preallocated.",
               .state = State::accepted,
               .synonyms = {"log.preallocate"}}),
  };
}

std::vector<conf::Setting> message_rows() {
  return {
      setting("max.message.bytes", &T::max_message_bytes,
              {.doc = "The largest batch.", .min = 0, .synonyms = {"message.max.bytes"}}),
      setting("message.downconversion.enable", &T::message_downconversion_enable,
              {.doc = "Whether old fetch versions get their formats.",
               .synonyms = {"log.message.downconversion.enable"}}),
      setting(
          "message.format.version", &T::message_format_version,
          {.doc = "The format of records before protocol 3.0.", .synonyms = {"log.message.format.version"}}),
      setting("message.timestamp.after.max.ms", &T::message_timestamp_after_max_ms,
              {.doc = "How far ahead a producer's time may be.",
               .min = 0,
               .synonyms = {"log.message.timestamp.after.max.ms"}}),
      setting("message.timestamp.before.max.ms", &T::message_timestamp_before_max_ms,
              {.doc = "How far behind a producer's time may be.",
               .min = 0,
               .synonyms = {"log.message.timestamp.before.max.ms"}}),
      setting("message.timestamp.difference.max.ms", &T::message_timestamp_difference_max_ms,
              {.doc = "Both in one; older name.",
               .min = 0,
               .synonyms = {"log.message.timestamp.difference.max.ms"}}),
      setting("message.timestamp.type", &T::message_timestamp_type,
              {.doc = "Whose time a record has.",
               .one_of = {"CreateTime", "LogAppendTime"},
               .synonyms = {"log.message.timestamp.type"}}),
      setting("min.insync.replicas", &T::min_insync_replicas,
              {.doc = "Replicas in sync for acks=all.", .min = 1, .synonyms = {"min.insync.replicas"}}),
      setting(
          "unclean.leader.election.enable", &T::unclean_leader_election_enable,
          {.doc = "Whether a replica out of sync may lead.", .synonyms = {"unclean.leader.election.enable"}}),
  };
}

bool is_throttled_replica(std::string_view word) {
  const auto digits = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  const auto colon = word.find(':');
  return colon != std::string_view::npos && digits(word.substr(0, colon)) && digits(word.substr(colon + 1));
}

std::optional<std::string> throttled_list_fault(std::string_view value) {
  std::vector<std::string> words;
  if (value == "*" || value.empty()) return std::nullopt;
  if (conf::fields::parse(value, {}, words) && std::all_of(words.begin(), words.end(), is_throttled_replica))
    return std::nullopt;
  return "must be the literal '*' or a list of replicas in the following format: "
         "[partitionId]:[brokerId],[partitionId]:[brokerId],...";
}

std::vector<conf::Setting> cleaner_rows() {
  const auto later = State::accepted;
  return {
      setting("max.compaction.lag.ms", &T::max_compaction_lag_ms,
              {.doc = "Compaction.",
               .min = 1,
               .state = later,
               .synonyms = {"log.cleaner.max.compaction.lag.ms"}}),
      setting("min.compaction.lag.ms", &T::min_compaction_lag_ms,
              {.doc = "Compaction.",
               .min = 0,
               .state = later,
               .synonyms = {"log.cleaner.min.compaction.lag.ms"}}),
      setting("min.cleanable.dirty.ratio", &T::min_cleanable_dirty_ratio,
              {.doc = "Compaction.",
               .min = 0,
               .max = 1,
               .state = later,
               .synonyms = {"log.cleaner.min.cleanable.ratio"}}),
      setting(
          "follower.replication.throttled.replicas", &T::follower_replication_throttled_replicas,
          {.doc = "Replicas that fetch no more than follower.replication.throttled.rate: partition:broker "
                  "with commas, or *.",
           .refuse = throttled_list_fault}),
      setting("leader.replication.throttled.replicas", &T::leader_replication_throttled_replicas,
              {.doc = "Replicas that send followers no more than leader.replication.throttled.rate: "
                      "partition:broker with commas, or *.",
               .refuse = throttled_list_fault}),
      recognised("local.retention.bytes", Type::int64, "-2",
                 {.doc = "Tiered storage.", .state = later, .synonyms = {"log.local.retention.bytes"}}),
      recognised("local.retention.ms", Type::int64, "-2",
                 {.doc = "Tiered storage.", .state = later, .synonyms = {"log.local.retention.ms"}}),
      recognised("remote.storage.enable", Type::boolean, "false", {.doc = "Tiered storage.", .state = later}),
      recognised("remote.log.copy.disable", Type::boolean, "false",
                 {.doc = "Tiered storage.", .state = later}),
      recognised("remote.log.delete.on.disable", Type::boolean, "false",
                 {.doc = "Tiered storage.", .state = later}),
  };
}

// Hours can be more than 64 bits of milliseconds.
std::int64_t times(std::int64_t value, std::int64_t unit_ms) {
  return value > INT64_MAX / unit_ms ? INT64_MAX : value * unit_ms;
}

std::int64_t retention_of(const BrokerConfig& broker) {
  std::int64_t ms = 0;
  if (broker.log_retention_ms) {
    ms = *broker.log_retention_ms;
  } else if (broker.log_retention_minutes) {
    ms = times(*broker.log_retention_minutes, kMinuteMs);
  } else {
    ms = times(broker.log_retention_hours, kHourMs);
  }
  return ms < 0 ? -1 : ms;
}

}  // namespace

TopicTable make_topic_table() {
  std::vector<conf::Setting> rows;
  for (const auto part : {storage_rows, message_rows, cleaner_rows}) {
    for (conf::Setting& row : part()) rows.push_back(std::move(row));
  }
  return TopicTable(std::move(rows));
}

TopicConfig topic_defaults(const BrokerConfig& broker) {
  TopicConfig topic;
  topic.cleanup_policy = broker.log_cleanup_policy;
  topic.compression_type = broker.compression_type;
  topic.compression_gzip_level = broker.compression_gzip_level;
  topic.compression_lz4_level = broker.compression_lz4_level;
  topic.compression_zstd_level = broker.compression_zstd_level;
  topic.file_delete_delay_ms = broker.log_segment_delete_delay_ms;
  topic.flush_messages = broker.log_flush_interval_messages;
  topic.flush_ms = broker.log_flush_interval_ms.value_or(broker.log_flush_scheduler_interval_ms);
  topic.index_interval_bytes = broker.log_index_interval_bytes;
  topic.max_message_bytes = broker.message_max_bytes;
  topic.message_downconversion_enable = broker.log_message_downconversion_enable;
  topic.message_format_version = broker.log_message_format_version;
  topic.message_timestamp_after_max_ms = broker.log_message_timestamp_after_max_ms;
  topic.message_timestamp_before_max_ms = broker.log_message_timestamp_before_max_ms;
  topic.message_timestamp_difference_max_ms = broker.log_message_timestamp_difference_max_ms;
  topic.message_timestamp_type = broker.log_message_timestamp_type;
  topic.min_insync_replicas = broker.min_insync_replicas;
  topic.retention_bytes = broker.log_retention_bytes;
  topic.retention_ms = retention_of(broker);
  topic.segment_bytes = broker.log_segment_bytes;
  topic.segment_index_bytes = broker.log_index_size_max_bytes;
  topic.segment_jitter_ms = broker.log_roll_jitter_ms.value_or(times(broker.log_roll_jitter_hours, kHourMs));
  topic.segment_ms = broker.log_roll_ms.value_or(times(broker.log_roll_hours, kHourMs));
  topic.unclean_leader_election_enable = broker.unclean_leader_election_enable;
  return topic;
}

TopicConfig topic_config(const TopicTable& table, const BrokerConfig& broker, const Overrides& overrides) {
  TopicConfig topic = topic_defaults(broker);
  for (const auto& [key, value] : overrides) {
    TopicConfig changed = topic;
    if (table.set(changed, {key, value, "topic", 0})) topic = std::move(changed);
  }
  return topic;
}

base::Status check_topic_overrides(const TopicTable& table, const Overrides& overrides) {
  TopicConfig scratch;
  for (const auto& [key, value] : overrides) {
    const conf::Setting* setting = table.rows().find(key);
    if (setting == nullptr) {
      return base::make_error(base::Errc::unsupported, "Unknown topic config name: {}", key);
    }
    if (auto status = set_or_fault(*setting, value, &scratch); !status) return status;
  }
  if (scratch.max_compaction_lag_ms < scratch.min_compaction_lag_ms) {
    return base::make_error(
        base::Errc::unsupported,
        "conflict topic config setting min.compaction.lag.ms ({}) > max.compaction.lag.ms ({})",
        scratch.min_compaction_lag_ms, scratch.max_compaction_lag_ms);
  }
  return {};
}

}  // namespace tandem::broker::config
