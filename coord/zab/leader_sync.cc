// Synchronization: what a learner lacks, then what is on its way, then NEWLEADER, in one piece, so that
// nothing is missed and nothing comes twice.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "coord/zab/leader.h"

namespace tandem::coord::zab {

using base::Instant;
using records::counter_of;
using records::make_zxid;
using records::PacketType;
using records::QuorumPacket;

// NEWLEADER carries the configuration that the quorum agrees on by acknowledging it. The first one of an
// ensemble has no version; it gets that of the epoch, as Apache's leader does.
std::string Leader::config_text() const {
  quorum::QuorumConfig config = config_;
  if (config.version() == 0) config.set_version(make_zxid(epoch_, 0).value);
  return config.text();
}

void Leader::synchronize(Peer& peer, Instant now) {
  settle();
  const Zxid processed = phase_ == LeaderPhase::broadcast ? last_committed_ : start_.last_zxid;
  const LeaderHistory history{last_txn_, processed, options_.log_readable};
  if (start_.snapshot_next.erase(peer.server) > 0) return sync_by_snapshot(peer, now);
  const SyncPlan plan = plan_sync(peer.last_zxid, history, commit_log_);
  if (plan.path != SyncPath::snapshot && must_wait(peer, false))
    return drop(peer, "as many observers are being brought up to date as may be at once");
  switch (plan.path) {
    case SyncPath::nothing:
      put(peer, PacketType::diff, plan.target);
      return begin_forwarding(peer, last_txn_, now);
    case SyncPath::truncate:
      put(peer, PacketType::trunc, plan.target);
      return begin_forwarding(peer, last_txn_, now);
    case SyncPath::memory:
      return sync_from_memory(peer, SyncWalk(peer.last_zxid, last_txn_), now);
    case SyncPath::log:
      peer.state = LearnerState::reading_log;
      peer.walk.emplace(peer.last_zxid, last_txn_);
      peer.walked.reset();
      return read_log(peer, peer.last_zxid);
    case SyncPath::snapshot:
      return sync_by_snapshot(peer, now);
  }
}

// As Apache's LearnerSyncThrottler: voters never wait for their turn.
bool Leader::must_wait(const Peer& peer, bool snapshot) const {
  if (!peer.observer) return false;
  const auto under_way = std::count_if(peers_.begin(), peers_.end(), [&](const auto& each) {
    const Peer& other = each.second;
    const bool syncing =
        other.state == LearnerState::reading_log || other.state == LearnerState::synchronizing;
    return other.id != peer.id && syncing && other.by_snapshot == snapshot;
  });
  return static_cast<std::size_t>(under_way) >= (snapshot ? options_.snapshots_max : options_.diffs_max);
}

void Leader::read_log(Peer& peer, Zxid from) {
  peer.read_from = from;
  peer.log_through = last_txn_;
  effects_.emplace_back(ReadLog{peer.id, from, peer.log_through});
}

// False: only a snapshot helps.
bool Leader::walk_one(Peer& peer, SyncWalk& walk, const TxnRef& txn) {
  const SyncWalk::Step step = walk.next(txn.zxid);
  if (step.impossible) return false;
  if (step.opening) put(peer, *step.opening, step.opening_zxid);
  if (!step.send) return true;
  put(peer, PacketType::proposal, txn.zxid, txn.payload.view());
  put(peer, PacketType::commit, txn.zxid);
  return true;
}

void Leader::sync_from_memory(Peer& peer, SyncWalk walk, Instant now) {
  for (const TxnRef& txn : commit_log_.txns()) {
    if (!walk_one(peer, walk, txn)) return sync_by_snapshot(peer, now);
  }
  if (!walk.opened()) {
    // Only a learner at the start of an epoch gets here: all that this leader has is older, so nothing is
    // missing and nothing can be cut.
    ENSURE(counter_of(peer.last_zxid) == 0, "learner at 0x{:x}", peer.last_zxid.value);
    put(peer, PacketType::diff, last_txn_);
  }
  begin_forwarding(peer, last_txn_, now);
}

void Leader::on_log_chunk(LearnerId learner, LogChunk chunk, Instant now) {
  Peer* peer = find(learner);
  if (peer == nullptr || peer->state != LearnerState::reading_log || phase_ == LeaderPhase::over) return;
  peer->heard = now;
  SyncWalk& walk = *peer->walk;
  const bool reaches = peer->walked || (!chunk.txns.empty() && chunk.txns.front().zxid <= peer->last_zxid);
  bool whole = chunk.available && reaches;
  for (const TxnRef& txn : chunk.txns) {
    if (!whole || txn.zxid > peer->log_through) break;
    if (peer->walked && txn.zxid <= *peer->walked) continue;
    whole = (!peer->walked || records::follows(txn.zxid, *peer->walked)) && walk_one(*peer, walk, txn);
    peer->walked = txn.zxid;
  }
  if (!whole && !walk.opened()) return sync_by_snapshot(*peer, now);
  if (!whole) {
    start_.snapshot_next.insert(peer->server);
    return drop(*peer, "the log has a hole behind what was sent: it gets a snapshot when it comes back");
  }
  if (!chunk.last) return;
  if (!walk.opened()) return sync_by_snapshot(*peer, now);
  settle();
  if (walk.queued() < last_txn_) {
    const bool covered = !commit_log_.empty() && commit_log_.min() <= walk.queued().next();
    if (!covered) {  // more was committed meanwhile than the memory holds
      if (walk.queued() == peer->read_from) {
        start_.snapshot_next.insert(peer->server);
        return drop(*peer, "the log ends before what is committed: it gets a snapshot when it comes back");
      }
      return read_log(*peer, walk.queued());
    }
    for (const TxnRef& txn : commit_log_.txns()) walk_one(*peer, walk, txn);
  }
  begin_forwarding(*peer, last_txn_, now);
}

void Leader::sync_by_snapshot(Peer& peer, Instant now) {
  peer.out.clear();  // nothing of a plan that failed was sent
  if (must_wait(peer, true)) return drop(peer, "as many snapshots are being sent as may be at once");
  peer.by_snapshot = true;
  const Zxid zxid = phase_ == LeaderPhase::broadcast ? last_committed_ : start_.last_zxid;
  put(peer, PacketType::snap, zxid);
  flush(peer);
  peer.sending_snapshot = true;
  effects_.emplace_back(SendSnapshot{peer.id, zxid});
  begin_forwarding(peer, zxid, now);
}

void Leader::on_snapshot_sent(LearnerId learner, Instant now) {
  Peer* peer = find(learner);
  if (peer == nullptr) return;
  peer->sending_snapshot = false;
  peer->heard = now;
}

// From here on the learner gets everything behind `has`.
void Leader::begin_forwarding(Peer& peer, Zxid has, Instant now) {
  if (!peer.sending_snapshot) ++diffs_;
  if (!peer.observer) {
    for (const TxnRef& txn : outstanding_) {
      if (txn.zxid > has) put(peer, PacketType::proposal, txn.zxid, txn.payload.view());
    }
  }
  peer.walk.reset();
  peer.acked = has;
  peer.heard = now;
  peer.forwarding = true;
  peer.state = LearnerState::synchronizing;
  put(peer, PacketType::new_leader, make_zxid(epoch_, 0), config_text());
}

void Leader::on_new_leader_ack(Peer& peer, const QuorumPacket& packet, Instant now) {
  // Apache's 3.8 acknowledges what it has just logged from another thread, which may be the faster one.
  if (packet.type == PacketType::ack && counter_of(packet.zxid) != 0 && packet.zxid <= last_proposed_) {
    peer.acked_early = std::max(peer.acked_early, packet.zxid);
    return;
  }
  if (packet.type != PacketType::ack || packet.zxid != make_zxid(epoch_, 0))
    return drop(peer, fmt::format("{} where the ACK of NEWLEADER was expected", records::printed(packet)));
  peer.state = LearnerState::ready;
  on_ack(peer, peer.acked_early);
  if (!outstanding_.empty() && !peer.observer) watch(peer, outstanding_.back().zxid, now);
  if (phase_ == LeaderPhase::broadcast) {
    put(peer, PacketType::up_to_date, Zxid(-1));
    peer.told_up_to_date = true;
    return;
  }
  if (peer.voter) new_leader_acks_.insert(peer.server);
  check_new_leader_acks(now);
}

void Leader::check_new_leader_acks(Instant now) {
  const bool formed = new_leader_acks_.contains(options_.self) && config_.contains_quorum(new_leader_acks_);
  if (phase_ != LeaderPhase::synchronization || !formed) return;
  start_phase(LeaderPhase::broadcast, now);
  effects_.emplace_back(StartLeading{make_zxid(epoch_, 0)});
  for (auto& [id, peer] : peers_) {
    if (peer.state != LearnerState::ready) continue;
    put(peer, PacketType::up_to_date, Zxid(-1));
    peer.told_up_to_date = true;
  }
}

}  // namespace tandem::coord::zab
