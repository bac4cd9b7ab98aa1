// What the opener of an election connection says first: its number and its own election address (V1), or
// several (V2, only where multiAddress.enabled is set, as Apache: a mixed ensemble splits otherwise). Servers
// before 3.5 send their number alone. Pure functions.
// Source: QuorumCnxManager of ZooKeeper 3.9.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "coord/quorum/server_id.h"
#include "coord/quorum/server_spec.h"

namespace tandem::coord::election {

// Sent instead of a number by observers that have none.
inline constexpr quorum::ServerId kObserverWithoutId{std::numeric_limits<std::int64_t>::max()};

enum class HandshakeVersion : std::uint8_t { legacy, v1, v2 };

struct Handshake {
  quorum::ServerId from;
  HandshakeVersion version = HandshakeVersion::v1;
  std::vector<quorum::HostPort> addresses;  // those that can be connected to: wildcards are left out

  bool operator==(const Handshake&) const = default;
};

// V1 with one address, V2 with several.
std::string encode(const Handshake& handshake);

// The size of the handshake that `head` starts with; 0 when more bytes are needed to tell; an error when it
// cannot be one.
base::Result<std::size_t> handshake_size(std::string_view head);
base::Result<Handshake> decode_handshake(std::string_view bytes);

}  // namespace tandem::coord::election
