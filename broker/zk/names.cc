#include "broker/zk/names.h"

#include <fmt/core.h>

#include <algorithm>

namespace tandem::broker::zk {
namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kTopicNameMax = 249;

bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string topic_id_text(const TopicId& id) {
  std::string out;
  for (std::size_t i = 0; i < id.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t count = std::min<std::size_t>(3, id.size() - i);
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? id[i + k] : 0U);
    for (std::size_t k = 0; k <= count; ++k) out.push_back(kBase64[(group >> (18 - 6 * k)) & 63]);
  }
  return out;
}

std::optional<TopicId> topic_id_from_text(std::string_view text) {
  if (text.size() != 22) return std::nullopt;
  TopicId id{};
  std::uint32_t bits = 0;
  int have = 0;
  std::size_t at = 0;
  for (const char c : text) {
    const auto digit = kBase64.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6 | static_cast<std::uint32_t>(digit)) & 0xffff;
    have += 6;
    if (have >= 8 && at < id.size()) {
      have -= 8;
      id[at++] = static_cast<std::uint8_t>(bits >> have);
    }
  }
  return id;
}

std::optional<std::string> topic_name_fault(std::string_view name) {
  if (name.empty()) return "the empty string is not allowed";
  if (name == "." || name == "..") return fmt::format("'{}' is not allowed", name);
  if (name.size() > kTopicNameMax) {
    return fmt::format("the length of '{}' is longer than the max allowed length {}", name, kTopicNameMax);
  }
  const bool legal = std::all_of(name.begin(), name.end(),
                                 [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; });
  if (legal) return std::nullopt;
  return fmt::format("'{}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
                     name);
}

bool has_collision_chars(std::string_view name) { return name.find_first_of("._") != std::string_view::npos; }

bool topic_names_collide(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return (x == '.' ? '_' : x) == (y == '.' ? '_' : y); });
}

std::string sanitize_entity(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (is_alnum(c) || c == '.' || c == '-' || c == '_' || c == '~') {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::optional<std::string> desanitize_entity(std::string_view sanitized) {
  std::string out;
  for (std::size_t i = 0; i < sanitized.size(); ++i) {
    if (sanitized[i] != '%') {
      out.push_back(sanitized[i] == '+' ? ' ' : sanitized[i]);
      continue;
    }
    if (i + 2 >= sanitized.size()) return std::nullopt;
    const int high = hex_digit(sanitized[i + 1]);
    const int low = hex_digit(sanitized[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high << 4 | low));
    i += 2;
  }
  return out;
}

}  // namespace tandem::broker::zk
