#include "broker/replica/quota.h"

#include <doctest/doctest.h>

namespace tandem::broker::replica {

namespace {

base::Instant second(std::int64_t seconds) {
  return base::Instant{} + std::chrono::hours(1) + std::chrono::seconds(seconds);
}

}  // namespace

TEST_CASE("a quota without a limit is never exceeded") {
  Quota quota;
  quota.record(std::uint64_t{1} << 40, second(0));
  CHECK(!quota.exceeded(second(0)));
}

TEST_CASE("a quota lets a burst of ten seconds through, then holds back until it has aged") {
  Quota quota;
  quota.limit(100);
  quota.record(1000, second(0));
  CHECK(!quota.exceeded(second(0)));
  quota.record(1, second(0));
  CHECK(quota.exceeded(second(0)));
  CHECK(quota.exceeded(second(10)));
  CHECK(!quota.exceeded(second(11)));  // the window of that second is over
  quota.record(1000, second(12));
  CHECK(!quota.exceeded(second(12)));
  quota.record(100, second(13));
  CHECK(quota.exceeded(second(13)));
}

}  // namespace tandem::broker::replica
