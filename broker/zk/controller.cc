#include "broker/zk/controller.h"

#include <charconv>

#include "broker/zk/json.h"

namespace tandem::broker::zk {

std::string encode_controller(std::int32_t broker, base::WallTime now) {
  JsonWriter json;
  json.begin().key("version").number(2).key("brokerid").number(broker);
  json.key("timestamp").text(std::to_string(now.ms)).key("kraftControllerEpoch").number(-1).end();
  return json.take();
}

base::Result<ControllerNode> decode_controller(std::string_view text) {
  const auto json = JsonObject::parse("/controller", text);
  if (!json) return json.error();
  const auto broker = json->i32("brokerid");
  const auto kraft = json->i32_or("kraftControllerEpoch", -1);
  if (!broker) return broker.error();
  if (!kraft) return kraft.error();
  return ControllerNode{*broker, *kraft};
}

base::Result<std::int32_t> decode_controller_epoch(std::string_view text) {
  std::int32_t epoch = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), epoch);
  if (fault != std::errc() || end != text.data() + text.size()) {
    return base::make_error(base::Errc::corrupt, "/controller_epoch is not a number");
  }
  return epoch;
}

std::string encode_cluster_id(std::string_view id) {
  JsonWriter json;
  json.begin().key("version").text("1").key("id").text(id).end();
  return json.take();
}

base::Result<std::string> decode_cluster_id(std::string_view text) {
  const auto json = JsonObject::parse("/cluster/id", text);
  if (!json) return json.error();
  return json->text("id");
}

std::string encode_producer_ids(const ProducerIdBlock& block) {
  JsonWriter json;
  json.begin().key("version").number(1).key("broker").number(block.broker);
  json.key("block_start")
      .text(std::to_string(block.first))
      .key("block_end")
      .text(std::to_string(block.last))
      .end();
  return json.take();
}

base::Result<ProducerIdBlock> decode_producer_ids(std::string_view text) {
  const auto json = JsonObject::parse("/latest_producer_id_block", text);
  if (!json) return json.error();
  const auto broker = json->i32("broker");
  const auto first = json->i64_text("block_start");
  const auto last = json->i64_text("block_end");
  if (!broker) return broker.error();
  if (!first) return first.error();
  if (!last) return last.error();
  if (*first < 0 || *last < *first) return json->wrong("block_end", "the end of the block");
  return ProducerIdBlock{*broker, *first, *last};
}

std::string encode_feature(const FeatureNode& node) {
  JsonWriter json;
  json.begin().key("features").begin();
  for (const auto& [name, level] : node.features) {
    json.key(name).begin();
    if (node.version == 1) json.key("min_version_level").number(1);
    json.key("max_version_level").number(level).end();
  }
  json.end().key("version").number(node.version).key("status").number(node.enabled ? 1 : 0).end();
  return json.take();
}

base::Result<FeatureNode> decode_feature(std::string_view text) {
  const auto json = JsonObject::parse("/feature", text);
  if (!json) return json.error();
  const auto version = json->i32("version");
  const auto status = json->i32("status");
  if (!version) return version.error();
  if (!status) return status.error();
  if (*version < 1 || *version > 2) return json->wrong("version", "1 or 2");
  if (*status != 0 && *status != 1) return json->wrong("status", "0 or 1");
  FeatureNode node{*version, *status == 1, {}};
  const auto features = json->object("features");
  if (!features) return features.error();
  for (const auto& name : features->keys()) {
    const auto levels = features->object(name);
    if (!levels) return levels.error();
    const auto level = levels->i32("max_version_level");
    if (!level) return level.error();
    if (*level < 1) return levels->wrong("max_version_level", "a level from 1 on");
    node.features.emplace(name, *level);
  }
  return node;
}

}  // namespace tandem::broker::zk
