// The only source of randomness: seeded, splittable, the same sequence everywhere (xoshiro256**,
// Blackman and Vigna, public domain algorithm). Mains seed it from the system; tests from a number they
// print.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace tandem::base {

class Random {
 public:
  explicit Random(std::uint64_t seed);

  std::uint64_t next();
  std::uint64_t below(std::uint64_t bound);                   // uniform in [0, bound); bound > 0
  std::int64_t between(std::int64_t low, std::int64_t high);  // both ends included
  bool chance(double probability);
  void fill(std::span<std::uint8_t> out);
  Random split() { return Random(next()); }  // an independent stream

 private:
  std::array<std::uint64_t, 4> state_;
};

// A seed from the operating system, for mains.
std::uint64_t system_seed();

}  // namespace tandem::base
