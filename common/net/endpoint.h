// Endpoint: a host and a port as users write them (host:port, [v6]:port, :port). Numeric endpoints come
// from sockets; IPv4 addresses mapped into IPv6 are given as IPv4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct sockaddr;

namespace tandem::net {

struct Endpoint {
  std::string host;  // empty: all addresses (to listen on)
  std::uint16_t port = 0;

  bool operator==(const Endpoint&) const = default;
};

std::string to_string(const Endpoint& endpoint);  // "host:port", v6 in brackets
base::Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port = 0);
// "a:1,b:2": every element must parse; at least one.
base::Result<std::vector<Endpoint>> parse_endpoints(std::string_view text, std::uint16_t default_port = 0);

Endpoint numeric_endpoint(const sockaddr* address);

}  // namespace tandem::net
