#include "base/random.h"

#include <sys/random.h>

#include <bit>

#include "base/check.h"

namespace tandem::base {

namespace {

std::uint64_t split_mix(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(std::uint64_t seed) {
  for (auto& word : state_) word = split_mix(seed);
}

std::uint64_t Random::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::uint64_t Random::below(std::uint64_t bound) {
  ENSURE(bound > 0);
  const std::uint64_t excess = -bound % bound;  // reject the low values that would bias the remainder
  for (;;) {
    const std::uint64_t value = next();
    if (value >= excess) return value % bound;
  }
}

std::int64_t Random::between(std::int64_t low, std::int64_t high) {
  ENSURE(low <= high);
  const auto width = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + (width == 0 ? next() : below(width)));
}

bool Random::chance(double probability) {
  return static_cast<double>(next() >> 11) * 0x1.0p-53 < probability;
}

void Random::fill(std::span<std::uint8_t> out) {
  for (auto& byte : out) byte = static_cast<std::uint8_t>(next());
}

std::uint64_t system_seed() {
  std::uint64_t seed = 0;
  ENSURE(getrandom(&seed, sizeof seed, 0) == sizeof seed);
  return seed;
}

}  // namespace tandem::base
