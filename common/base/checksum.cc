#include "base/checksum.h"
#include "base/crc_table.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace tandem::base {

namespace {

constexpr std::uint32_t kCastagnoliReversed = 0x82f63b78u;

constexpr auto kTable = crc_table(kCastagnoliReversed);

#if defined(__x86_64__)

// Three streams keep the instruction's three-cycle latency busy; the results are joined by
// multiplying with x^(8 * length) in the polynomial ring (shift tables, one per block length).
using ShiftTable = std::array<std::array<std::uint32_t, 256>, 4>;

constexpr std::uint32_t append_zero_byte(std::uint32_t crc) { return (crc >> 8) ^ kTable[crc & 0xff]; }

constexpr ShiftTable make_shift(std::size_t zero_bytes) {
  std::array<std::uint32_t, 32> row{};  // image of each single bit after zero_bytes zero bytes
  for (std::size_t bit = 0; bit < 32; ++bit) row[bit] = 1u << bit;
  auto square = [](std::array<std::uint32_t, 32> m) {
    std::array<std::uint32_t, 32> out{};
    for (std::size_t bit = 0; bit < 32; ++bit) {
      std::uint32_t sum = 0;
      for (std::size_t k = 0; k < 32; ++k) {
        if (m[bit] >> k & 1) sum ^= m[k];
      }
      out[bit] = sum;
    }
    return out;
  };
  for (auto& image : row) image = append_zero_byte(image);
  for (std::size_t n = 1; n < zero_bytes; n *= 2) row = square(row);
  ShiftTable table{};
  for (std::size_t byte = 0; byte < 4; ++byte) {
    for (std::uint32_t v = 0; v < 256; ++v) {
      for (std::size_t bit = 0; bit < 8; ++bit) {
        if (v >> bit & 1) table[byte][v] ^= row[byte * 8 + bit];
      }
    }
  }
  return table;
}

constexpr std::size_t kLaneBytes = 1024;  // a power of two, as make_shift squares
constexpr ShiftTable kShift = make_shift(kLaneBytes);

std::uint32_t shift_lane(std::uint32_t crc) {
  return kShift[0][crc & 0xff] ^ kShift[1][crc >> 8 & 0xff] ^ kShift[2][crc >> 16 & 0xff] ^
         kShift[3][crc >> 24];
}

std::uint64_t load64(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(const char* at, std::size_t size,
                                                             std::uint32_t crc) {
  while (size >= 3 * kLaneBytes) {
    std::uint64_t a = crc, b = 0, c = 0;
    for (std::size_t i = 0; i < kLaneBytes; i += 8) {
      a = _mm_crc32_u64(a, load64(at + i));
      b = _mm_crc32_u64(b, load64(at + kLaneBytes + i));
      c = _mm_crc32_u64(c, load64(at + 2 * kLaneBytes + i));
    }
    crc = shift_lane(static_cast<std::uint32_t>(a)) ^ static_cast<std::uint32_t>(b);
    crc = shift_lane(crc) ^ static_cast<std::uint32_t>(c);
    at += 3 * kLaneBytes;
    size -= 3 * kLaneBytes;
  }
  std::uint64_t sum = crc;
  for (; size >= 8; at += 8, size -= 8) sum = _mm_crc32_u64(sum, load64(at));
  crc = static_cast<std::uint32_t>(sum);
  for (; size > 0; ++at, --size) crc = _mm_crc32_u8(crc, static_cast<std::uint8_t>(*at));
  return crc;
}

#endif

}  // namespace

std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t crc) {
  crc = ~crc;
  for (const char byte : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<std::uint8_t>(byte)) & 0xff];
  return ~crc;
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2");
  if (has_instruction) return ~crc32c_sse42(bytes.data(), bytes.size(), ~crc);
#endif
  return crc32c_portable(bytes, crc);
}

}  // namespace tandem::base
