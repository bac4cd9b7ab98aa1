#include "coord/quorum/server_spec.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace tandem::coord::quorum {

using base::Errc;
using base::Result;

namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Java's String.split: empty pieces at the end are dropped.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0;;) {
    const std::size_t end = text.find(separator, at);
    parts.push_back(text.substr(at, end == std::string_view::npos ? end : end - at));
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  while (parts.size() > 1 && parts.back().empty()) parts.pop_back();
  return parts;
}

// A literal IPv6 address as InetAddress.getHostAddress prints it; anything else stays as it is. A mapped
// IPv4 address is an IPv4 address to Java.
std::string java_host(std::string_view host) {
  if (host.find(':') == std::string_view::npos) return std::string(host);
  const std::size_t scope = host.find('%');
  const std::string literal(host.substr(0, scope));
  std::array<unsigned char, 16> raw{};
  if (inet_pton(AF_INET6, literal.c_str(), raw.data()) != 1) return std::string(host);
  constexpr std::array<unsigned char, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMapped.begin(), kMapped.end(), raw.begin()))
    return fmt::format("{}.{}.{}.{}", raw[12], raw[13], raw[14], raw[15]);
  std::string out;
  for (std::size_t i = 0; i < raw.size(); i += 2)
    out += fmt::format("{}{:x}", i == 0 ? "" : ":", raw[i] << 8 | raw[i + 1]);
  if (scope != std::string_view::npos) out += host.substr(scope);
  return out;
}

// The host, then what follows it between colons.
Result<std::vector<std::string_view>> host_and_rest(std::string_view text) {
  if (!text.starts_with('[')) return split(text, ':');
  const std::size_t close = text.find(']');
  if (close == std::string_view::npos)
    return base::make_error(Errc::invalid_argument, "{} starts with '[' and has no ']'", text);
  std::vector<std::string_view> parts{text.substr(1, close - 1)};
  if (close + 1 == text.size()) return parts;
  if (text[close + 1] != ':' || close + 2 == text.size())
    return base::make_error(Errc::invalid_argument, "{} has no port behind ']:'", text);
  for (const std::string_view part : split(text.substr(close + 2), ':')) parts.push_back(part);
  return parts;
}

Result<std::uint16_t> parse_port(std::string_view text) {
  const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size())
    return base::make_error(Errc::invalid_argument, "'{}' is not a port", text);
  return port;
}

Result<HostPort> parse_client(std::string_view text) {
  const auto parts = host_and_rest(text);
  if (!parts) return parts.error();
  if (parts->size() > 2)
    return base::make_error(Errc::invalid_argument, "'{}' is neither port nor host:port", text);
  const auto port = parse_port(parts->back());
  if (!port) return port.error();
  return HostPort{parts->size() == 2 ? java_host(parts->front()) : "0.0.0.0", *port};
}

struct ParsedAddress {
  PeerAddress address;
  std::optional<Role> role;
};

Result<ParsedAddress> parse_address(std::string_view text) {
  const auto parts = host_and_rest(text);
  if (!parts) return parts.error();
  if (parts->size() < 3 || parts->size() > 4 || parts->front().empty())
    return base::make_error(Errc::invalid_argument, "'{}' is not host:port:port or host:port:port:role",
                            text);
  ParsedAddress parsed;
  parsed.address.host = java_host((*parts)[0]);
  const auto learner_port = parse_port((*parts)[1]);
  if (!learner_port) return learner_port.error();
  const auto election_port = parse_port((*parts)[2]);
  if (!election_port) return election_port.error();
  if (*learner_port == *election_port)
    return base::make_error(Errc::invalid_argument,
                            "'{}' names port {} for learners and for elections, which must differ", text,
                            *learner_port);
  parsed.address.learner_port = *learner_port;
  parsed.address.election_port = *election_port;
  if (parts->size() == 4) {
    const auto role = parse_role((*parts)[3]);
    if (!role) return role.error();
    parsed.role = *role;
  }
  return parsed;
}

std::string bracketed(std::string_view host) {
  return host.find(':') == std::string_view::npos ? std::string(host) : fmt::format("[{}]", host);
}

}  // namespace

const char* to_string(Role role) {
  switch (role) {
    case Role::participant:
      return "participant";
    case Role::observer:
      return "observer";
  }
  UNREACHABLE("role={}", static_cast<int>(role));
}

Result<Role> parse_role(std::string_view text) {
  std::string lower(trimmed(text));
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (lower == "participant") return Role::participant;
  if (lower == "observer") return Role::observer;
  return base::make_error(Errc::invalid_argument, "unrecognised peertype '{}': participant or observer",
                          text);
}

std::string host_port(std::string_view host, std::uint16_t port) {
  return fmt::format("{}:{}", bracketed(host), port);
}

Result<HostPort> parse_host_port(std::string_view text) {
  const auto parts = host_and_rest(text);
  if (!parts) return parts.error();
  if (parts->size() != 2 || parts->front().empty())
    return base::make_error(Errc::invalid_argument, "'{}' is not host:port", text);
  const auto port = parse_port(parts->back());
  if (!port) return port.error();
  return HostPort{java_host(parts->front()), *port};
}

std::string ServerSpec::text() const {
  std::string out;
  for (const PeerAddress& address : addresses)
    out += fmt::format("{}{}:{}:{}", out.empty() ? "" : "|", bracketed(address.host), address.learner_port,
                       address.election_port);
  out += ':';
  out += to_string(role);
  if (client && !client_from_static) out += ';' + host_port(client->host, client->port);
  return out;
}

Result<ServerSpec> parse_server(ServerId id, std::string_view text) {
  const auto failed = [&](const base::Error& error) {
    return base::make_error(Errc::invalid_argument, "server.{}={}: {}", id, text, error.context);
  };
  ServerSpec spec;
  spec.id = id;
  const auto halves = split(text, ';');
  if (halves.size() > 2)
    return failed(
        base::make_error(Errc::invalid_argument, "more than one ';', which splits off the client's part"));
  if (halves.size() == 2) {
    const auto client = parse_client(trimmed(halves[1]));
    if (!client) return failed(client.error());
    spec.client = *client;
  }
  std::optional<Role> role;
  for (const std::string_view one : split(halves[0], '|')) {
    const auto parsed = parse_address(trimmed(one));
    if (!parsed) return failed(parsed.error());
    if (parsed->role && role && *role != *parsed->role)
      return failed(base::make_error(Errc::invalid_argument, "its addresses have different roles"));
    if (parsed->role) role = parsed->role;
    if (std::find(spec.addresses.begin(), spec.addresses.end(), parsed->address) == spec.addresses.end())
      spec.addresses.push_back(parsed->address);
  }
  std::stable_sort(spec.addresses.begin(), spec.addresses.end(),
                   [](const PeerAddress& a, const PeerAddress& b) { return a.host < b.host; });
  spec.role = role.value_or(Role::participant);
  return spec;
}

}  // namespace tandem::coord::quorum
