#include "broker/replica/quota.h"

#include <doctest/doctest.h>

namespace tandem::broker::replica {

namespace {

base::Instant at_ms(std::int64_t ms) {
  return base::Instant{} + std::chrono::hours(1) + base::milliseconds(ms);
}
base::Instant second(std::int64_t seconds) { return at_ms(1000 * seconds); }

}  // namespace

TEST_CASE("a quota without a limit is never exceeded") {
  Quota quota;
  quota.record(std::uint64_t{1} << 40, second(0));
  CHECK(!quota.exceeded(second(0)));
}

TEST_CASE("what comes at once counts as spread over one window, and holds back until time has made it even") {
  Quota quota;
  quota.limit(100);
  CHECK(!quota.exceeded(second(0)));
  quota.record(100, second(0));
  CHECK(!quota.exceeded(second(0)));
  quota.record(400, second(0));
  CHECK(quota.exceeded(second(0)));
  CHECK(quota.exceeded(at_ms(4999)));
  CHECK(!quota.exceeded(second(5)));
  quota.record(100, second(5));
  CHECK(quota.exceeded(second(5)));
  CHECK(!quota.exceeded(second(6)));
}

TEST_CASE("a quota forgets a window when it is as old as all windows together") {
  Quota quota;
  quota.limit(100);
  quota.record(5000, second(0));
  CHECK(quota.exceeded(at_ms(10999)));
  CHECK(!quota.exceeded(second(11)));
  quota.record(101, second(11));
  CHECK(quota.exceeded(second(11)));  // the rate begins anew
}

TEST_CASE("fewer windows forget sooner, longer ones even out more") {
  Quota few({.count = 2, .each = base::milliseconds(1000)});
  few.limit(100);
  few.record(5000, second(0));
  CHECK(few.exceeded(at_ms(1999)));
  CHECK(!few.exceeded(second(2)));
  Quota longer({.count = 11, .each = base::milliseconds(5000)});
  longer.limit(100);
  longer.record(500, second(0));
  CHECK(!longer.exceeded(second(0)));
  longer.record(1, second(0));
  CHECK(longer.exceeded(second(0)));
}

TEST_CASE("a steady load at the limit is let through, one above it is not") {
  Quota quota({.count = 3, .each = base::milliseconds(1000)});
  quota.limit(1001);  // a steady 1000, and what rounding adds
  for (int ms = 0; ms < 20'000; ms += 100) {
    quota.record(100, at_ms(ms));
    CHECK(!quota.exceeded(at_ms(ms + 100)));
  }
  for (int ms = 20'000; ms < 30'000; ms += 100) quota.record(110, at_ms(ms));
  CHECK(quota.exceeded(second(30)));
}

}  // namespace tandem::broker::replica
