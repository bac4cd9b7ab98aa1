// ReplicationQuotas: what replication may send, take and copy in a second: leader.replication.throttled.rate,
// follower.replication.throttled.rate, replica.alter.log.dirs.io.max.bytes.per.second. Shared by the shards,
// each of which asks for partitions that are throttled only; any thread.
#pragma once

#include <array>
#include <mutex>

#include "broker/replica/quota.h"

namespace tandem::broker::api {

enum class Throttle : std::uint8_t { leader, follower, moves };
inline constexpr std::size_t kThrottles = 3;

class ReplicationQuotas {
 public:
  // The windows of what passes between brokers and of what moves between log directories.
  ReplicationQuotas(const base::Clock& clock, replica::QuotaWindows between, replica::QuotaWindows moves)
      : clock_(clock), quotas_{replica::Quota(between), replica::Quota(between), replica::Quota(moves)} {}

  void limit(Throttle throttle, std::int64_t bytes_per_second) {
    const std::lock_guard lock(mutex_);
    of(throttle).limit(bytes_per_second);
  }
  void record(Throttle throttle, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    of(throttle).record(bytes, clock_.now());
  }
  bool exceeded(Throttle throttle) const {
    const std::lock_guard lock(mutex_);
    return quotas_[static_cast<std::size_t>(throttle)].exceeded(clock_.now());
  }

 private:
  replica::Quota& of(Throttle throttle) { return quotas_[static_cast<std::size_t>(throttle)]; }

  const base::Clock& clock_;
  mutable std::mutex mutex_;
  std::array<replica::Quota, kThrottles> quotas_;
};

}  // namespace tandem::broker::api
