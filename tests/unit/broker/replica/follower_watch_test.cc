#include "broker/replica/follower_watch.h"

#include <doctest/doctest.h>

namespace tandem::broker::replica {

namespace {

using base::Instant;
using Brokers = std::set<std::int32_t>;
using Probes = std::vector<std::int32_t>;

Instant ms(std::int64_t time) { return Instant{} + std::chrono::hours(1) + base::milliseconds(time); }

// Suspects after 3 s; 7 was heard at 0 and is waited for.
FollowerWatch waiting() {
  FollowerWatch watch(base::milliseconds(3000));
  watch.on_heard(7, ms(0));
  watch.on_held_up(0, {7}, ms(500));
  return watch;
}

}  // namespace

TEST_CASE("a silent follower is probed first, and a suspect when it answers nothing") {
  FollowerWatch watch = waiting();
  CHECK(watch.take().empty());
  CHECK(watch.next_deadline() == ms(1000));
  watch.on_deadline(ms(1000));
  CHECK(watch.take() == Probes{7});
  CHECK(watch.next_deadline() == ms(3000));
  watch.on_deadline(ms(2999));
  CHECK(watch.suspects().empty());
  watch.on_deadline(ms(3000));
  CHECK(watch.suspects() == Brokers{7});
  CHECK(!watch.next_deadline());
  watch.on_heard(7, ms(9000));
  CHECK(watch.suspects().empty());
}

TEST_CASE("an answered probe begins the time anew") {
  FollowerWatch watch = waiting();
  watch.on_deadline(ms(1000));
  watch.take();
  watch.on_heard(7, ms(1100));
  watch.on_deadline(ms(3000));
  CHECK(watch.suspects().empty());
  CHECK(watch.take() == Probes{7});
}

TEST_CASE("whom nobody waits for is neither probed nor suspected") {
  FollowerWatch watch = waiting();
  watch.on_held_up(1, {7}, ms(600));
  watch.on_held_up(0, {}, ms(700));
  CHECK(watch.next_deadline() == ms(1000));  // the other shard still does
  watch.on_held_up(1, {}, ms(800));
  CHECK(!watch.next_deadline());
  watch.on_deadline(ms(9000));
  CHECK(watch.take().empty());
  CHECK(watch.suspects().empty());
}

TEST_CASE("a watch that stood still itself leaves an answer its time") {
  FollowerWatch watch = waiting();
  watch.on_deadline(ms(60'000));
  CHECK(watch.take() == Probes{7});
  CHECK(watch.suspects().empty());
  CHECK(watch.next_deadline() == ms(61'000));
  watch.on_deadline(ms(61'000));
  CHECK(watch.suspects() == Brokers{7});
}

TEST_CASE("a lost probe is asked once more in a moment, and the time goes on") {
  FollowerWatch watch = waiting();
  watch.on_deadline(ms(1000));
  watch.take();
  watch.on_probe_lost(7, ms(1001));
  CHECK(watch.take().empty());
  REQUIRE(watch.next_deadline());
  watch.on_deadline(*watch.next_deadline());
  CHECK(watch.take() == Probes{7});
  watch.on_probe_lost(7, ms(2999));
  watch.on_deadline(ms(3000));
  CHECK(watch.suspects() == Brokers{7});
}

}  // namespace tandem::broker::replica
