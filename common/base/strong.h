// Strong integer types: a Zxid is not an Offset, whatever their bits. Declare one with a tag:
//   using Zxid = base::Strong<std::int64_t, struct ZxidTag>;
// Comparable, hashable, printable with fmt; `.value` is the bare number for codecs and arithmetic.
#pragma once

#include <fmt/core.h>

#include <compare>
#include <functional>

namespace tandem::base {

template <class T, class Tag>
struct Strong {
  using Value = T;
  T value{};

  constexpr Strong() = default;
  constexpr explicit Strong(T v) : value(v) {}
  constexpr auto operator<=>(const Strong&) const = default;
  constexpr Strong next() const { return Strong(value + 1); }
};

}  // namespace tandem::base

template <class T, class Tag>
struct fmt::formatter<tandem::base::Strong<T, Tag>> : fmt::formatter<T> {
  template <class Context>
  auto format(const tandem::base::Strong<T, Tag>& strong, Context& context) const {
    return fmt::formatter<T>::format(strong.value, context);
  }
};

template <class T, class Tag>
struct std::hash<tandem::base::Strong<T, Tag>> {
  std::size_t operator()(const tandem::base::Strong<T, Tag>& strong) const {
    return std::hash<T>{}(strong.value);
  }
};
