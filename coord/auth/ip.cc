#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "coord/auth/authorizer.h"

namespace tandem::coord::auth {

namespace {

struct Address {
  std::array<std::uint8_t, 16> bytes{};
  std::size_t size = 0;
};

std::optional<int> number(std::string_view text, int base) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// Pieces between separators, empty ones too.
std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + separator.size());
  }
}

std::optional<Address> parse_v4(std::string_view text) {
  const auto parts = split(text, ".");
  if (parts.size() != 4) return std::nullopt;
  Address address;
  for (const std::string_view part : parts) {
    const auto value = number(part, 10);
    if (!value || *value < 0 || *value > 255) return std::nullopt;
    address.bytes[address.size++] = static_cast<std::uint8_t>(*value);
  }
  return address;
}

bool put_segments(const std::vector<std::string_view>& segments, std::size_t at, Address& address) {
  for (const std::string_view segment : segments) {
    const auto value = number(segment, 16);
    if (segment.size() > 4 || !value || *value < 0) return false;
    address.bytes[at++] = static_cast<std::uint8_t>(*value >> 8);
    address.bytes[at++] = static_cast<std::uint8_t>(*value & 0xff);
  }
  return true;
}

std::optional<Address> parse_v6(std::string_view text) {
  constexpr std::size_t kSegments = 8;
  const auto halves = split(text, "::");
  if (halves.size() > 2) return std::nullopt;
  std::vector<std::string_view> left;
  std::vector<std::string_view> right;
  if (halves.size() == 1 || !halves[0].empty()) left = split(halves[0], ":");
  if (halves.size() == 2 && !halves[1].empty()) right = split(halves[1], ":");
  if (halves.size() == 1 ? left.size() != kSegments : left.size() + right.size() >= kSegments)
    return std::nullopt;
  Address address;
  address.size = 16;
  if (!put_segments(left, 0, address) || !put_segments(right, 16 - right.size() * 2, address))
    return std::nullopt;
  return address;
}

std::optional<Address> parse(std::string_view text) {
  return text.find(':') != std::string_view::npos ? parse_v6(text) : parse_v4(text);
}

struct Pattern {
  Address address;
  int bits = 0;
};

std::optional<Pattern> parse_pattern(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const int all = static_cast<int>(address->size) * 8;
  if (slash == std::string_view::npos) return Pattern{*address, all};
  const auto bits = number(text.substr(slash + 1), 10);
  if (!bits || *bits < 0 || *bits > all) return std::nullopt;
  return Pattern{*address, *bits};
}

}  // namespace

bool valid_ip_pattern(std::string_view pattern) { return parse_pattern(pattern).has_value(); }

bool ip_matches(std::string_view address, std::string_view pattern) {
  const auto wanted = parse_pattern(pattern);
  const auto given = parse(address);
  if (!wanted || !given || wanted->address.size != given->size) return false;
  for (int bit = 0; bit < wanted->bits; ++bit) {
    const auto at = static_cast<std::size_t>(bit) / 8;
    const unsigned mask = 0x80U >> (bit % 8);
    if (((wanted->address.bytes[at] ^ given->bytes[at]) & mask) != 0) return false;
  }
  return true;
}

}  // namespace tandem::coord::auth
