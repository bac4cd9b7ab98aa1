#include "coord/election/vote.h"

#include <tuple>

#include "base/check.h"

namespace tandem::coord::election {

const char* to_string(ServerState state) {
  switch (state) {
    case ServerState::looking:
      return "LOOKING";
    case ServerState::following:
      return "FOLLOWING";
    case ServerState::leading:
      return "LEADING";
    case ServerState::observing:
      return "OBSERVING";
  }
  UNREACHABLE("state={}", static_cast<int>(state));
}

bool has_history(const Vote& vote) { return vote.zxid.value > 0 || vote.peer_epoch > 0; }

bool beats(const Vote& a, const Vote& b, const quorum::QuorumVerifier& verifier) {
  if (verifier.weight(a.leader) == 0) return false;
  return std::tie(a.peer_epoch, a.zxid, a.leader) > std::tie(b.peer_epoch, b.zxid, b.leader);
}

bool counts_with(const Vote& a, const Vote& b) {
  if (a.leader != b.leader) return false;
  if (a.state == ServerState::looking || b.state == ServerState::looking)
    return a.zxid == b.zxid && a.round == b.round && a.peer_epoch == b.peer_epoch;
  return (a.version > 0) != (b.version > 0) || a.peer_epoch == b.peer_epoch;
}

}  // namespace tandem::coord::election
