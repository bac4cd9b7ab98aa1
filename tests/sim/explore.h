// A small case gone through as a whole: three servers from their first start to two writes, and every way to
// interfere with it within a budget: at each event a server may be killed or lose power (two in a run), or
// what happens next may be put off behind what comes after it (so many in a run). States are told apart by
// what servers, disks and connections hold; one that was seen with the same budget left is not gone through
// again, whatever its timers say. The runs are those of the simulator, with the same cores and invariants.
#pragma once

#include <cstdint>

namespace tandem::sim {

struct ExploreLimits {
  double seconds = 60;  // of wall time
  int crashes = 2;
  int delays = 2;
};

// Prints what was gone through; 1 when an invariant was violated, with the interferences that lead there.
int explore(const ExploreLimits& limits);

}  // namespace tandem::sim
