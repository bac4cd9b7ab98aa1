#include "broker/zk/topics.h"

#include <algorithm>
#include <charconv>

#include "broker/zk/json.h"
#include "broker/zk/map_order.h"

namespace tandem::broker::zk {
namespace {

using Partitions = std::map<std::int32_t, ReplicaAssignment>;

Replicas without(Replicas list, const Replicas& taken) {
  std::erase_if(list,
                [&](auto broker) { return std::find(taken.begin(), taken.end(), broker) != taken.end(); });
  return list;
}

void write_lists(JsonWriter& json, std::string_view key, const Partitions& partitions,
                 Replicas ReplicaAssignment::*member, bool with_empty) {
  std::vector<std::string> keys;
  for (const auto& [partition, assignment] : partitions) {
    if (with_empty || !(assignment.*member).empty()) keys.push_back(std::to_string(partition));
  }
  json.key(key).begin();
  for (const auto& name : scala_mutable_order(std::move(keys))) {
    std::int32_t partition = 0;
    std::from_chars(name.data(), name.data() + name.size(), partition);
    json.key(name).numbers(partitions.at(partition).*member);
  }
  json.end();
}

base::Status read_lists(const JsonObject& topic, std::string_view key, Partitions& out,
                        Replicas ReplicaAssignment::*member, bool creates) {
  if (!topic.has(key)) return {};
  const auto lists = topic.object(key);
  if (!lists) return lists.error();
  for (const auto& name : lists->keys()) {
    std::int32_t partition = -1;
    const auto [end, fault] = std::from_chars(name.data(), name.data() + name.size(), partition);
    if (fault != std::errc() || end != name.data() + name.size() || partition < 0) {
      return lists->wrong(name, "a partition number");
    }
    const auto replicas = lists->i32_list(name);
    if (!replicas) return replicas.error();
    if (creates) {
      out[partition].*member = *replicas;
    } else if (const auto at = out.find(partition); at != out.end()) {
      at->second.*member = *replicas;
    }
  }
  return {};
}

}  // namespace

Replicas ReplicaAssignment::origin() const { return without(replicas, adding); }

Replicas ReplicaAssignment::target() const { return without(replicas, removing); }

ReplicaAssignment ReplicaAssignment::moving_to(const Replicas& goal) const {
  const Replicas before = origin();
  ReplicaAssignment next;
  for (const auto* list : {&goal, &before}) {
    for (const auto broker : *list) {
      if (std::find(next.replicas.begin(), next.replicas.end(), broker) == next.replicas.end()) {
        next.replicas.push_back(broker);
      }
    }
  }
  next.adding = without(next.replicas, before);
  next.removing = without(next.replicas, goal);
  return next;
}

std::string encode_topic(const TopicAssignment& topic) {
  JsonWriter json;
  json.begin();
  write_lists(json, "partitions", topic.partitions, &ReplicaAssignment::replicas, true);
  if (!is_none(topic.id)) json.key("topic_id").text(topic_id_text(topic.id));
  write_lists(json, "adding_replicas", topic.partitions, &ReplicaAssignment::adding, false);
  write_lists(json, "removing_replicas", topic.partitions, &ReplicaAssignment::removing, false);
  json.key("version").number(3).end();
  return json.take();
}

base::Result<TopicAssignment> decode_topic(std::string_view name, std::string_view text) {
  const auto json = JsonObject::parse(fmt::format("/brokers/topics/{}", name), text);
  if (!json) return json.error();
  TopicAssignment topic;
  if (json->has("topic_id")) {
    const auto id_text = json->text("topic_id");
    if (!id_text) return id_text.error();
    const auto id = topic_id_from_text(*id_text);
    if (!id) return json->wrong("topic_id", "a topic id");
    topic.id = *id;
  }
  using Member = Replicas ReplicaAssignment::*;
  constexpr std::pair<std::string_view, Member> kLists[] = {
      {"partitions", &ReplicaAssignment::replicas},
      {"adding_replicas", &ReplicaAssignment::adding},
      {"removing_replicas", &ReplicaAssignment::removing}};
  for (const auto& [key, member] : kLists) {
    const auto read = read_lists(*json, key, topic.partitions, member, key == "partitions");
    if (!read) return read.error();
  }
  return topic;
}

std::string encode_state(const PartitionState& state) {
  JsonWriter json;
  json.begin().key("controller_epoch").number(state.controller_epoch);
  json.key("leader").number(state.leader).key("version").number(1);
  if (state.recovery != LeaderRecovery::recovered) {
    json.key("leader_recovery_state").number(static_cast<int>(state.recovery));
  }
  json.key("leader_epoch").number(state.leader_epoch).key("isr").numbers(state.isr).end();
  return json.take();
}

base::Result<PartitionState> decode_state(const TopicPartition& partition, std::string_view text,
                                          std::int32_t znode_version) {
  const auto json = JsonObject::parse(fmt::format("state of {}", partition.text()), text);
  if (!json) return json.error();
  const auto leader = json->i32("leader");
  const auto leader_epoch = json->i32("leader_epoch");
  const auto controller_epoch = json->i32("controller_epoch");
  const auto recovery = json->i32_or("leader_recovery_state", 0);
  for (const auto* number : {&leader, &leader_epoch, &controller_epoch, &recovery}) {
    if (!*number) return number->error();
  }
  auto isr = json->i32_list("isr");
  if (!isr) return isr.error();
  if (*recovery != 0 && *recovery != 1) return json->wrong("leader_recovery_state", "0 or 1");
  return PartitionState{*leader,           *leader_epoch,
                        std::move(*isr),   static_cast<LeaderRecovery>(*recovery),
                        *controller_epoch, znode_version};
}

}  // namespace tandem::broker::zk
