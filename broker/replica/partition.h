// Partition: the core of one replica: leader or follower, leader epoch, in-sync replicas, high watermark and
// last stable offset. It knows its log as a few numbers and never touches it. Single-threaded: called by the
// partition's owner with the time as argument. What a controller may tell it is checked here (LeaderAndIsr,
// StopReplica). A change of the in-sync set counts for the watermark from the moment it is asked for, as the
// larger of the two sets, until the controller has answered. Where acknowledgements wait for the disk a
// replica counts with what it has durable (LogEnds::durable, Fetched::durable). Source: Kafka 3.9 Partition.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "base/clock.h"
#include "broker/protocol/errors.h"
#include "broker/protocol/messages/leader_and_isr.h"

namespace tandem::broker::replica {

enum class Role : std::uint8_t { none, leader, follower };

// A replica that does not tell its durable end from its end: all that it has counts.
inline constexpr std::int64_t kAllDurable = INT64_MAX;

inline constexpr std::int32_t kEpochDuringDelete = -2;  // of a StopReplica

// The log as the core sees it.
struct LogEnds {
  std::int64_t start = 0;
  std::int64_t end = 0;
  std::int64_t first_unstable = 0;     // end where nothing is unstable
  std::int32_t min_insync = 1;         // min.insync.replicas of its topic
  std::int64_t durable = kAllDurable;  // what the watermark may count on; below: not synced yet
};

// When a session last fetched, for all of its partitions on a thread: those in which nothing happens are not
// looked at each time.
struct FetchPulse {
  base::Instant at{};
};

// A follower as its leader sees it.
struct RemoteReplica {
  std::int64_t log_end = -1;  // of what counts: the durable end of one that tells it
  std::int64_t log_start = -1;
  // The leader's end at a fetch, the last one unless the follower's disk is behind its fetches: who reaches
  // it was caught up then.
  std::int64_t mark_end = 0;
  base::Instant mark_at{};
  base::Instant last_fetch{};
  std::optional<base::Instant> last_caught_up;  // nothing: not since this broker leads
  bool live = true;                             // the metadata names it
  // When the controller last refused to have it in sync, as it shuts down or is not alive to it: meanwhile
  // the watermark does not wait for it, and it is not asked for at each of its fetches.
  std::optional<base::Instant> refused;
  // Where it had all that is there: until the log grows, each beat is a fetch that found it so.
  std::shared_ptr<const FetchPulse> pulse;
};

// A change of the in-sync replicas that the leader asks the controller for.
struct IsrChange {
  std::vector<std::int32_t> isr;
  std::int32_t leader_epoch = -1;
  std::int32_t partition_epoch = -1;
  std::int8_t recovery_state = 0;
  std::int32_t controller_epoch = 0;  // of the state that it changes
};

class Partition {
 public:
  using State = protocol::LeaderAndIsrRequest::LeaderAndIsrPartitionState;

  explicit Partition(std::int32_t broker_id, std::int64_t high_watermark = 0,
                     base::Duration lag_max = std::chrono::seconds(30))
      : broker_id_(broker_id), lag_max_(lag_max), high_watermark_(high_watermark) {}

  // Whether the controller's state may be applied: newer leader epoch, this broker among the replicas.
  protocol::ErrorCode check(const State& state) const;
  // Applies it. True when this broker is the leader now and was not (of this epoch) before.
  bool apply(const State& state, const LogEnds& log, base::Instant now);
  // StopReplica's epoch rule; -1 is unchecked, -2 a deletion.
  protocol::ErrorCode check_stop(std::int32_t leader_epoch) const;
  void stop();

  // What a request that names an epoch (-1: none) gets to hear.
  protocol::ErrorCode check_epoch(std::int32_t current_leader_epoch) const;
  protocol::ErrorCode check_leader(std::int32_t current_leader_epoch = -1) const;

