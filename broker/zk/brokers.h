// /brokers/ids/N: what a broker tells the cluster about itself. Written as version 5 (inter-broker
// protocol 2.7 and later) or 4; versions 1 to 5 are read. Source: Kafka 3.9 BrokerIdZNode.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace tandem::broker::zk {

enum class SecurityProtocol : std::int16_t { plaintext = 0, ssl = 1, sasl_plaintext = 2, sasl_ssl = 3 };
std::string_view to_string(SecurityProtocol protocol);
std::optional<SecurityProtocol> security_protocol(std::string_view name);

struct Endpoint {
  std::string listener;
  std::string host;
  std::int32_t port = 0;
  SecurityProtocol protocol = SecurityProtocol::plaintext;
  bool operator==(const Endpoint&) const = default;
  std::string connection_string() const;  // PLAINTEXT://host:9092, an IPv6 address in brackets
};

struct BrokerRegistration {
  std::int32_t id = -1;
  std::int32_t version = 5;
  std::vector<Endpoint> endpoints;
  std::optional<std::string> rack;
  std::int32_t jmx_port = -1;
  bool operator==(const BrokerRegistration&) const = default;
  const Endpoint* endpoint(std::string_view listener) const;
};

std::string encode_broker(const BrokerRegistration& broker, base::WallTime now);
base::Result<BrokerRegistration> decode_broker(std::int32_t id, std::string_view json);

// "LISTENER://host:port" with the protocol that `protocols` gives the listener.
base::Result<Endpoint> parse_endpoint(std::string_view text,
                                      const std::map<std::string, SecurityProtocol>& protocols);

}  // namespace tandem::broker::zk
