#include "broker/zk/configs.h"

#include <algorithm>

#include "broker/zk/json.h"
#include "broker/zk/map_order.h"

namespace tandem::broker::zk {

std::string encode_config(const Config& config) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : config) keys.push_back(key);
  JsonWriter json;
  json.begin().key("version").number(1).key("config").begin();
  for (const auto& key : properties_order(std::move(keys))) {
    const auto at =
        std::find_if(config.begin(), config.end(), [&](const auto& entry) { return entry.first == key; });
    json.key(key).text(at->second);
  }
  json.end().end();
  return json.take();
}

base::Result<Config> decode_config(std::string_view what, std::string_view text) {
  if (text.empty()) return Config{};
  const auto json = JsonObject::parse(what, text);
  if (!json) return json.error();
  Config out;
  if (!json->has("config")) return out;
  const auto config = json->object("config");
  if (!config) return config.error();
  for (auto& key : config->keys()) {
    const auto value = config->text(key);
    if (!value) return value.error();
    out.emplace_back(std::move(key), *value);
  }
  return out;
}

std::string encode_config_change(const ConfigChange& change) {
  JsonWriter json;
  json.begin().key("version").number(2).key("entity_path").text(change.type + "/" + change.entity).end();
  return json.take();
}

base::Result<ConfigChange> decode_config_change(std::string_view text) {
  const auto json = JsonObject::parse("/config/changes", text);
  if (!json) return json.error();
  const auto version = json->i32("version");
  if (!version) return version.error();
  if (*version == 1) {
    const auto type = json->text("entity_type");
    const auto name = json->text("entity_name");
    if (!type) return type.error();
    if (!name) return name.error();
    if (*type != "topics" && *type != "clients") return json->wrong("entity_type", "topics or clients");
    return ConfigChange{*type, *name};
  }
  if (*version != 2) return json->wrong("version", "1 or 2");
  const auto path = json->text("entity_path");
  if (!path) return path.error();
  const auto slash = path->find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == path->size()) {
    return json->wrong("entity_path", "<type>/<name>");
  }
  return ConfigChange{path->substr(0, slash), path->substr(slash + 1)};
}

}  // namespace tandem::broker::zk
