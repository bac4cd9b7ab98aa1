// What a member has counted over its roles, for the monitoring words. Kept by Peer, never reset.
// Source of the names and of what counts: Apache's ServerMetrics.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace tandem::coord::peer {

// Times in ms, as mntr shows them.
struct Times {
  std::uint64_t count = 0;
  std::int64_t sum = 0;
  std::int64_t min = 0;
  std::int64_t max = 0;

  void add(base::Duration time) {
    const std::int64_t ms = std::chrono::duration_cast<base::milliseconds>(time).count();
    min = count == 0 ? ms : std::min(min, ms);
    max = std::max(max, ms);
    sum += ms;
    ++count;
  }
};

struct Tally {
  std::uint64_t proposals = 0;  // as leader
  std::uint64_t commits = 0;
  std::uint64_t proposals_received = 0;  // as learner, once in step
  std::uint64_t commits_received = 0;
  std::uint64_t snapshots_sent = 0;  // to learners
  std::uint64_t diffs_sent = 0;
  std::uint64_t revalidations = 0;  // of learners' clients

  Times election;     // of a voter, until it knew its role
  Times unavailable;  // until clients were served
  Times leader_unavailable;
  Times follower_sync;  // from the connection on
  Times observer_sync;
};

}  // namespace tandem::coord::peer
