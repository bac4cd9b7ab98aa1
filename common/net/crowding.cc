#include "net/crowding.h"

#include <algorithm>

namespace tandem::net {

void Crowding::looked(base::Duration waited, base::Instant now) {
  if (waited < kLong) return;
  const bool again = pause_ > base::Duration::zero() && now < until_ + kSoon;
  pause_ = again ? std::min(2 * pause_, kPauseMax) : kPauseMin;
  until_ = now + pause_;
}

}  // namespace tandem::net
