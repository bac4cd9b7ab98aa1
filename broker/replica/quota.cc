#include "broker/replica/quota.h"

#include <algorithm>
#include <chrono>

namespace tandem::broker::replica {

bool Quota::forgotten(const Window& window, base::Instant now) const {
  return now - window.last >= windows_.count * windows_.each;
}

void Quota::record(std::uint64_t bytes, base::Instant now) {
  if (kept_.empty()) {
    kept_.push_back({now, now, 0});
  } else if (forgotten(kept_[current_], now)) {
    kept_[current_] = {now, now, 0};
  } else if (now - kept_[current_].begun >= windows_.each) {
    current_ = (current_ + 1) % static_cast<std::size_t>(windows_.count + 1);
    if (current_ >= kept_.size()) kept_.emplace_back();
    kept_[current_] = {now, now, 0};
  }
  kept_[current_].bytes += bytes;
  kept_[current_].last = now;
}

bool Quota::exceeded(base::Instant now) const {
  if (limit_ == kUnlimited) return false;
  std::uint64_t bytes = 0;
  base::Instant oldest = now;
  for (const Window& window : kept_) {
    if (forgotten(window, now)) continue;
    bytes += window.bytes;
    oldest = std::min(oldest, window.begun);
  }
  const std::chrono::duration<double> span = std::max<base::Instant::duration>(now - oldest, windows_.each);
  return static_cast<double>(bytes) / span.count() > static_cast<double>(limit_);
}

}  // namespace tandem::broker::replica
