#include "zksession/connect_string.h"

#include <charconv>

namespace tandem::zksession {

namespace {

base::Result<std::uint16_t> parse_port(std::string_view text, std::string_view host) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size())
    return base::make_error(base::Errc::invalid_argument, "bad port in '{}'", host);
  return port;
}

base::Result<Host> parse_host(std::string_view text) {
  Host host;
  std::string_view port;
  const auto bracket = text.find(']');
  if (text.starts_with('[') && bracket != std::string_view::npos) {
    host.name = text.substr(1, bracket - 1);
    const std::string_view rest = text.substr(bracket + 1);
    if (rest.starts_with(':')) port = rest.substr(1);
  } else {
    const auto colon = text.rfind(':');
    host.name = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
  }
  if (host.name.empty())
    return base::make_error(base::Errc::invalid_argument, "empty host name in connect string");
  if (port.empty()) return host;
  const auto number = parse_port(port, text);
  if (!number) return number.error();
  host.port = *number;
  return host;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// One code point of UTF-8 and its length; anything malformed counts as U+FFFD, as Java decodes it.
std::pair<std::uint32_t, std::size_t> code_point(std::string_view text) {
  const auto lead = static_cast<std::uint8_t>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
  if (length == 0 || length > text.size()) return {0xfffd, 1};
  std::uint32_t value = lead & (0x7f >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if ((byte & 0xc0) != 0x80) return {0xfffd, 1};
    value = value << 6 | (byte & 0x3f);
  }
  return {value, length};
}

bool forbidden(std::uint32_t c) {
  if (c > 0xffff) c = 0xd800;  // Java sees a surrogate pair
  return (c <= 0x1f) || (c >= 0x7f && c <= 0x9f) || (c >= 0xd800 && c <= 0xf8ff) || c >= 0xfff0;
}

bool is_dots(std::string_view part) { return part == "." || part == ".."; }

}  // namespace

base::Result<ConnectString> parse_connect_string(std::string_view text) {
  ConnectString parsed;
  const auto slash = text.find('/');
  if (slash != std::string_view::npos && slash + 1 < text.size()) {
    parsed.chroot = text.substr(slash);
    if (const std::string fault = path_fault(parsed.chroot); !fault.empty())
      return base::make_error(base::Errc::invalid_argument, "{}", fault);
  }
  text = text.substr(0, slash);
  while (!text.empty()) {
    const auto comma = text.find(',');
    const std::string_view one = trimmed(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    if (one.empty()) continue;
    auto host = parse_host(one);
    if (!host) return host.error();
    parsed.hosts.push_back(std::move(*host));
  }
  if (parsed.hosts.empty())
    return base::make_error(base::Errc::invalid_argument, "connect string names no server");
  return parsed;
}

std::string path_fault(std::string_view path) {
  if (path.empty()) return "Path length must be > 0";
  if (path[0] != '/') return "Path must start with / character";
  if (path.size() == 1) return {};
  if (path.back() == '/') return "Path must not end with / character";
  const auto invalid = [path](std::string_view reason, std::size_t at) {
    return fmt::format("Invalid path string \"{}\" caused by {} @{}", path, reason, at);
  };
  std::size_t index = 1;  // in UTF-16 units, as the sentence counts
  std::size_t part_begin = 1;
  for (std::size_t i = 1; i < path.size();) {
    const auto [c, length] = code_point(path.substr(i));
    if (c == 0) return invalid("null character not allowed", index);
    if (c == '/' && path[i - 1] == '/') return invalid("empty node name specified", index);
    if (c == '/') part_begin = i + 1;
    const bool part_ends = i + 1 == path.size() || path[i + 1] == '/';
    if (c == '.' && part_ends && is_dots(path.substr(part_begin, i + 1 - part_begin)))
      return invalid("relative paths not allowed", index);
    if (forbidden(c)) return invalid("invalid character", index);
    i += length;
    index += c > 0xffff ? 2 : 1;
  }
  return {};
}

}  // namespace tandem::zksession
