// What the listener keys say together: where to listen, what to advertise, which listener brokers use among
// themselves. Only PLAINTEXT is served; anything else is refused with one sentence.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "broker/config/broker_config.h"
#include "broker/zk/brokers.h"

namespace tandem::broker::config {

struct Listeners {
  std::vector<zk::Endpoint> bound;       // host empty: all addresses
  std::vector<zk::Endpoint> advertised;  // host empty: the server puts its own name
  std::string inter_broker;              // name of the listener
  std::string control_plane;             // the controller's way to the brokers; without one, inter_broker
};

base::Result<Listeners> resolve_listeners(const BrokerConfig& config);

// max.connections.per.ip.overrides: "address:number,..."; pairs that are malformed are passed over.
std::map<std::string, std::size_t> connection_overrides(std::string_view text);

}  // namespace tandem::broker::config
