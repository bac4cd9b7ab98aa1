// The table of a reflected 32-bit CRC, one byte a step, from its reversed polynomial (0xedb88320 of zip,
// 0x82f63b78 of Castagnoli). Made at compile time.
#pragma once

#include <array>
#include <cstdint>

namespace tandem::base {

constexpr std::array<std::uint32_t, 256> crc_table(std::uint32_t reversed_polynomial) {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? reversed_polynomial : 0);
    table[i] = crc;
  }
  return table;
}

}  // namespace tandem::base
