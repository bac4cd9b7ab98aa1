#include "broker/replica/partition.h"

#include <algorithm>

namespace tandem::broker::replica {

using protocol::ErrorCode;

namespace {

constexpr std::int32_t kEpochDuringDelete = -2;
constexpr std::int32_t kNoEpoch = -1;

bool contains(const std::vector<std::int32_t>& ids, std::int32_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

ErrorCode Partition::check(const State& state) const {
  if (role_ != Role::none && state.leader_epoch <= state_.leader_epoch)
    return ErrorCode::stale_controller_epoch;
  if (!contains(state.replicas, broker_id_)) return ErrorCode::unknown_topic_or_partition;
  return ErrorCode::none;
}

bool Partition::apply(const State& state, const LogEnds& log, base::Instant now) {
  const bool was_leader = role_ == Role::leader && state_.leader_epoch == state.leader_epoch;
  state_ = state;
  remotes_.clear();
  high_watermark_ = std::clamp(high_watermark_, log.start, log.end);
  if (state.leader != broker_id_) {
    role_ = Role::follower;
    return false;
  }
  role_ = Role::leader;
  epoch_start_ = log.end;
  for (const std::int32_t id : state.replicas) {
    if (id == broker_id_) continue;
    RemoteReplica& remote = remotes_[id];
    // Members of the ISR count as caught up until the lag limit says otherwise.
    if (contains(state.isr, id)) remote.last_caught_up = now;
  }
  advance(log);
  return !was_leader;
}

ErrorCode Partition::check_stop(std::int32_t leader_epoch) const {
  if (leader_epoch == kNoEpoch || leader_epoch == kEpochDuringDelete || role_ == Role::none)
    return ErrorCode::none;
  return leader_epoch < state_.leader_epoch ? ErrorCode::fenced_leader_epoch : ErrorCode::none;
}

void Partition::stop() {
  role_ = Role::none;
  remotes_.clear();
}

ErrorCode Partition::check_epoch(std::int32_t current_leader_epoch) const {
  if (current_leader_epoch < 0) return ErrorCode::none;
  if (current_leader_epoch < state_.leader_epoch) return ErrorCode::fenced_leader_epoch;
  if (current_leader_epoch > state_.leader_epoch) return ErrorCode::unknown_leader_epoch;
  return ErrorCode::none;
}

ErrorCode Partition::check_leader(std::int32_t current_leader_epoch) const {
  if (role_ == Role::none) return ErrorCode::not_leader_or_follower;
  if (const auto error = check_epoch(current_leader_epoch); error != ErrorCode::none) return error;
  return role_ == Role::leader ? ErrorCode::none : ErrorCode::not_leader_or_follower;
}

bool Partition::advance(const LogEnds& log) {
  std::int64_t lowest = log.end;
  for (const std::int32_t id : state_.isr) {
    if (id == broker_id_) continue;
    const auto it = remotes_.find(id);
    lowest = std::min(lowest, it == remotes_.end() ? std::int64_t{0} : it->second.log_end);
  }
  if (lowest <= high_watermark_) return false;
  high_watermark_ = lowest;
  return true;
}

bool Partition::on_append(const LogEnds& log) { return role_ == Role::leader && advance(log); }

bool Partition::on_fetch(std::int32_t replica, std::int64_t offset, std::int64_t log_start,
                         const LogEnds& log, base::Instant now) {
  const auto it = remotes_.find(replica);
  if (it == remotes_.end()) return false;
  RemoteReplica& remote = it->second;
  // Caught up: it has all that was there now, or all that was there when it asked before.
  if (offset >= log.end) {
    remote.last_caught_up = now;
  } else if (offset >= remote.last_fetch_leader_end) {
    remote.last_caught_up = remote.last_fetch;
  }
  remote.log_end = offset;
  remote.log_start = log_start;
  remote.last_fetch = now;
  remote.last_fetch_leader_end = log.end;
  return advance(log);
}

std::int64_t Partition::low_watermark(const LogEnds& log) const {
  std::int64_t lowest = log.start;
  for (const auto& [id, remote] : remotes_)
    if (remote.log_start >= 0) lowest = std::min(lowest, remote.log_start);
  return lowest;
}

}  // namespace tandem::broker::replica
