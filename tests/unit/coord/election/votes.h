// Votes in short, for the tests of this folder: who, up to which transaction and epoch; the round and the
// rest only where they matter.
#pragma once

#include "coord/election/vote.h"

namespace tandem::coord::election {

inline Vote vote(std::int64_t leader, std::int64_t zxid, std::int64_t epoch, std::int64_t round = 1,
                 ServerState state = ServerState::looking, std::int32_t version = 2) {
  return Vote{ServerId(leader), Zxid(zxid), epoch, round, state, version};
}

}  // namespace tandem::coord::election
