#include <zlib.h>

#include "base/checksum.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tandem::base {

#if defined(__x86_64__)

namespace {

constexpr std::uint32_t kModulus = 65521;
constexpr std::size_t kBlock = 32;
// No sum overflows within so many blocks: RFC 1950 allows 5552 bytes between reductions.
constexpr std::size_t kBlocksMax = 5552 / kBlock;

__attribute__((target("avx2"))) std::uint64_t sum_of_lanes(__m256i lanes) {
  std::uint64_t parts[4];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(parts), lanes);
  return parts[0] + parts[1] + parts[2] + parts[3];
}

__attribute__((target("avx2"))) std::uint64_t sum_of_words(__m256i words) {
  const __m256i low = _mm256_and_si256(words, _mm256_set1_epi64x(0xffffffff));
  return sum_of_lanes(_mm256_add_epi64(low, _mm256_srli_epi64(words, 32)));
}

// Per block of 32 bytes: the second sum grows by 32 times the first as it was, and by each byte times its
// distance from the block's end.
__attribute__((target("avx2"))) std::uint32_t adler32_avx2(const char* at, std::size_t size,
                                                           std::uint32_t adler) {
  const __m256i weights = _mm256_setr_epi8(32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16,
                                           15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1);
  const __m256i zero = _mm256_setzero_si256();
  const __m256i ones = _mm256_set1_epi16(1);
  std::uint64_t first = adler & 0xffff;
  std::uint64_t second = adler >> 16;
  while (size >= kBlock) {
    const std::size_t blocks = size / kBlock < kBlocksMax ? size / kBlock : kBlocksMax;
    __m256i sums = zero;
    __m256i sums_before = zero;
    __m256i weighted = zero;
    for (std::size_t i = 0; i < blocks; ++i, at += kBlock) {
      const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
      sums_before = _mm256_add_epi64(sums_before, sums);
      sums = _mm256_add_epi64(sums, _mm256_sad_epu8(bytes, zero));
      weighted = _mm256_add_epi32(weighted, _mm256_madd_epi16(_mm256_maddubs_epi16(bytes, weights), ones));
    }
    second += first * blocks * kBlock + sum_of_lanes(sums_before) * kBlock + sum_of_words(weighted);
    first += sum_of_lanes(sums);
    first %= kModulus;
    second %= kModulus;
    size -= blocks * kBlock;
  }
  for (; size > 0; ++at, --size) {
    first += static_cast<std::uint8_t>(*at);
    second += first;
  }
  return static_cast<std::uint32_t>(second % kModulus << 16 | first % kModulus);
}

}  // namespace

#endif

std::uint32_t adler32(std::string_view bytes, std::uint32_t adler) {
#if defined(__x86_64__)
  static const bool has_instructions = __builtin_cpu_supports("avx2");
  if (has_instructions) return adler32_avx2(bytes.data(), bytes.size(), adler);
#endif
  return static_cast<std::uint32_t>(
      ::adler32_z(adler, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace tandem::base
