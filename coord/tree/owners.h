// What an ephemeralOwner says about a node, and who owns which: ephemerals by session, candidates of the
// container and TTL reaper. Encoding on disk and in transactions: 0 plain, a session id, the smallest long
// for a container, 0xff in the top byte for TTL (with extendedTypesEnabled only). Owned by DataTree.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <limits>
#include <vector>

#include "coord/tree/ids.h"
#include "jute/ids.h"

namespace tandem::coord::tree {

enum class OwnerKind { none, session, container, ttl };

inline constexpr std::int64_t kContainerOwner = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t kTtlMsMax = 0x000000ffffffffff;

OwnerKind owner_kind(std::int64_t ephemeral_owner, bool extended_types);
std::int64_t ttl_owner(std::int64_t ttl_ms);  // 0 < ttl_ms <= kTtlMsMax
inline std::int64_t ttl_of_owner(std::int64_t owner) { return owner & kTtlMsMax; }

class Owners {
 public:
  using NodeSet = boost::unordered_flat_set<NodeId>;

  explicit Owners(bool extended_types) : extended_types_(extended_types) {}

  OwnerKind kind(std::int64_t owner) const { return owner_kind(owner, extended_types_); }
  void add(NodeId node, std::int64_t owner, std::size_t path_size);
  void remove(NodeId node, std::int64_t owner, std::size_t path_size);
  std::vector<NodeId> of_session(jute::SessionId session) const;  // rising numbers

  std::size_t of_session_count(jute::SessionId session) const;
  // Bytes of the paths of a session's nodes: what the list in its closing transaction will hold.
  std::size_t path_bytes_of(jute::SessionId session) const;
  std::vector<jute::SessionId> sessions() const;
  std::size_t ephemerals() const { return ephemerals_; }
  std::vector<NodeId> containers() const { return {containers_.begin(), containers_.end()}; }
  std::vector<NodeId> ttls() const { return {ttls_.begin(), ttls_.end()}; }

 private:
  struct Ephemerals {
    NodeSet nodes;
    std::size_t path_bytes = 0;
  };

  bool extended_types_;
  boost::unordered_flat_map<std::int64_t, Ephemerals> sessions_;
  std::size_t ephemerals_ = 0;
  NodeSet containers_;
  NodeSet ttls_;
};

}  // namespace tandem::coord::tree
