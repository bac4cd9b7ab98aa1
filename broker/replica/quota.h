// Quota: so many bytes a second, measured as Kafka's replication quotas are: over eleven windows of a second,
// of which at least ten count as gone, so that a short burst is let through. Pure; whoever shares one between
// threads guards it. Source: Kafka 3.9 ReplicationQuotaManager and Rate.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"

namespace tandem::broker::replica {

class Quota {
 public:
  static constexpr std::int64_t kUnlimited = INT64_MAX;

  void limit(std::int64_t bytes_per_second) { limit_ = bytes_per_second; }
  std::int64_t limit() const { return limit_; }
  void record(std::uint64_t bytes, base::Instant now);
  bool exceeded(base::Instant now) const;

 private:
  static constexpr std::int64_t kWindows = 11;
  static constexpr std::int64_t kWindowMs = 1000;

  struct Window {
    std::int64_t number = -1;  // since the clock's beginning
    std::uint64_t bytes = 0;
  };
  static std::int64_t ms_of(base::Instant now);

  std::int64_t limit_ = kUnlimited;
  std::array<Window, kWindows> windows_;
};

}  // namespace tandem::broker::replica