  // ---- as leader ----
  // The log grew, or more of it is durable. True when the high watermark moved.
  bool on_append(const LogEnds& log, base::Instant now);
  // KIP-392: which of `candidates` a consumer at `offset` reads from best: in sync, having what it asks for,
  // and of those the furthest.
  std::optional<std::int32_t> reader_choice(std::span<const std::int32_t> candidates, std::int64_t offset,
                                            base::Instant now) const;
  bool has_followers() const { return !remotes_.empty(); }
  bool is_follower(std::int32_t replica) const { return remotes_.contains(replica); }
  struct Fetched {
    std::int64_t offset = 0;  // the follower has everything below
    std::int64_t log_start = 0;
    bool live = true;                                   // the metadata names its broker
    std::int64_t durable = kAllDurable;                 // of what it has
    std::shared_ptr<const FetchPulse> pulse = nullptr;  // of the session, if there is one
  };
  // True when the high watermark moved.
  bool on_fetch(std::int32_t replica, const Fetched& fetched, const LogEnds& log, base::Instant now);
  // The change to ask for, if there is one and none is pending. It is pending then until on_isr_changed() or
  // on_isr_refused(), or until the controller speaks.
  std::optional<IsrChange> expand(std::int32_t replica);
  // Those leave that lag; and those of `suspects` that the watermark waits for, when the rest is not fewer
  // than min.insync.replicas.
  std::optional<IsrChange> shrink(const LogEnds& log, base::Instant now,
                                  const std::set<std::int32_t>& suspects = {});
  // In-sync followers that the watermark waits for and that have not fetched for so long.
  void add_silent(const LogEnds& log, base::Instant now, base::Duration silence,
                  std::set<std::int32_t>& out) const;
  // What the controller answered. True when the high watermark moved.
  bool on_isr_changed(const IsrChange& changed, const LogEnds& log, base::Instant now);
  // Nothing was changed. True when the high watermark moved.
  bool on_isr_refused(const IsrChange& asked, const LogEnds& log, base::Instant now);
  // The metadata does not name these brokers any more. True when the high watermark moved.
  bool on_brokers_gone(const std::set<std::int32_t>& gone, const LogEnds& log, base::Instant now);
  bool isr_pending() const { return pending_isr_.has_value(); }
  std::int64_t log_start_of(std::int32_t follower) const {
    const auto it = remotes_.find(follower);
    return it == remotes_.end() ? -1 : it->second.log_start;
  }
  // An in-sync follower that has all: a fetch without news of it changes nothing but the time of its last
  // one.
  bool rests(std::int32_t replica) const;

  // ---- as follower ----
  // What the leader said of its watermark, and after a truncation. True when the own one moved.
  bool follow(std::int64_t leader_high_watermark, const LogEnds& log);

  Role role() const { return role_; }
  bool is_leader() const { return role_ == Role::leader; }
  std::int32_t leader() const { return state_.leader; }
  std::int32_t leader_epoch() const { return role_ == Role::none ? -1 : state_.leader_epoch; }
  std::int64_t epoch_start() const { return epoch_start_; }
  const State& state() const { return state_; }
  std::size_t isr_size() const { return state_.isr.size(); }
  // Whether acks=all may be promised: before an append by the set that the controller knows, after it by the
  // larger one. A topic with fewer replicas than min.insync.replicas needs them all.
  bool enough_replicas(std::int32_t min_insync) const { return enough(state_.isr.size(), min_insync); }
  bool enough_replicas_after(std::int32_t min_insync) const {
    return enough(maximal_isr().size(), min_insync);
  }
  std::int64_t high_watermark() const { return high_watermark_; }
  std::int64_t last_stable_offset(std::int64_t first_unstable) const {
    return first_unstable < high_watermark_ ? first_unstable : high_watermark_;
  }
  // The lowest start offset of the replicas that are alive: DeleteRecords waits for it.
  // -1 while one of them has not fetched.
  template <class Alive>
  std::int64_t low_watermark(const LogEnds& log, Alive alive) const {
    std::int64_t lowest = log.start;
    for (const auto& [id, remote] : remotes_)
      if (alive(id)) lowest = std::min(lowest, remote.log_start);
    return lowest;
  }

 private:
  bool advance(const LogEnds& log, base::Instant now);
  bool counts(std::int32_t id, const RemoteReplica& remote, const LogEnds& log, base::Instant now) const;
  static void count_beats(RemoteReplica& remote);
  bool lags(const RemoteReplica& remote, const LogEnds& log, base::Instant now) const;
  IsrChange propose(std::vector<std::int32_t> isr);
  const std::vector<std::int32_t>& maximal_isr() const {
    return pending_isr_ && pending_isr_->size() > state_.isr.size() ? *pending_isr_ : state_.isr;
  }
  bool enough(std::size_t insync, std::int32_t min_insync) const {
    return static_cast<std::int64_t>(insync) >=
           std::min<std::int64_t>(min_insync, static_cast<std::int64_t>(remotes_.size()) + 1);
  }

  std::int32_t broker_id_;
  base::Duration lag_max_;
  Role role_ = Role::none;
  State state_;
  std::int64_t high_watermark_;
  std::int64_t epoch_start_ = 0;
  std::map<std::int32_t, RemoteReplica> remotes_;
  std::optional<std::vector<std::int32_t>> pending_isr_;  // asked for; grows or shrinks, never both
};

}  // namespace tandem::broker::replica
