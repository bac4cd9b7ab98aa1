// Crowding: whether others use the core so much that looking for work before sleeping (loop.h) does not pay.
// Between two looks others may run. Who then keeps the core for long may do so each time, and this thread,
// asleep, would be let in before him: it sleeps for a while. Where that was a single event, a device's or the
// host's, the while is short; it doubles each time that looking fails again soon afterwards.
#pragma once

#include "base/clock.h"

namespace tandem::net {

class Crowding {
 public:
  static constexpr base::Duration kLong = std::chrono::milliseconds(1);
  static constexpr base::Duration kPauseMin = std::chrono::milliseconds(10);
  static constexpr base::Duration kPauseMax = std::chrono::seconds(1);
  static constexpr base::Duration kSoon = std::chrono::milliseconds(100);  // behind the end of a pause

  // From one look to the next, `waited` passed, until `now`.
  void looked(base::Duration waited, base::Instant now);
  bool may_look(base::Instant now) const { return now >= until_; }

 private:
  base::Duration pause_{};
  base::Instant until_{};
};

}  // namespace tandem::net
