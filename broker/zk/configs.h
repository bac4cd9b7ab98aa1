// /config/<type>/<entity> (overrides of a topic, broker, client, user or address) and /config/changes (which
// entity has changed; versions 1 and 2 are read). Source: Kafka 3.9 ConfigEntityZNode, ZkConfigManager.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tandem::broker::zk {

// In order of insertion: the order in the znode follows from it.
using Config = std::vector<std::pair<std::string, std::string>>;

std::string encode_config(const Config& config);
base::Result<Config> decode_config(std::string_view what, std::string_view json);

struct ConfigChange {
  std::string type;    // topics, brokers, clients, users, ips
  std::string entity;  // sanitised; "U/clients/C" for a user's client
  bool operator==(const ConfigChange&) const = default;
};

std::string encode_config_change(const ConfigChange& change);
base::Result<ConfigChange> decode_config_change(std::string_view json);

}  // namespace tandem::broker::zk
