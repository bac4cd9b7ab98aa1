#include "base/clock.h"

namespace tandem::base {

Instant SystemClock::now() const {
  return Instant(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

WallTime SystemClock::wall() const {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return WallTime{std::chrono::duration_cast<milliseconds>(since).count()};
}

}  // namespace tandem::base
