// Rules of znode paths, as Apache's PathUtils has them. Pure functions over UTF-8 bytes: Apache judges UTF-16
// units, so surrogates (any four-byte sequence) are refused and malformed bytes count as U+FFFD, which is
// refused too.
#pragma once

#include <string_view>

namespace tandem::coord::tree {

inline constexpr std::string_view kZookeeperPath = "/zookeeper";
inline constexpr std::string_view kQuotaPath = "/zookeeper/quota";
inline constexpr std::string_view kConfigPath = "/zookeeper/config";
inline constexpr std::string_view kZookeeperSubtree = "/zookeeper/";  // left out of the tree's digest

// Starts with '/', no trailing or double '/', no "." or "..", no control or reserved characters.
bool valid_path(std::string_view path);

// Nodes that every tree has and nobody may delete.
bool is_special(std::string_view path);

// The parent ("" for a child of the root) and the last component. `path` must hold a '/'.
struct SplitPath {
  std::string_view parent;
  std::string_view name;
};
SplitPath split_path(std::string_view path);

// The parent's path as clients write it: "/" instead of "".
inline std::string_view shown_path(std::string_view path) { return path.empty() ? "/" : path; }

}  // namespace tandem::coord::tree
