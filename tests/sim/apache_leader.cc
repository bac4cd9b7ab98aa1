#include "tests/sim/apache_leader.h"

#include <fmt/format.h>

#include <algorithm>

namespace tandem::sim {

namespace zab = coord::zab;
namespace records = coord::records;
using records::counter_of;
using records::epoch_of;
using records::make_zxid;

ApacheLeader::ApacheLeader(const zab::LeaderOptions& options, const zab::LeaderStart& start,
                           const coord::quorum::QuorumConfig& config, zab::CommitLog& commit_log, Instant now)
    : options_(options),
      start_(start),
      config_(config),
      commit_log_(commit_log),
      phase_end_(now + options.tick * options.init_limit),
      epoch_(start.accepted_epoch + 1) {
  connecting_.insert(options_.self);
  check_epoch(now);
}

ApacheLeader::Handler* ApacheLeader::find(LearnerId id) {
  const auto it = handlers_.find(id);
  return it == handlers_.end() ? nullptr : &it->second;
}

void ApacheLeader::put(Handler& handler, PacketType type, Zxid zxid, jute::BufferView data) {
  records::put_packet(handler.out, type, zxid, data);
}

// SyncLimitCheck.updateProposal
void ApacheLeader::put_proposal(Handler& handler, const TxnRef& txn, Instant now) {
  put(handler, PacketType::proposal, txn.zxid, txn.payload.view());
  if (handler.limit_started) (handler.watched ? handler.next_watched : handler.watched) = {txn.zxid, now};
}

void ApacheLeader::close(LearnerId id, const std::string& reason) {
  Handler* handler = find(id);
  if (handler == nullptr) return;
  effects_.emplace_back(zab::CloseLearner{id, reason, handler->at == At::introducing});
  handlers_.erase(id);
}

void ApacheLeader::dismiss(LearnerId learner, const std::string& reason) { close(learner, reason); }

coord::zab::LearnerId ApacheLeader::open_learner(Instant now) {
  Handler handler;
  handler.id = LearnerId(next_id_++);
  handler.heard = now;
  handler.deadline_tick = tick_ + options_.init_limit + options_.sync_limit;
  const LearnerId id = handler.id;
  handlers_.emplace(id, std::move(handler));
  return id;
}

void ApacheLeader::on_packet(LearnerId learner, const Packet& packet, Instant now) {
  Handler* handler = find(learner);
  if (handler == nullptr || phase_ == Phase::over) return;
  handler->heard = now;
  switch (handler->at) {
    case At::introducing:
      return introduce(*handler, packet, now);
    case At::ack_epoch:
      return on_ack_epoch(*handler, packet, now);
    case At::ack_new_leader:
      return on_new_leader_ack(*handler, packet, now);
    case At::serving:
      return on_serving_packet(*handler, packet);
    case At::wait_new_leader_acks:
      return on_serving_packet(*handler, packet);  // would wait in the socket: nothing depends on it
    case At::wait_epoch:
    case At::wait_epoch_acks:
    case At::reading_log:
    case At::sending_snapshot:
      return close(learner, "it speaks out of turn, which no learner does");
  }
}

// ---- getEpochToPropose
// --------------------------------------------------------------------------------------

void ApacheLeader::introduce(Handler& handler, const Packet& packet, Instant now) {
  if (packet.type != PacketType::follower_info && packet.type != PacketType::observer_info)
    return close(handler.id, "the first packet is no introduction");
  const auto info = records::decode_learner_info(packet.data.value_or(std::string_view()));
  if (!info || info->config_version > config_.version())
    return close(handler.id, "it has a later configuration");
  handler.sid = ServerId(info->server_id);
  handler.observer = packet.type == PacketType::observer_info;
  if (epoch_chosen_) return give_epoch(handler, now);
  epoch_ = std::max(epoch_, epoch_of(packet.zxid) + 1);
  if (is_participant(handler.sid)) connecting_.insert(handler.sid);
  handler.at = At::wait_epoch;
  handler.wait_end = now + options_.tick * options_.init_limit;
  check_epoch(now);
}

void ApacheLeader::check_epoch(Instant now) {
  if (epoch_chosen_ || !config_.contains_quorum(connecting_)) return;
  epoch_chosen_ = true;
  phase_end_ = now + options_.tick * options_.init_limit;
  effects_.emplace_back(zab::PersistAcceptedEpoch{epoch_});
}

void ApacheLeader::give_epoch(Handler& handler, Instant now) {
  handler.at = At::wait_epoch;
  handler.wait_end = now + options_.tick * options_.init_limit;
  if (!epoch_durable_) return;
  handler.at = At::ack_epoch;
  handler.heard = now;
  put(handler, PacketType::leader_info, make_zxid(epoch_, 0), records::encode_i32(records::kProtocolVersion));
}

void ApacheLeader::on_accepted_epoch_durable(std::int64_t epoch, Instant now) {
  if (phase_ != Phase::epoch || !epoch_chosen_ || epoch != epoch_) return;
  epoch_durable_ = true;
  phase_ = Phase::epoch_acks;
  phase_end_ = now + options_.tick * options_.init_limit;
  last_proposed_ = make_zxid(epoch_, 0);
  for (auto& [id, handler] : handlers_)
    if (handler.at == At::wait_epoch) give_epoch(handler, now);
  electing_.insert(options_.self);
  check_epoch_acks(now);
}

// ---- waitForEpochAck
// ----------------------------------------------------------------------------------------

void ApacheLeader::on_ack_epoch(Handler& handler, const Packet& packet, Instant now) {
  const auto current = records::decode_i32(packet.data);
  if (packet.type != PacketType::ack_epoch || !current) return close(handler.id, "that is not ACKEPOCH");
  handler.last_zxid = packet.zxid;
  if (phase_ != Phase::epoch_acks) return sync_follower(handler, now);
  if (*current != -1) {
    const bool ahead = *current > start_.current_epoch ||
                       (*current == start_.current_epoch && packet.zxid > start_.last_zxid);
    if (ahead) return close(handler.id, "the follower is ahead of the leader");
    if (packet.zxid.value != -1 && is_participant(handler.sid)) electing_.insert(handler.sid);
  }
  handler.at = At::wait_epoch_acks;
  handler.wait_end = now + options_.tick * options_.init_limit;
  check_epoch_acks(now);
}

void ApacheLeader::check_epoch_acks(Instant now) {
  if (phase_ != Phase::epoch_acks || !config_.contains_quorum(electing_)) return;
  phase_ = Phase::new_leader_acks;
  phase_end_ = now + options_.tick * options_.init_limit;
  effects_.emplace_back(zab::PersistCurrentEpoch{epoch_});
  for (auto& [id, handler] : handlers_)
    if (handler.at == At::wait_epoch_acks) sync_follower(handler, now);
}

// ---- syncFollower
// -------------------------------------------------------------------------------------------

void ApacheLeader::sync_follower(Handler& handler, Instant now) {
  const Zxid peer = handler.last_zxid;
  const bool at_epoch_start = counter_of(peer) == 0;
  const Zxid min = commit_log_.empty() ? processed() : commit_log_.min();
  const Zxid max = commit_log_.empty() ? processed() : commit_log_.max();
  handler.op_sent = false;
  if (processed() == peer) {
    put(handler, PacketType::diff, peer);
    return start_forwarding(handler, peer, false, now);
  }
  if (peer > max && !at_epoch_start) {
    put(handler, PacketType::trunc, max);
    return start_forwarding(handler, max, false, now);
  }
  if (min <= peer && peer <= max) {
    const Zxid current = queue_committed(handler, committed_log(), peer, std::nullopt, max, now);
    return start_forwarding(handler, current, !handler.op_sent, now);
  }
  if (peer < min && options_.log_readable) {
    handler.at = At::reading_log;
    handler.wait_end = now + options_.tick * options_.init_limit;
    handler.read.clear();
    handler.whole = true;
    effects_.emplace_back(zab::ReadLog{handler.id, peer, max});
    return;
  }
  start_forwarding(handler, peer, true, now);
}

// getProposalsFromTxnLog: nothing when it begins behind what is asked for. What was committed while it was
// read is in the memory.
void ApacheLeader::on_log_chunk(LearnerId learner, zab::LogChunk chunk, Instant now) {
  Handler* handler = find(learner);
  if (handler == nullptr || handler->at != At::reading_log || phase_ == Phase::over) return;
  handler->whole = handler->whole && chunk.available;
  for (TxnRef& txn : chunk.txns) handler->read.push_back(std::move(txn));
  if (!chunk.last && handler->whole) return;
  const Zxid peer = handler->last_zxid;
  const bool reaches = handler->whole && !handler->read.empty() && handler->read.front().zxid <= peer;
  if (!reaches) return start_forwarding(*handler, peer, true, now);
  const Zxid min = commit_log_.empty() ? processed() : commit_log_.min();
  const Zxid max = commit_log_.empty() ? processed() : commit_log_.max();
  const auto read = std::exchange(handler->read, {});
  Zxid current = queue_committed(*handler, read, peer, min, max, now);
  if (current < min) {
    handler->out.clear();
    return start_forwarding(*handler, peer, true, now);
  }
  current = queue_committed(*handler, committed_log(), current, std::nullopt, max, now);
  start_forwarding(*handler, current, !handler->op_sent, now);
}

// queueCommittedProposals: (from, max].
jute::Zxid ApacheLeader::queue_committed(Handler& handler, const std::vector<TxnRef>& txns, Zxid from,
                                         std::optional<Zxid> max, Zxid last_committed, Instant now) {
  const bool at_epoch_start = counter_of(from) == 0;
  Zxid queued = from;
  Zxid before(-1);
  const auto open = [&](PacketType type, Zxid zxid) {
    put(handler, type, zxid);
    handler.op_sent = true;
  };
  for (const TxnRef& txn : txns) {
    if (max && txn.zxid > *max) break;
    if (txn.zxid < from) {
      before = txn.zxid;
      continue;
    }
    if (!handler.op_sent) {
      if (txn.zxid == from) {
        open(PacketType::diff, last_committed);
        continue;
      }
      if (at_epoch_start) {
        open(PacketType::diff, last_committed);
      } else {
        if (epoch_of(txn.zxid) != epoch_of(from)) return queued;
        open(PacketType::trunc, before);
      }
    }
    if (txn.zxid <= queued) continue;
    put_proposal(handler, txn, now);
    put(handler, PacketType::commit, txn.zxid);
    queued = txn.zxid;
  }
  if (!handler.op_sent && at_epoch_start) open(PacketType::diff, last_committed);
  return queued;
}

void ApacheLeader::start_forwarding(Handler& handler, Zxid last_seen, bool snapshot, Instant now) {
  if (snapshot) {
    handler.out.clear();
    last_seen = processed();
    put(handler, PacketType::snap, last_seen);
    effects_.emplace_back(zab::SendToLearner{handler.id, std::exchange(handler.out, {})});
    effects_.emplace_back(zab::SendSnapshot{handler.id, last_seen});
  }
  if (last_proposed_ > last_seen && is_participant(handler.sid) && !handler.observer) {
    for (const TxnRef& txn : outstanding_)
      if (txn.zxid > last_seen) put_proposal(handler, txn, now);
  }
  handler.forwarding = true;
  if (!snapshot) return begin_sending(handler, now);
  handler.at = At::sending_snapshot;  // NEWLEADER is queued when the tree is written
}

void ApacheLeader::on_snapshot_sent(LearnerId learner, Instant now) {
  Handler* handler = find(learner);
  if (handler != nullptr && handler->at == At::sending_snapshot) begin_sending(*handler, now);
}

void ApacheLeader::begin_sending(Handler& handler, Instant now) {
  handler.sending = true;
  handler.at = At::ack_new_leader;
  handler.heard = now;
  // Where the configuration cannot change, it has no version of an epoch's.
  put(handler, PacketType::new_leader, make_zxid(epoch_, 0), config_.text());
}

// ---- waitForNewLeaderAck
// ------------------------------------------------------------------------------------

void ApacheLeader::on_new_leader_ack(Handler& handler, const Packet& packet, Instant now) {
  if (packet.type != PacketType::ack) return close(handler.id, "the next packet was to be an ACK");
  handler.limit_started = true;
  if (phase_ == Phase::broadcast) return up_to_date(handler);
  handler.at = At::wait_new_leader_acks;
  handler.wait_end = now + options_.tick * options_.init_limit;
  if (packet.zxid == make_zxid(epoch_, 0) && is_participant(handler.sid))
    new_leader_acks_.insert(handler.sid);
  check_new_leader_acks(now);
}

void ApacheLeader::on_current_epoch_durable(std::int64_t epoch, Instant now) {
  if (phase_ != Phase::new_leader_acks || epoch != epoch_) return;
  start_.current_epoch = epoch;
  new_leader_acks_.insert(options_.self);
  check_new_leader_acks(now);
}

void ApacheLeader::check_new_leader_acks(Instant now) {
  if (phase_ != Phase::new_leader_acks || !new_leader_acks_.contains(options_.self) ||
      !config_.contains_quorum(new_leader_acks_))
    return;
  phase_ = Phase::broadcast;
  last_committed_ = make_zxid(epoch_, 0);
  next_half_ = now + options_.tick / 2;
  effects_.emplace_back(zab::StartLeading{make_zxid(epoch_, 0)});
  for (auto& [id, handler] : handlers_)
    if (handler.at == At::wait_new_leader_acks) up_to_date(handler);
}

void ApacheLeader::up_to_date(Handler& handler) {
  handler.at = At::serving;
  put(handler, PacketType::up_to_date, Zxid(-1));
}

// ---- broadcast
// ----------------------------------------------------------------------------------------------

void ApacheLeader::on_serving_packet(Handler& handler, const Packet& packet) {
  handler.deadline_tick = tick_ + options_.sync_limit;
  switch (packet.type) {
    case PacketType::ack:
      if (handler.watched && handler.watched->first == packet.zxid) {
        handler.watched = std::exchange(handler.next_watched, std::nullopt);
      } else if (handler.next_watched && handler.next_watched->first == packet.zxid) {
        handler.next_watched.reset();
      }
      return process_ack(handler.sid, packet.zxid);
    case PacketType::ping:
      if (auto touches = records::decode_touches(packet.data); touches && !touches->empty())
        effects_.emplace_back(zab::LearnerTouches{handler.id, std::move(*touches)});
      return;
    case PacketType::revalidate:
      if (const auto session = records::decode_revalidate(packet.data))
        effects_.emplace_back(zab::LearnerRevalidate{handler.id, handler.sid, *session});
      return;
    case PacketType::request: {
      const auto request = records::decode_request(packet.data);
      auto ids = records::decode_authinfo(packet);
      if (!request || !ids) return close(handler.id, "a damaged request");
      effects_.emplace_back(zab::LearnerRequest{handler.id, handler.sid, request->session, request->cxid,
                                                request->type, std::string(request->body), std::move(*ids)});
      return;
    }
    default:
      return;
  }
}

void ApacheLeader::propose(const std::shared_ptr<const records::TxnBatch>& batch, Instant now) {
  if (phase_ != Phase::broadcast) return;
  Zxid zxid = batch->first;
  batch->for_each([&](std::string_view payload) {
    outstanding_.push_back(TxnRef{zxid, bytes::Slice(batch, payload)});
    for (auto& [id, handler] : handlers_)
      if (handler.forwarding && !handler.observer) put_proposal(handler, outstanding_.back(), now);
    zxid = zxid.next();
  });
  last_proposed_ = batch->last;
  effects_.emplace_back(zab::Persist{batch});
}

void ApacheLeader::on_durable(Zxid zxid) {
  std::vector<Zxid> mine;
  for (const TxnRef& txn : outstanding_)
    if (txn.zxid <= zxid) mine.push_back(txn.zxid);
  for (const Zxid each : mine) process_ack(options_.self, each);
}

// processAck, tryToCommit: each acknowledgement counts for its own transaction, and a transaction is
// committed when its own one completes the quorum and none before it is left.
void ApacheLeader::process_ack(ServerId sid, Zxid zxid) {
  if (counter_of(zxid) == 0 || outstanding_.empty() || zxid <= last_committed_ || zxid > last_proposed_)
    return;
  if (!is_participant(sid)) return;
  acks_[zxid].insert(sid);
  if (outstanding_.front().zxid != zxid || !config_.contains_quorum(acks_[zxid])) return;
  TxnRef txn = std::move(outstanding_.front());
  outstanding_.pop_front();
  acks_.erase(zxid);
  last_committed_ = zxid;
  for (auto& [id, handler] : handlers_) {
    if (!handler.forwarding) continue;
    handler.observer ? put(handler, PacketType::inform, zxid, txn.payload.view())
                     : put(handler, PacketType::commit, zxid);
  }
  commit_log_.add(std::move(txn));
  effects_.emplace_back(zab::Commit{zxid});
}

void ApacheLeader::answer_sync(LearnerId learner) {
  if (Handler* handler = find(learner)) put(*handler, PacketType::sync, Zxid(0));
}

void ApacheLeader::revalidated(LearnerId learner, jute::SessionId session, bool valid) {
  if (Handler* handler = find(learner)) records::put_revalidated(handler->out, session, valid);
}

// ---- time
// ---------------------------------------------------------------------------------------------------

// A wait for others ends, or the socket's read timeout.
std::optional<base::Instant> ApacheLeader::ends(const Handler& handler) const {
  switch (handler.at) {
    case At::wait_epoch:
    case At::wait_epoch_acks:
    case At::wait_new_leader_acks:
      return handler.wait_end;
    case At::reading_log:
    case At::sending_snapshot:
      return std::nullopt;
    case At::serving:
      return handler.heard + options_.tick * options_.sync_limit;
    case At::introducing:
    case At::ack_epoch:
    case At::ack_new_leader:
      return handler.heard + options_.tick * options_.init_limit;
  }
  return std::nullopt;
}

void ApacheLeader::on_deadline(Instant now) {
  if (phase_ == Phase::over) return;
  if (phase_ != Phase::broadcast && now >= phase_end_) return step_down("timeout while waiting for a quorum");
  std::vector<LearnerId> silent;
  for (const auto& [id, handler] : handlers_) {
    const auto end = ends(handler);
    if (end && now >= *end) silent.push_back(id);
  }
  for (const LearnerId id : silent) close(id, "read timed out");
  if (phase_ == Phase::broadcast && now >= next_half_) half_tick(now);
}

void ApacheLeader::half_tick(Instant now) {
  next_half_ = now + options_.tick / 2;
  if (!skip_tick_) ++tick_;
  coord::quorum::ServerSet synced{options_.self};
  for (const auto& [id, handler] : handlers_)
    if (handler.at != At::introducing && tick_ <= handler.deadline_tick && is_participant(handler.sid))
      synced.insert(handler.sid);
  if (!skip_tick_ && !config_.contains_quorum(synced)) return step_down("not sufficient followers synced");
  skip_tick_ = !skip_tick_;
  std::vector<LearnerId> late;
  for (auto& [id, handler] : handlers_) {
    if (!handler.sending) continue;
    const bool slow = handler.watched && now - handler.watched->second >= options_.tick * options_.sync_limit;
    slow ? late.push_back(id) : put(handler, PacketType::ping, last_proposed_);
  }
  for (const LearnerId id : late) close(id, "transaction timeout");
}

std::optional<base::Instant> ApacheLeader::next_deadline() const {
  if (phase_ == Phase::over) return std::nullopt;
  Instant first = phase_ == Phase::broadcast ? next_half_ : phase_end_;
  for (const auto& [id, handler] : handlers_)
    if (const auto end = ends(handler)) first = std::min(first, *end);
  return first;
}

void ApacheLeader::step_down(std::string reason) {
  if (phase_ == Phase::over) return;
  phase_ = Phase::over;
  handlers_.clear();
  effects_.emplace_back(zab::StepDown{std::move(reason)});
}

std::vector<zab::LeaderEffect> ApacheLeader::take_effects() {
  for (auto& [id, handler] : handlers_)
    if (!handler.out.empty()) effects_.emplace_back(zab::SendToLearner{id, std::exchange(handler.out, {})});
  return std::exchange(effects_, {});
}

zab::LeaderStatus ApacheLeader::status() const {
  zab::LeaderStatus status;
  status.epoch = epoch_;
  status.last_proposed = last_proposed_;
  status.last_committed = last_committed_;
  status.outstanding = outstanding_.size();
  switch (phase_) {
    case Phase::epoch:
      status.phase = zab::LeaderPhase::discovery;
      break;
    case Phase::epoch_acks:
      status.phase = zab::LeaderPhase::epoch_acks;
      break;
    case Phase::new_leader_acks:
      status.phase = zab::LeaderPhase::synchronization;
      break;
    case Phase::broadcast:
      status.phase = zab::LeaderPhase::broadcast;
      break;
    case Phase::over:
      status.phase = zab::LeaderPhase::over;
  }
  return status;
}

}  // namespace tandem::sim
