// Numbers inside the tree: a node's (stable for its life, reused after its deletion) and an ACL list's.
// Neither leaves the process: disk and wire carry paths and, in snapshots, 64-bit ACL numbers.
#pragma once

#include <cstdint>

namespace tandem::coord::tree {

using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = 0;
inline constexpr NodeId kRoot = 1;

using AclId = std::uint32_t;
inline constexpr AclId kOpenAcl = 0;  // world:anyone:cdrwa, -1 on disk

}  // namespace tandem::coord::tree
