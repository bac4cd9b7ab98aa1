// ServerId: the number of a server of the ensemble (myid, the N of server.N). Ids start from 0; Apache sends
// Long.MIN_VALUE where there is none, and gives observers without an id negative ones.
#pragma once

#include <cstdint>
#include <limits>
#include <set>

#include "base/strong.h"

namespace tandem::coord::quorum {

using ServerId = base::Strong<std::int64_t, struct ServerIdTag>;
using ServerSet = std::set<ServerId>;

inline constexpr ServerId kNoServer{std::numeric_limits<std::int64_t>::min()};

}  // namespace tandem::coord::quorum
