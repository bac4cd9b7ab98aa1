#include "base/random.h"

#include <doctest/doctest.h>

namespace tandem::base {

TEST_CASE("the same seed gives the same sequence") {
  Random a(7), b(7);
  for (int i = 0; i < 100; ++i) CHECK_EQ(a.next(), b.next());
}

TEST_CASE("ranges include both ends and nothing else") {
  Random random(3);
  bool low = false, high = false;
  for (int i = 0; i < 1000; ++i) {
    const auto v = random.between(-2, 2);
    CHECK(v >= -2);
    CHECK(v <= 2);
    low |= v == -2;
    high |= v == 2;
  }
  CHECK(low);
  CHECK(high);
}

}  // namespace tandem::base
