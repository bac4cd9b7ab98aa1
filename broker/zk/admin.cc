#include "broker/zk/admin.h"

#include <charconv>

#include "broker/zk/json.h"

namespace tandem::broker::zk {
namespace {

base::Result<TopicPartition> read_partition(const JsonObject& entry) {
  const auto topic = entry.text("topic");
  const auto partition = entry.i32("partition");
  if (!topic) return topic.error();
  if (!partition) return partition.error();
  if (!is_topic_name(*topic)) return entry.wrong("topic", "a topic name");
  if (*partition < 0) return entry.wrong("partition", "a partition number");
  return TopicPartition{*topic, *partition};
}

}  // namespace

std::string encode_reassignment(const std::map<TopicPartition, Replicas>& targets) {
  JsonWriter json;
  json.begin().key("version").number(1).key("partitions").begin_list();
  for (const auto& [partition, replicas] : targets) {
    json.begin().key("topic").text(partition.topic).key("partition").number(partition.partition);
    json.key("replicas").numbers(replicas).end();
  }
  json.end_list().end();
  return json.take();
}

base::Result<std::map<TopicPartition, Replicas>> decode_reassignment(std::string_view text) {
  const auto json = JsonObject::parse("/admin/reassign_partitions", text);
  if (!json) return json.error();
  const auto entries = json->objects("partitions");
  if (!entries) return entries.error();
  std::map<TopicPartition, Replicas> out;
  for (const auto& entry : *entries) {
    auto partition = read_partition(entry);
    if (!partition) return partition.error();
    auto replicas = entry.i32_list("replicas");
    if (!replicas) return replicas.error();
    out[std::move(*partition)] = std::move(*replicas);
  }
  return out;
}

std::string encode_partitions(const std::vector<TopicPartition>& partitions) {
  JsonWriter json;
  json.begin().key("version").number(1).key("partitions").begin_list();
  for (const auto& partition : partitions) {
    json.begin().key("topic").text(partition.topic).key("partition").number(partition.partition).end();
  }
  json.end_list().end();
  return json.take();
}

base::Result<std::vector<TopicPartition>> decode_partitions(std::string_view what, std::string_view text) {
  const auto json = JsonObject::parse(what, text);
  if (!json) return json.error();
  const auto entries = json->objects("partitions");
  if (!entries) return entries.error();
  std::vector<TopicPartition> out;
  for (const auto& entry : *entries) {
    auto partition = read_partition(entry);
    if (!partition) return partition.error();
    out.push_back(std::move(*partition));
  }
  return out;
}

std::string encode_log_dir_event(std::int32_t broker) {
  JsonWriter json;
  json.begin().key("version").number(1).key("broker").number(broker).key("event").number(1).end();
  return json.take();
}

base::Result<std::int32_t> decode_log_dir_event(std::string_view text) {
  const auto json = JsonObject::parse("/log_dir_event_notification", text);
  if (!json) return json.error();
  return json->i32("broker");
}

base::Result<std::int64_t> decode_consumer_offset(std::string_view text) {
  std::int64_t offset = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (fault != std::errc() || end != text.data() + text.size()) {
    return base::make_error(base::Errc::corrupt, "an offset under /consumers is not a number");
  }
  return offset;
}

}  // namespace tandem::broker::zk
