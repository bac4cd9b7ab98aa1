// XXH32 over short inputs: LZ4's library keeps its own copy private, and magic 0 needs the header checksum
// twice, once as the frame format says and once as Kafka's first clients computed it.
#include <bit>
#include <cstring>

#include "broker/record/compression.h"

namespace tandem::broker::record {

namespace {

constexpr std::uint32_t kPrime1 = 2654435761U;
constexpr std::uint32_t kPrime2 = 2246822519U;
constexpr std::uint32_t kPrime3 = 3266489917U;
constexpr std::uint32_t kPrime4 = 668265263U;
constexpr std::uint32_t kPrime5 = 374761393U;

std::uint32_t little_endian(const char* at) {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace

std::uint32_t xxh32(std::string_view bytes) {
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint32_t hash = kPrime5;
  if (left >= 16) {
    std::uint32_t lanes[4] = {kPrime1 + kPrime2, kPrime2, 0, 0U - kPrime1};
    for (; left >= 16; left -= 16) {
      for (auto& lane : lanes) {
        lane = std::rotl(lane + little_endian(at) * kPrime2, 13) * kPrime1;
        at += 4;
      }
    }
    hash =
        std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) + std::rotl(lanes[3], 18);
  }
  hash += static_cast<std::uint32_t>(bytes.size());
  for (; left >= 4; left -= 4, at += 4) hash = std::rotl(hash + little_endian(at) * kPrime3, 17) * kPrime4;
  for (; left > 0; --left, ++at)
    hash = std::rotl(hash + static_cast<unsigned char>(*at) * kPrime5, 11) * kPrime1;
  hash = (hash ^ (hash >> 15)) * kPrime2;
  hash = (hash ^ (hash >> 13)) * kPrime3;
  return hash ^ (hash >> 16);
}

}  // namespace tandem::broker::record
