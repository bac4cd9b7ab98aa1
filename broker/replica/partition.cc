#include "broker/replica/partition.h"

#include <tuple>
#include <utility>

namespace tandem::broker::replica {

using protocol::ErrorCode;

namespace {

constexpr std::int32_t kNoEpoch = -1;
constexpr base::milliseconds kAskAgain{1000};  // for one whom the controller has refused

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
  const bool led = role_ == Role::leader;
  const bool was_leader = led && state_.leader_epoch == state.leader_epoch;
  state_ = state;
  pending_isr_.reset();
  high_watermark_ = std::clamp(high_watermark_, log.start, log.end);
  if (state.leader != broker_id_) {
    role_ = Role::follower;
    remotes_.clear();
    return false;
  }
  role_ = Role::leader;
  epoch_start_ = log.end;
  // Who led before and leads on still knows what its followers have.
  const auto before = std::exchange(remotes_, {});
  for (const std::int32_t id : state.replicas) {
    if (id == broker_id_) continue;
    RemoteReplica& remote = remotes_[id];
    if (const auto known = before.find(id); led && known != before.end()) remote = known->second;
    remote.pulse.reset();
    remote.refused.reset();
    // Members of the ISR count as caught up until the lag limit says otherwise.
    remote.last_caught_up = contains(state.isr, id) ? std::optional(now) : std::nullopt;
  }
  advance(log, now);
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
  pending_isr_.reset();
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

// ---- as leader -------------------------------------------------------------------------------------------

bool Partition::lags(const RemoteReplica& remote, const LogEnds& log, base::Instant now) const {
  if (remote.log_end == log.end) return false;
  return !remote.last_caught_up || now - *remote.last_caught_up > lag_max_;
}

// Whether the watermark waits for the replica: it is in sync, or is about to be.
bool Partition::counts(std::int32_t id, const RemoteReplica& remote, const LogEnds& log,
                       base::Instant now) const {
  if (contains(maximal_isr(), id)) return true;
  return remote.live && !remote.refused && remote.log_end >= 0 && !lags(remote, log, now);
}

bool Partition::advance(const LogEnds& log, base::Instant now) {
  if (!enough_replicas(log.min_insync)) return false;
  std::int64_t lowest = std::min(log.end, log.durable);
  for (const auto& [id, remote] : remotes_)
    if (remote.log_end < lowest && counts(id, remote, log, now)) lowest = remote.log_end;
  if (lowest <= high_watermark_) return false;
  high_watermark_ = lowest;
  return true;
}

bool Partition::on_append(const LogEnds& log, base::Instant now) {
  if (role_ != Role::leader) return false;
  for (auto& [id, remote] : remotes_) count_beats(remote);
  return advance(log, now);
}

void Partition::count_beats(RemoteReplica& remote) {
  const auto pulse = std::exchange(remote.pulse, nullptr);
  if (pulse == nullptr || pulse->at <= remote.last_fetch) return;
  remote.last_fetch = remote.mark_at = pulse->at;
  remote.last_caught_up = pulse->at;
}

bool Partition::rests(std::int32_t replica) const {
  const auto it = remotes_.find(replica);
  return role_ == Role::leader && !pending_isr_ && it != remotes_.end() && it->second.pulse != nullptr &&
         contains(state_.isr, replica);
}

bool Partition::on_fetch(std::int32_t replica, const Fetched& fetched, const LogEnds& log,
                         base::Instant now) {
  const auto it = remotes_.find(replica);
  if (it == remotes_.end()) return false;
  RemoteReplica& remote = it->second;
  const std::int64_t counted = std::min(fetched.offset, fetched.durable);
  // Caught up: it has all that is there now, or all that was there when it asked before.
  const bool reached = remote.log_end >= 0 && counted >= remote.mark_end;
  if (counted >= log.end) {
    remote.last_caught_up = now;
  } else if (reached) {
    remote.last_caught_up = std::max(remote.last_caught_up.value_or(remote.mark_at), remote.mark_at);
  }
  // A disk that is always a sync behind would never reach a mark that moves with each fetch.
  if (counted == fetched.offset || reached || remote.log_end < 0) {
    remote.mark_at = now;
    remote.mark_end = log.end;
  }
  remote.log_end = counted;
  remote.last_fetch = now;
  remote.log_start = fetched.log_start;
  remote.live = fetched.live;
  remote.pulse = counted >= log.end ? fetched.pulse : nullptr;
  return advance(log, now);
}

std::optional<std::int32_t> Partition::reader_choice(std::span<const std::int32_t> candidates,
                                                     std::int64_t offset, base::Instant now) const {
  if (role_ != Role::leader) return std::nullopt;
  // Kafka's order: the further log, then the one that was caught up last, then the higher number.
  std::optional<std::tuple<std::int64_t, base::Duration, std::int32_t>> best;
  for (const std::int32_t id : candidates) {
    const auto it = remotes_.find(id);
    if (it == remotes_.end() || !contains(state_.isr, id)) continue;
    const RemoteReplica& remote = it->second;
    if (remote.log_end < offset || remote.log_start > offset) continue;
    const base::Duration behind = remote.last_caught_up ? now - *remote.last_caught_up : lag_max_;
    const auto seen = std::make_tuple(remote.log_end, -behind, id);
    if (!best || seen > *best) best = seen;
  }
  return best ? std::optional(std::get<2>(*best)) : std::nullopt;
}

IsrChange Partition::propose(std::vector<std::int32_t> isr) {
  pending_isr_ = isr;
  return {std::move(isr), state_.leader_epoch, state_.partition_epoch, 0, state_.controller_epoch};
}

std::optional<IsrChange> Partition::expand(std::int32_t replica) {
  if (role_ != Role::leader || pending_isr_ || contains(state_.isr, replica)) return std::nullopt;
  const auto it = remotes_.find(replica);
  if (it == remotes_.end() || !it->second.live) return std::nullopt;
  if (it->second.refused && it->second.last_fetch - *it->second.refused < kAskAgain) return std::nullopt;
  if (it->second.log_end < std::max(high_watermark_, epoch_start_)) return std::nullopt;
  std::vector<std::int32_t> isr = state_.isr;
  isr.push_back(replica);
  return propose(std::move(isr));
}

std::optional<IsrChange> Partition::shrink(const LogEnds& log, base::Instant now,
                                           const std::set<std::int32_t>& suspects) {
  if (role_ != Role::leader || pending_isr_) return std::nullopt;
  std::vector<std::int32_t> isr = state_.isr;
  std::erase_if(isr, [&](std::int32_t id) {
    const auto it = remotes_.find(id);
    return it != remotes_.end() && lags(it->second, log, now);
  });
  std::vector<std::int32_t> heard = isr;
  std::erase_if(heard, [&](std::int32_t id) {
    const auto it = remotes_.find(id);
    return it != remotes_.end() && suspects.contains(id) && it->second.log_end < log.end;
  });
  // All of them or none: one that stays is waited for.
  if (heard.size() < isr.size() && enough(heard.size(), log.min_insync)) isr = std::move(heard);
  if (isr.size() == state_.isr.size()) return std::nullopt;
  return propose(std::move(isr));
}

void Partition::add_silent(const LogEnds& log, base::Instant now, base::Duration silence,
                           std::set<std::int32_t>& out) const {
  if (role_ != Role::leader) return;
  for (const auto& [id, remote] : remotes_) {
    if (remote.log_end < log.end && now - remote.last_fetch >= silence && contains(state_.isr, id))
      out.insert(id);
  }
}

bool Partition::on_isr_changed(const IsrChange& changed, const LogEnds& log, base::Instant now) {
  if (role_ != Role::leader || changed.leader_epoch != state_.leader_epoch ||
      changed.partition_epoch < state_.partition_epoch)
    return false;
  // Who has left does not count as caught up: the watermark does not wait for it until it has fetched.
  for (auto& [id, remote] : remotes_)
    if (contains(state_.isr, id) && !contains(changed.isr, id)) {
      remote.last_caught_up.reset();
      remote.pulse.reset();
    } else if (contains(changed.isr, id)) {
      remote.refused.reset();
    }
  state_.isr = changed.isr;
  state_.partition_epoch = changed.partition_epoch;
  pending_isr_.reset();
  return advance(log, now);
}

bool Partition::on_isr_refused(const IsrChange& asked, const LogEnds& log, base::Instant now) {
  if (role_ != Role::leader || asked.leader_epoch != state_.leader_epoch ||
      asked.partition_epoch != state_.partition_epoch)
    return false;
  pending_isr_.reset();
  for (auto& [id, remote] : remotes_)
    if (contains(asked.isr, id) && !contains(state_.isr, id)) remote.refused = now;
  return advance(log, now);
}

bool Partition::on_brokers_gone(const std::set<std::int32_t>& gone, const LogEnds& log, base::Instant now) {
  if (role_ != Role::leader) return false;
  bool any = false;
  for (auto& [id, remote] : remotes_) {
    if (!gone.contains(id)) continue;
    remote.live = false;
    any = true;
  }
  return any && advance(log, now);
}

// ---- as follower -----------------------------------------------------------------------------------------

bool Partition::follow(std::int64_t leader_high_watermark, const LogEnds& log) {
  if (role_ != Role::follower) return false;
  const std::int64_t before = high_watermark_;
  high_watermark_ = std::clamp(std::max(high_watermark_, leader_high_watermark), log.start, log.end);
  return high_watermark_ != before;
}

}  // namespace tandem::broker::replica
