// Who owns a session on the leader: the server whose client it is. A learner that connects anew is another
// one.
#pragma once

#include "coord/pipeline/effects.h"
#include "coord/session/session_tracker.h"

namespace tandem::coord::pipeline {

inline constexpr session::OwnerId kThisServer = 1;
inline session::OwnerId owner_of(LearnerId learner) { return learner.value + kThisServer; }

}  // namespace tandem::coord::pipeline
