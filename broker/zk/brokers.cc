#include "broker/zk/brokers.h"

#include <algorithm>
#include <charconv>

#include "broker/zk/json.h"
#include "broker/zk/map_order.h"

namespace tandem::broker::zk {
namespace {

constexpr std::pair<std::string_view, SecurityProtocol> kProtocols[] = {
    {"PLAINTEXT", SecurityProtocol::plaintext},
    {"SSL", SecurityProtocol::ssl},
    {"SASL_PLAINTEXT", SecurityProtocol::sasl_plaintext},
    {"SASL_SSL", SecurityProtocol::sasl_ssl},
};

using ProtocolMap = std::map<std::string, SecurityProtocol>;

Result<ProtocolMap> read_protocols(const JsonObject& json) {
  ProtocolMap out;
  if (!json.has("listener_security_protocol_map")) {
    for (const auto& [name, protocol] : kProtocols) out.emplace(name, protocol);
    return out;
  }
  const auto map = json.object("listener_security_protocol_map");
  if (!map) return map.error();
  for (const auto& listener : map->keys()) {
    const auto name = map->text(listener);
    if (!name) return name.error();
    const auto protocol = security_protocol(*name);
    if (!protocol) return map->wrong(listener, "a security protocol");
    out.emplace(listener, *protocol);
  }
  return out;
}

Result<std::vector<Endpoint>> read_endpoints(const JsonObject& json, std::int32_t version) {
  if (version == 1) {
    const auto host = json.text("host");
    const auto port = json.i32("port");
    if (!host) return host.error();
    if (!port) return port.error();
    return std::vector{Endpoint{"PLAINTEXT", *host, *port, SecurityProtocol::plaintext}};
  }
  const auto protocols = read_protocols(json);
  if (!protocols) return protocols.error();
  const auto texts = json.text_list("endpoints");
  if (!texts) return texts.error();
  std::vector<Endpoint> out;
  for (const auto& text : *texts) {
    auto endpoint = parse_endpoint(text, *protocols);
    if (!endpoint) return endpoint.error();
    out.push_back(std::move(*endpoint));
  }
  return out;
}

void write_listener_map(JsonWriter& json, const std::vector<Endpoint>& endpoints) {
  std::vector<std::string> names;
  for (const auto& endpoint : endpoints) names.push_back(endpoint.listener);
  json.key("listener_security_protocol_map").begin();
  for (const auto& name : scala_immutable_order(names)) {
    const auto at =
        std::find_if(endpoints.begin(), endpoints.end(), [&](const auto& e) { return e.listener == name; });
    json.key(name).text(to_string(at->protocol));
  }
  json.end();
}

}  // namespace

std::string_view to_string(SecurityProtocol protocol) {
  for (const auto& [name, value] : kProtocols) {
    if (value == protocol) return name;
  }
  return "PLAINTEXT";
}

std::optional<SecurityProtocol> security_protocol(std::string_view name) {
  for (const auto& [known, value] : kProtocols) {
    if (known == name) return value;
  }
  return std::nullopt;
}

std::string Endpoint::connection_string() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", listener, ipv6 ? "[" : "", host, ipv6 ? "]" : "", port);
}

const Endpoint* BrokerRegistration::endpoint(std::string_view listener) const {
  for (const auto& candidate : endpoints) {
    if (candidate.listener == listener) return &candidate;
  }
  return nullptr;
}

Result<Endpoint> parse_endpoint(std::string_view text, const ProtocolMap& protocols) {
  const auto fault = base::make_error(base::Errc::corrupt, "'{}' is not an endpoint", text);
  const auto scheme = text.find("://");
  const auto colon = text.rfind(':');
  if (scheme == std::string_view::npos || colon == std::string_view::npos || colon < scheme + 3) return fault;
  Endpoint endpoint;
  endpoint.listener = text.substr(0, scheme);
  std::string_view host = text.substr(scheme + 3, colon - scheme - 3);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  endpoint.host = host;
  const auto port = text.substr(colon + 1);
  const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (code != std::errc() || end != port.data() + port.size() || endpoint.port < 0 || endpoint.port > 65535)
    return fault;
  const auto protocol = protocols.find(endpoint.listener);
  if (protocol == protocols.end()) return fault;
  endpoint.protocol = protocol->second;
  return endpoint;
}

std::string encode_broker(const BrokerRegistration& broker, base::WallTime now) {
  const auto plaintext =
      std::find_if(broker.endpoints.begin(), broker.endpoints.end(),
                   [](const auto& endpoint) { return endpoint.protocol == SecurityProtocol::plaintext; });
  const bool has_plaintext = plaintext != broker.endpoints.end();
  JsonWriter json;
  json.begin();
  if (broker.version >= 5) json.key("features").begin().end();
  if (broker.version >= 4) write_listener_map(json, broker.endpoints);
  json.key("endpoints").begin_list();
  for (const auto& endpoint : broker.endpoints) json.text(endpoint.connection_string());
  json.end_list();
  if (broker.rack && broker.version >= 3) json.key("rack").text(*broker.rack);
  json.key("jmx_port").number(broker.jmx_port);
  json.key("port").number(has_plaintext ? plaintext->port : -1);
  json.key("host");
  if (has_plaintext) {
    json.text(plaintext->host);
  } else {
    json.null();
  }
  json.key("version").number(broker.version).key("timestamp").text(std::to_string(now.ms)).end();
  return json.take();
}

Result<BrokerRegistration> decode_broker(std::int32_t id, std::string_view text) {
  const auto json = JsonObject::parse(fmt::format("/brokers/ids/{}", id), text);
  if (!json) return json.error();
  const auto version = json->i32("version");
  const auto jmx_port = json->i32_or("jmx_port", -1);
  if (!version) return version.error();
  if (!jmx_port) return jmx_port.error();
  if (*version < 1) return json->wrong("version", "a version from 1 on");
  auto endpoints = read_endpoints(*json, *version);
  if (!endpoints) return endpoints.error();
  BrokerRegistration broker{id, *version, std::move(*endpoints), std::nullopt, *jmx_port};
  const auto rack = json->text_or("rack", "");
  if (!rack) return rack.error();
  if (!rack->empty()) broker.rack = *rack;
  return broker;
}

}  // namespace tandem::broker::zk
