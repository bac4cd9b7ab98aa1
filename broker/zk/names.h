// Names and ids that znodes carry: topics, partitions, topic ids, and the rule that every name from outside
// passes (Kafka: [a-zA-Z0-9._-]{1,249}, not "." or ".."). Also the URL encoding of config entity names.
// A topic id is 16 bytes; its text is URL-safe base64 without padding (22 characters); all zero means none.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace tandem::broker::zk {

using TopicId = std::array<std::uint8_t, 16>;

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
  bool operator==(const TopicPartition&) const = default;
  std::string text() const { return topic + "-" + std::to_string(partition); }
};

std::string topic_id_text(const TopicId& id);
std::optional<TopicId> topic_id_from_text(std::string_view text);
inline bool is_none(const TopicId& id) { return id == TopicId{}; }

// Why `name` is not a topic name, as Kafka words it after "Topic name is invalid: "; nullopt when it is one.
std::optional<std::string> topic_name_fault(std::string_view name);
inline bool is_topic_name(std::string_view name) { return !topic_name_fault(name); }
// Two names that differ only in '.' and '_' share their metric name.
bool topic_names_collide(std::string_view a, std::string_view b);
bool has_collision_chars(std::string_view name);

constexpr std::string_view kDefaultEntity = "<default>";
std::string sanitize_entity(std::string_view name);
std::optional<std::string> desanitize_entity(std::string_view sanitized);

}  // namespace tandem::broker::zk
