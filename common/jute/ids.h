// Strong types of the coordination protocol's numbers, shared by server, broker and tools, so that a session
// is never taken for a transaction. Both are signed longs on the wire, as in zookeeper.jute.
#pragma once

#include <cstdint>

#include "base/strong.h"

namespace tandem::jute {

using Zxid = base::Strong<std::int64_t, struct ZxidTag>;            // epoch << 32 | counter
using SessionId = base::Strong<std::int64_t, struct SessionIdTag>;  // 0 = none

// What is printed in hexadecimal: the same bits without a sign.
constexpr std::uint64_t bits(Zxid zxid) { return static_cast<std::uint64_t>(zxid.value); }
constexpr std::uint64_t bits(SessionId session) { return static_cast<std::uint64_t>(session.value); }

}  // namespace tandem::jute
