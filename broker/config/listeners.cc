#include "broker/config/listeners.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace tandem::broker::config {

namespace {

using zk::SecurityProtocol;

base::Error invalid(std::string_view key, const std::string& why) {
  return base::make_error(base::Errc::invalid_argument, "{}: {}", key, why);
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto comma = text.find(',');
    std::string_view word = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
    while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
    if (!word.empty()) words.emplace_back(word);
  }
  return words;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

base::Result<std::map<std::string, SecurityProtocol>> protocol_map(const BrokerConfig& config) {
  constexpr std::string_view kKey = "listener.security.protocol.map";
  std::map<std::string, SecurityProtocol> map;
  for (const std::string& pair : split(config.listener_security_protocol_map)) {
    const auto colon = pair.rfind(':');
    if (colon == std::string::npos) return invalid(kKey, fmt::format("\"{}\" is not NAME:PROTOCOL", pair));
    const auto protocol = zk::security_protocol(upper(pair.substr(colon + 1)));
    if (!protocol) return invalid(kKey, fmt::format("{} is no security protocol", pair.substr(colon + 1)));
    map[upper(pair.substr(0, colon))] = *protocol;
  }
  return map;
}

// NAME://host:port; the host may be empty, the port may be 0 (chosen by the system).
base::Result<zk::Endpoint> parse(std::string_view key, const std::string& text,
                                 const std::map<std::string, SecurityProtocol>& protocols) {
  const auto scheme = text.find("://");
  const auto colon = text.rfind(':');
  if (scheme == std::string::npos || colon < scheme + 3) {
    return invalid(key, fmt::format("\"{}\" is not NAME://host:port", text));
  }
  zk::Endpoint endpoint;
  endpoint.listener = upper(text.substr(0, scheme));
  endpoint.host = text.substr(scheme + 3, colon - scheme - 3);
  if (endpoint.host.size() >= 2 && endpoint.host.front() == '[' && endpoint.host.back() == ']') {
    endpoint.host = endpoint.host.substr(1, endpoint.host.size() - 2);
  }
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, endpoint.port);
  if (error != std::errc() || stop != end || endpoint.port < 0 || endpoint.port > 65535) {
    return invalid(key, fmt::format("\"{}\" has no port 0..65535", text));
  }
  const auto protocol = protocols.find(endpoint.listener);
  if (protocol == protocols.end()) {
    return invalid(key, fmt::format("listener {} has no security protocol in listener.security.protocol.map",
                                    endpoint.listener));
  }
  endpoint.protocol = protocol->second;
  if (endpoint.protocol != SecurityProtocol::plaintext) {
    return invalid(key, fmt::format("listener {} is {}, and only PLAINTEXT is here yet", endpoint.listener,
                                    zk::to_string(endpoint.protocol)));
  }
  return endpoint;
}

base::Result<std::vector<zk::Endpoint>> parse_all(std::string_view key, std::string_view text,
                                                  const std::map<std::string, SecurityProtocol>& protocols) {
  std::vector<zk::Endpoint> endpoints;
  for (const std::string& word : split(text)) {
    auto endpoint = parse(key, word, protocols);
    if (!endpoint) return endpoint.error();
    for (const zk::Endpoint& other : endpoints) {
      if (other.listener == endpoint->listener) {
        return invalid(key, fmt::format("listener {} is there twice", other.listener));
      }
    }
    endpoints.push_back(std::move(*endpoint));
  }
  if (endpoints.empty()) return invalid(key, "no listener");
  return endpoints;
}

base::Result<std::string> inter_broker_listener(const BrokerConfig& config,
                                                const std::vector<zk::Endpoint>& bound) {
  if (config.inter_broker_listener_name) {
    const std::string name = upper(*config.inter_broker_listener_name);
    for (const zk::Endpoint& endpoint : bound) {
      if (endpoint.listener == name) return name;
    }
    return invalid("inter.broker.listener.name", fmt::format("{} is not among the listeners", name));
  }
  if (config.security_inter_broker_protocol != "PLAINTEXT") {
    return invalid("security.inter.broker.protocol",
                   fmt::format("{} is not here yet, only PLAINTEXT", config.security_inter_broker_protocol));
  }
  for (const zk::Endpoint& endpoint : bound) {
    if (endpoint.listener == "PLAINTEXT") return endpoint.listener;
  }
  return invalid("inter.broker.listener.name", "no listener is called PLAINTEXT, so this key must name one");
}

// One of the listeners, and not the one that brokers use for everything else.
base::Result<std::string> control_plane_listener(const BrokerConfig& config, const Listeners& listeners) {
  if (!config.control_plane_listener_name) return listeners.inter_broker;
  const std::string name = upper(*config.control_plane_listener_name);
  for (const zk::Endpoint& endpoint : listeners.bound) {
    if (endpoint.listener != name) continue;
    if (name != listeners.inter_broker) return name;
    return invalid("control.plane.listener.name", "it must differ from the listener between brokers");
  }
  return invalid("control.plane.listener.name", fmt::format("{} is not among the listeners", name));
}

}  // namespace

std::map<std::string, std::size_t> connection_overrides(std::string_view text) {
  std::map<std::string, std::size_t> out;
  for (const std::string& pair : split(text)) {
    const auto colon = pair.rfind(':');
    if (colon == std::string::npos) continue;
    std::size_t count = 0;
    const char* end = pair.data() + pair.size();
    const auto [stop, error] = std::from_chars(pair.data() + colon + 1, end, count);
    if (error == std::errc() && stop == end) out[pair.substr(0, colon)] = count;
  }
  return out;
}

base::Result<Listeners> resolve_listeners(const BrokerConfig& config) {
  const auto protocols = protocol_map(config);
  if (!protocols) return protocols.error();
  std::string text = config.listeners;
  if (text == BrokerConfig{}.listeners && (config.port || config.host_name)) {
    text = fmt::format("PLAINTEXT://{}:{}", config.host_name.value_or(""), config.port.value_or(9092));
  }
  auto bound = parse_all("listeners", text, *protocols);
  if (!bound) return bound.error();
  Listeners out;
  out.bound = *bound;
  if (config.advertised_listeners) {
    auto advertised = parse_all("advertised.listeners", *config.advertised_listeners, *protocols);
    if (!advertised) return advertised.error();
    for (const zk::Endpoint& endpoint : *advertised) {
      const bool is_bound = std::any_of(bound->begin(), bound->end(), [&](const zk::Endpoint& other) {
        return other.listener == endpoint.listener;
      });
      if (!is_bound) {
        return invalid("advertised.listeners",
                       fmt::format("listener {} is not among the listeners", endpoint.listener));
      }
      if (endpoint.host == "0.0.0.0") {
        return invalid("advertised.listeners", "0.0.0.0 is no address that a client could connect to");
      }
    }
    out.advertised = std::move(*advertised);
  } else {
    out.advertised = *bound;
    for (zk::Endpoint& endpoint : out.advertised) {
      if (config.advertised_host_name) endpoint.host = *config.advertised_host_name;
      if (config.advertised_port) endpoint.port = *config.advertised_port;
      if (endpoint.host == "0.0.0.0" || endpoint.host == "::") endpoint.host.clear();
    }
  }
  auto inter_broker = inter_broker_listener(config, out.bound);
  if (!inter_broker) return inter_broker.error();
  out.inter_broker = std::move(*inter_broker);
  auto control_plane = control_plane_listener(config, out);
  if (!control_plane) return control_plane.error();
  out.control_plane = std::move(*control_plane);
  return out;
}

}  // namespace tandem::broker::config
