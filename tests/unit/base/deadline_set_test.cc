#include "base/deadline_set.h"

#include <doctest/doctest.h>

namespace tandem::base {

TEST_CASE("deadlines come out in order of time, moved ones at their new time") {
  DeadlineSet<int> set;
  const Instant start{};
  set.set(1, start + milliseconds(30));
  set.set(2, start + milliseconds(10));
  set.set(3, start + milliseconds(20));
  set.set(2, start + milliseconds(40));
  set.erase(3);
  CHECK(set.next() == start + milliseconds(30));
  CHECK(!set.pop_due(start + milliseconds(29)).has_value());
  CHECK(set.pop_due(start + milliseconds(50)) == 1);
  CHECK(set.pop_due(start + milliseconds(50)) == 2);
  CHECK(!set.next().has_value());
}

}  // namespace tandem::base
