#include "broker/protocol/uuid.h"

#include "base/random.h"

namespace tandem::broker::protocol {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kTextSize = 22;

}  // namespace

Uuid Uuid::random(base::Random& random) {
  Uuid id;
  do {
    random.fill(id.bytes);
    id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x40);
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  } while (id.bytes[0] >> 2 == 62);  // the first character would be '-'
  return id;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != kTextSize) return std::nullopt;
  Uuid id;
  std::uint32_t bits = 0;
  int have = 0;
  std::size_t at = 0;
  for (const char c : text) {
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    have += 6;
    if (have < 8) continue;
    have -= 8;
    id.bytes[at++] = static_cast<std::uint8_t>(bits >> have);
    if (at == id.bytes.size()) break;
  }
  return id;
}

std::string Uuid::to_string() const {
  std::string out;
  out.reserve(kTextSize);
  std::uint32_t bits = 0;
  int have = 0;
  for (const std::uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    for (have += 8; have >= 6; have -= 6) out.push_back(kAlphabet[bits >> (have - 6) & 63]);
  }
  out.push_back(kAlphabet[bits << (6 - have) & 63]);
  return out;
}

}  // namespace tandem::broker::protocol
