// Vote: whom a server proposes or has elected, and the order in which votes beat each other: epoch, then
// zxid, then number of the server; one that weighs nothing never wins. Values and pure functions.
// Source: Vote and FastLeaderElection.totalOrderPredicate of ZooKeeper 3.9.
#pragma once

#include <cstdint>
#include <limits>

#include "coord/quorum/server_id.h"
#include "coord/quorum/verifier.h"
#include "jute/ids.h"

namespace tandem::coord::election {

using jute::Zxid;
using quorum::ServerId;

// As on the wire and in Apache's logs and monitors.
enum class ServerState : std::uint8_t { looking = 0, following = 1, leading = 2, observing = 3 };

const char* to_string(ServerState state);  // "LOOKING"

struct Vote {
  ServerId leader = quorum::kNoServer;
  Zxid zxid{std::numeric_limits<std::int64_t>::min()};
  std::int64_t peer_epoch = std::numeric_limits<std::int64_t>::min();  // of the leader: its currentEpoch
  std::int64_t round = 0;                                              // of the election that it belongs to
  ServerState state = ServerState::looking;                            // of who gave it
  std::int32_t version = 0;                                            // of the notification that brought it

  bool operator==(const Vote&) const = default;
};

// Whether the one that is proposed has anything: an empty server elects only who has not.
bool has_history(const Vote& vote);

// Is `a` a better proposal than `b`? Rounds are not compared.
bool beats(const Vote& a, const Vote& b, const quorum::QuorumVerifier& verifier);

// Do two votes count for the same leader? While one of the givers is LOOKING everything must be equal; else
// leader and epoch, or only the leader when one giver is older than 3.4.6 (version 0) and one is not.
bool counts_with(const Vote& a, const Vote& b);

}  // namespace tandem::coord::election
