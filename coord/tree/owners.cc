#include "coord/tree/owners.h"

#include <algorithm>

#include "base/check.h"

namespace tandem::coord::tree {

namespace {

constexpr std::uint64_t kExtendedMask = 0xff00000000000000;
constexpr std::uint64_t kReservedMask = 0x00ffff0000000000;  // 0: the feature is TTL, the only one there is

}  // namespace

OwnerKind owner_kind(std::int64_t ephemeral_owner, bool extended_types) {
  const auto bits = static_cast<std::uint64_t>(ephemeral_owner);
  if (extended_types && (bits & kExtendedMask) == kExtendedMask && (bits & kReservedMask) == 0)
    return OwnerKind::ttl;
  if (ephemeral_owner == kContainerOwner) return OwnerKind::container;
  return ephemeral_owner == 0 ? OwnerKind::none : OwnerKind::session;
}

std::int64_t ttl_owner(std::int64_t ttl_ms) {
  ENSURE(ttl_ms > 0 && ttl_ms <= kTtlMsMax, "ttl of {} ms", ttl_ms);
  return static_cast<std::int64_t>(kExtendedMask | static_cast<std::uint64_t>(ttl_ms));
}

void Owners::add(NodeId node, std::int64_t owner, std::size_t path_size) {
  switch (kind(owner)) {
    case OwnerKind::none:
      return;
    case OwnerKind::session: {
      Ephemerals& mine = sessions_[owner];
      if (!mine.nodes.insert(node).second) return;
      mine.path_bytes += path_size;
      ++ephemerals_;
      return;
    }
    case OwnerKind::container:
      containers_.insert(node);
      return;
    case OwnerKind::ttl:
      ttls_.insert(node);
      return;
  }
}

void Owners::remove(NodeId node, std::int64_t owner, std::size_t path_size) {
  switch (kind(owner)) {
    case OwnerKind::none:
      return;
    case OwnerKind::session: {
      const auto it = sessions_.find(owner);
      if (it == sessions_.end()) return;
      if (it->second.nodes.erase(node) == 0) return;
      it->second.path_bytes -= path_size;
      --ephemerals_;
      if (it->second.nodes.empty()) sessions_.erase(it);
      return;
    }
    case OwnerKind::container:
      containers_.erase(node);
      return;
    case OwnerKind::ttl:
      ttls_.erase(node);
      return;
  }
}

std::vector<NodeId> Owners::of_session(jute::SessionId session) const {
  const auto it = sessions_.find(session.value);
  if (it == sessions_.end()) return {};
  std::vector<NodeId> nodes(it->second.nodes.begin(), it->second.nodes.end());
  std::sort(nodes.begin(), nodes.end());
  return nodes;
}

std::size_t Owners::of_session_count(jute::SessionId session) const {
  const auto it = sessions_.find(session.value);
  return it == sessions_.end() ? 0 : it->second.nodes.size();
}

std::size_t Owners::path_bytes_of(jute::SessionId session) const {
  const auto it = sessions_.find(session.value);
  return it == sessions_.end() ? 0 : it->second.path_bytes;
}

std::vector<jute::SessionId> Owners::sessions() const {
  std::vector<jute::SessionId> ids;
  for (const auto& [id, nodes] : sessions_) ids.emplace_back(id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace tandem::coord::tree
