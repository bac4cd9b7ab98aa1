#include "coord/session/password.h"

#include <algorithm>

namespace tandem::coord::session {

Password password_of(jute::SessionId id) {
  constexpr std::uint64_t kSecret = 0xB3415C00;
  constexpr std::uint64_t kMultiplier = 0x5DEECE66D;
  constexpr std::uint64_t kMask = (std::uint64_t{1} << 48) - 1;
  std::uint64_t state = (static_cast<std::uint64_t>(id.value) ^ kSecret ^ kMultiplier) & kMask;
  Password password{};
  for (std::size_t at = 0; at < password.size();) {
    state = (state * kMultiplier + 0xB) & kMask;
    auto word = static_cast<std::uint32_t>(state >> 16);
    for (int i = 0; i < 4; ++i, word >>= 8) password[at++] = static_cast<char>(word & 0xff);
  }
  return password;
}

bool is_password_of(jute::SessionId id, std::string_view password) {
  const Password expected = password_of(id);
  return id.value != 0 && password == std::string_view(expected.data(), expected.size());
}

}  // namespace tandem::coord::session
