// Places in a prebuilt request that change from one to the next (xid, correlation id, digits of a path),
// patched in place so that a request costs the generator no encoding.
#pragma once

#include <cstdint>

namespace tandem::bench {

inline void patch_i32(char* at, std::int32_t value) {
  for (int i = 0; i < 4; ++i) at[i] = static_cast<char>(static_cast<std::uint32_t>(value) >> (24 - 8 * i));
}

inline void patch_digits(char* at, int count, std::uint64_t value) {
  for (int i = count - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

}  // namespace tandem::bench
