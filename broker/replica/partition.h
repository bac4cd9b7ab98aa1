// Partition: the core of one replica: leader or follower, leader epoch, in-sync replicas, high watermark and
// last stable offset. It knows its log as a few numbers and never touches it. Single-threaded: called by the
// partition's owner with the time as argument. What a controller may tell it is checked here (LeaderAndIsr,
// StopReplica).
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "broker/protocol/errors.h"
#include "broker/protocol/messages/leader_and_isr.h"

namespace tandem::broker::replica {

enum class Role : std::uint8_t { none, leader, follower };

// The log as the core sees it.
struct LogEnds {
  std::int64_t start = 0;
  std::int64_t end = 0;
  std::int64_t first_unstable = 0;  // end where nothing is unstable
};

// A follower as its leader sees it.
struct RemoteReplica {
  std::int64_t log_end = -1;
  std::int64_t log_start = -1;
  std::int64_t last_fetch_leader_end = 0;
  base::Instant last_fetch{};
  base::Instant last_caught_up{};
};

class Partition {
 public:
  using State = protocol::LeaderAndIsrRequest::LeaderAndIsrPartitionState;

  explicit Partition(std::int32_t broker_id, std::int64_t high_watermark = 0)
      : broker_id_(broker_id), high_watermark_(high_watermark) {}

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

  // The leader's log grew. True when the high watermark moved.
  bool on_append(const LogEnds& log);
  // A follower fetched from `offset`: it has everything below. True when the high watermark moved.
  bool on_fetch(std::int32_t replica, std::int64_t offset, std::int64_t log_start, const LogEnds& log,
                base::Instant now);

  Role role() const { return role_; }
  bool is_leader() const { return role_ == Role::leader; }
  std::int32_t leader() const { return state_.leader; }
  std::int32_t leader_epoch() const { return role_ == Role::none ? -1 : state_.leader_epoch; }
  std::int64_t epoch_start() const { return epoch_start_; }
  const State& state() const { return state_; }
  std::size_t isr_size() const { return state_.isr.size(); }
  bool enough_replicas(std::int32_t min_insync) const {
    return static_cast<std::int64_t>(state_.isr.size()) >= min_insync;
  }
  std::int64_t high_watermark() const { return high_watermark_; }
  std::int64_t last_stable_offset(std::int64_t first_unstable) const {
    return first_unstable < high_watermark_ ? first_unstable : high_watermark_;
  }
  // The lowest start offset of the replicas that are alive: DeleteRecords waits for it.
  std::int64_t low_watermark(const LogEnds& log) const;

 private:
  bool advance(const LogEnds& log);

  std::int32_t broker_id_;
  Role role_ = Role::none;
  State state_;
  std::int64_t high_watermark_;
  std::int64_t epoch_start_ = 0;
  std::map<std::int32_t, RemoteReplica> remotes_;
};

}  // namespace tandem::broker::replica
