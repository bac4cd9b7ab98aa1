// Uuid: 16 bytes as Kafka writes topic ids; its text is URL-safe base64 without padding, 22 characters.
// All zero means "none".
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tandem::base {
class Random;
}

namespace tandem::broker::protocol {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  // A random (version 4) id; never one whose text starts with '-', which Kafka avoids for command lines.
  static Uuid random(base::Random& random);
  static std::optional<Uuid> parse(std::string_view text);
  std::string to_string() const;
  bool is_zero() const { return *this == Uuid{}; }

  auto operator<=>(const Uuid&) const = default;
};

}  // namespace tandem::broker::protocol

template <>
struct std::hash<tandem::broker::protocol::Uuid> {
  std::size_t operator()(const tandem::broker::protocol::Uuid& id) const {
    return std::hash<std::string_view>{}(
        std::string_view(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()));
  }
};
