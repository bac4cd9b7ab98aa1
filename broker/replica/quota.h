// Quota: so many bytes a second, measured as Kafka's replication quotas are: what the windows hold that saw
// anything of late, over the time since the oldest of them began, which counts as one window at least. Pure;
// whoever shares one between threads guards it. Source: Kafka 3.9 ReplicationQuotaManager, SimpleRate and
// SampledStat.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace tandem::broker::replica {

struct QuotaWindows {
  std::int64_t count = 11;        // replication.quota.window.num
  base::milliseconds each{1000};  // replication.quota.window.size.seconds
};

class Quota {
 public:
  static constexpr std::int64_t kUnlimited = INT64_MAX;

  Quota() = default;
  explicit Quota(QuotaWindows windows) : windows_(windows) {}

  void limit(std::int64_t bytes_per_second) { limit_ = bytes_per_second; }
  std::int64_t limit() const { return limit_; }
  void record(std::uint64_t bytes, base::Instant now);
  bool exceeded(base::Instant now) const;

 private:
  struct Window {
    base::Instant begun;
    base::Instant last;  // when it was added to
    std::uint64_t bytes = 0;
  };
  bool forgotten(const Window& window, base::Instant now) const;

  QuotaWindows windows_;
  std::int64_t limit_ = kUnlimited;
  std::vector<Window> kept_;  // one more than the windows at most: the oldest may overlap what is measured
  std::size_t current_ = 0;
};

}  // namespace tandem::broker::replica
