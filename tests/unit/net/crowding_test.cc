#include "net/crowding.h"

#include <doctest/doctest.h>

using namespace tandem;
using net::Crowding;

namespace {

constexpr base::Duration kShort = Crowding::kLong / 2;
constexpr base::Duration kMoment = std::chrono::microseconds(1);

// How long there is no look behind one that came late at `now`.
base::Duration pause_after(Crowding& crowding, base::Instant now) {
  crowding.looked(Crowding::kLong, now);
  base::Instant end = now;
  while (!crowding.may_look(end)) end += std::chrono::milliseconds(1);
  return end - now;
}

}  // namespace

TEST_CASE("one late look costs a short pause, however often it happens") {
  Crowding crowding;
  base::Instant now{std::chrono::seconds(1)};
  for (int i = 0; i < 20; ++i) {
    crowding.looked(kShort, now);
    CHECK(crowding.may_look(now));
    CHECK(pause_after(crowding, now) == Crowding::kPauseMin);
    CHECK_FALSE(crowding.may_look(now + Crowding::kPauseMin - kMoment));
    now += Crowding::kPauseMin + Crowding::kSoon;
  }
}

TEST_CASE("where each look comes late, pauses double up to the longest, and end with the crowd") {
  Crowding crowding;
  base::Instant now{std::chrono::seconds(1)};
  base::Duration pause{};
  for (base::Duration wanted = Crowding::kPauseMin; wanted < Crowding::kPauseMax; wanted *= 2) {
    pause = pause_after(crowding, now);
    CHECK(pause == wanted);
    now += pause;
  }
  for (int i = 0; i < 3; ++i) {
    pause = pause_after(crowding, now);
    CHECK(pause == Crowding::kPauseMax);
    now += pause + Crowding::kSoon / 2;
  }
  now += Crowding::kSoon;
  CHECK(pause_after(crowding, now) == Crowding::kPauseMin);
}
