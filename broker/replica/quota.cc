#include "broker/replica/quota.h"

#include <algorithm>
#include <chrono>

namespace tandem::broker::replica {

std::int64_t Quota::ms_of(base::Instant now) {
  return std::chrono::duration_cast<base::milliseconds>(now.time_since_epoch()).count();
}

void Quota::record(std::uint64_t bytes, base::Instant now) {
  const std::int64_t number = ms_of(now) / kWindowMs;
  Window& window = windows_[static_cast<std::size_t>(number % kWindows)];
  if (window.number != number) window = {number, 0};
  window.bytes += bytes;
}

bool Quota::exceeded(base::Instant now) const {
  if (limit_ == kUnlimited) return false;
  const std::int64_t ms = ms_of(now);
  const std::int64_t number = ms / kWindowMs;
  std::uint64_t bytes = 0;
  for (const Window& window : windows_)
    if (window.number > number - kWindows && window.number <= number) bytes += window.bytes;
  const std::int64_t span_ms = (kWindows - 1) * kWindowMs + ms % kWindowMs;
  return static_cast<double>(bytes) * 1000.0 / static_cast<double>(span_ms) > static_cast<double>(limit_);
}

}  // namespace tandem::broker::replica
