#include "tools/shell/print.h"

#include <cstdio>
#include <ctime>

#include "jute/proto.h"

namespace tandem::tools::shell {

namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::pair<char, std::int32_t> kPerms[] = {{'c', jute::perm::kCreate},
                                                    {'d', jute::perm::kDelete},
                                                    {'r', jute::perm::kRead},
                                                    {'w', jute::perm::kWrite},
                                                    {'a', jute::perm::kAdmin}};

std::int32_t parse_perms(std::string_view text) {
  std::int32_t perms = 0;
  for (const char c : text) {
    bool known = false;
    for (const auto& [letter, bit] : kPerms) {
      if (c != letter) continue;
      perms |= bit;
      known = true;
    }
    if (!known) std::fprintf(stderr, "Unknown perm type: %c\n", c);
  }
  return perms;
}

}  // namespace

std::string java_date(std::int64_t ms) {
  const std::time_t seconds = ms >= 0 ? ms / 1000 : (ms - 999) / 1000;
  std::tm local{};
  localtime_r(&seconds, &local);
  char text[64];
  std::strftime(text, sizeof text, "%a %b %d %H:%M:%S %Z %Y", &local);
  return text;
}

std::string stat_text(const jute::Stat& stat) {
  const auto hex = [](std::int64_t v) { return fmt::format("0x{:x}", static_cast<std::uint64_t>(v)); };
  return "cZxid = " + hex(stat.czxid.value) + "\nctime = " + java_date(stat.ctime) +
         "\nmZxid = " + hex(stat.mzxid.value) + "\nmtime = " + java_date(stat.mtime) +
         "\npZxid = " + hex(stat.pzxid.value) +
         fmt::format("\ncversion = {}\ndataVersion = {}\naclVersion = {}", stat.cversion, stat.version,
                     stat.aversion) +
         "\nephemeralOwner = " + hex(stat.ephemeral_owner) +
         fmt::format("\ndataLength = {}\nnumChildren = {}\n", stat.data_length, stat.num_children);
}

std::string perms_text(std::int32_t perms) {
  std::string text;
  for (const auto& [letter, bit] : kPerms) {
    if (perms & bit) text += letter;
  }
  return text;
}

std::string acl_text(const std::vector<jute::ACL>& acl) {
  std::string text;
  for (const jute::ACL& one : acl)
    text += fmt::format("'{},'{}\n: {}\n", one.id.scheme, one.id.id, perms_text(one.perms));
  return text;
}

std::string list_text(const std::vector<std::string>& values) {
  std::string text = "[";
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) text += ", ";
    text += values[i];
  }
  return text + "]";
}

// The table that Netty prints, as Apache's shell uses it.
std::string hex_dump(std::string_view bytes) {
  if (bytes.empty()) return {};
  std::string text =
      "         +-------------------------------------------------+\n"
      "         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |\n"
      "+--------+-------------------------------------------------+----------------+";
  for (std::size_t row = 0; row < bytes.size(); row += 16) {
    const std::string_view part = bytes.substr(row, 16);
    std::string hex, shown;
    for (const char c : part) {
      hex += fmt::format(" {:02x}", static_cast<std::uint8_t>(c));
      shown += c > 0x1f && c < 0x7f ? c : '.';
    }
    text += fmt::format("\n|{:08x}|{:<48} |{:<16}|", row, hex, shown);
  }
  return text + "\n+--------+-------------------------------------------------+----------------+";
}

std::string base64(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < count ? static_cast<std::uint8_t>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += k <= count ? kBase64[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

base::Result<std::string> from_base64(std::string_view text) {
  const auto fault = [text] {
    return base::make_error(base::Errc::invalid_argument, "'{}' is not in base64 format", text);
  };
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string bytes;
  std::uint32_t group = 0;
  std::size_t bits = 0;
  for (const char c : text) {
    const auto digit = kBase64.find(c);
    if (digit == std::string_view::npos) return fault();
    group = group << 6 | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits >= 8) bytes += static_cast<char>(group >> (bits -= 8) & 0xff);
  }
  if (text.size() % 4 == 1) return fault();
  return bytes;
}

std::string event_text(const zksession::Event& event) {
  return fmt::format("WatchedEvent state:{} type:{} path:{} zxid: {}", to_string(event.state),
                     to_string(event.type), event.path.empty() ? "null" : event.path, event.zxid.value);
}

std::vector<jute::ACL> parse_acl(std::string_view text) {
  std::vector<jute::ACL> acl;
  while (text.ends_with(',')) text.remove_suffix(1);
  for (;;) {
    const auto comma = text.find(',');
    const std::string_view one = text.substr(0, comma);
    const auto first = one.find(':');
    const auto last = one.rfind(':');
    if (first == std::string_view::npos || first == last) {
      std::fprintf(stderr, "%.*s does not have the form scheme:id:perm\n", static_cast<int>(one.size()),
                   one.data());
    } else {
      jute::Id id{std::string(one.substr(0, first)), std::string(one.substr(first + 1, last - first - 1))};
      acl.push_back(jute::ACL{parse_perms(one.substr(last + 1)), std::move(id)});
    }
    if (comma == std::string_view::npos) return acl;
    text = text.substr(comma + 1);
  }
}

}  // namespace tandem::tools::shell
