#include "coord/tree/path.h"

#include <cstdint>

#include "base/check.h"

namespace tandem::coord::tree {

namespace {

// Bytes of the character at `at` when it is allowed in a path, 0 when not. `at` holds a byte >= 0x80.
std::size_t allowed_multibyte(std::string_view path, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(path[at + i]); };
  const auto tail = [&](std::size_t i) { return at + i < path.size() && (byte(i) & 0xc0) == 0x80; };
  if (byte(0) >= 0xc2 && byte(0) <= 0xdf) {
    if (!tail(1)) return 0;
    const unsigned c = (byte(0) & 0x1fU) << 6 | (byte(1) & 0x3fU);
    return c <= 0x9f ? 0 : 2;
  }
  if (byte(0) >= 0xe0 && byte(0) <= 0xef) {
    if (!tail(1) || !tail(2)) return 0;
    const unsigned c = (byte(0) & 0x0fU) << 12 | (byte(1) & 0x3fU) << 6 | (byte(2) & 0x3fU);
    if (c < 0x800) return 0;
    return (c >= 0xd800 && c <= 0xf8ff) || c >= 0xfff0 ? 0 : 3;
  }
  return 0;
}

bool is_dots(std::string_view name) { return name == "." || name == ".."; }

}  // namespace

bool valid_path(std::string_view path) {
  if (path.empty() || path[0] != '/') return false;
  if (path.size() == 1) return true;
  if (path.back() == '/') return false;
  std::size_t start = 1;  // of the current component
  std::size_t at = 1;
  while (at < path.size()) {
    const auto c = static_cast<std::uint8_t>(path[at]);
    if (c == '/') {
      if (at == start || is_dots(path.substr(start, at - start))) return false;
      start = ++at;
    } else if (c >= 0x80) {
      const std::size_t size = allowed_multibyte(path, at);
      if (size == 0) return false;
      at += size;
    } else if (c < 0x20 || c == 0x7f) {
      return false;
    } else {
      ++at;
    }
  }
  return !is_dots(path.substr(start));
}

bool is_special(std::string_view path) {
  return path == "/" || path == kZookeeperPath || path == kQuotaPath || path == kConfigPath;
}

SplitPath split_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  ENSURE(slash != std::string_view::npos, "path without a slash");
  return {path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace tandem::coord::tree
