// The password of a session: sixteen bytes that follow from its id as in Apache (java.util.Random seeded with
// id ^ 0xB3415C00), so that a session can move between Apache's servers and ours. It proves nothing more than
// that the holder saw the id: keep ids out of logs that strangers read.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "jute/ids.h"

namespace tandem::coord::session {

using Password = std::array<char, 16>;

Password password_of(jute::SessionId id);
bool is_password_of(jute::SessionId id, std::string_view password);  // never for session 0

}  // namespace tandem::coord::session
