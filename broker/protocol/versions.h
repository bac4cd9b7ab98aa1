// Versions as values: in which versions of its message a field exists, and from which it may be null.
// Used only inside describe(): nothing else branches on a version.
#pragma once

#include <cstdint>

namespace tandem::broker::protocol {

inline constexpr std::int16_t kNewestVersion = INT16_MAX;
inline constexpr std::int16_t kNeverFlexible = INT16_MAX;

struct When {
  std::int16_t first = 0;
  std::int16_t last = kNewestVersion;
  std::int16_t null_first = 0;  // only fields that are optional in their struct can be null at all
  std::int16_t null_last = kNewestVersion;
  bool hidden = false;  // a secret: printers write <hidden>

  constexpr bool has(std::int16_t version) const { return first <= version && version <= last; }
  constexpr bool nullable(std::int16_t version) const {
    return null_first <= version && version <= null_last;
  }
  constexpr When nullable_since(std::int16_t version) const {
    When copy = *this;
    copy.null_first = version;
    return copy;
  }
  constexpr When nullable_between(std::int16_t from, std::int16_t to) const {
    When copy = nullable_since(from);
    copy.null_last = to;
    return copy;
  }
  constexpr When secret() const {
    When copy = *this;
    copy.hidden = true;
    return copy;
  }
};

inline constexpr When kAlways{};
constexpr When since(std::int16_t first) { return When{.first = first}; }
constexpr When until(std::int16_t last) { return When{.last = last}; }
constexpr When between(std::int16_t first, std::int16_t last) { return When{.first = first, .last = last}; }

}  // namespace tandem::broker::protocol
