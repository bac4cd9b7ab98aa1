// Broadcast: proposals go out at once, in batches of a wake-up; acknowledgements are counted once for each
// wake-up; commits follow in order. Rounds of pings prove that a quorum still follows.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "coord/zab/leader.h"

namespace tandem::coord::zab {

using base::Instant;
using quorum::ServerSet;
using records::counter_of;
using records::epoch_of;
using records::PacketType;
using records::QuorumPacket;

namespace {

// The last zxid of an epoch is never used: the next would look like the start of another epoch.
constexpr std::uint32_t kCounterMax = 0xffffffff;

}  // namespace

// ---- proposals ------------------------------------------------------------------------------------------

void Leader::propose(std::shared_ptr<const TxnBatch> batch, Instant now) {
  if (phase_ == LeaderPhase::over || asleep_too_long(now)) return;
  ENSURE(phase_ == LeaderPhase::broadcast, "proposed in phase {}", to_string(phase_));
  ENSURE(batch->first == last_proposed_.next(), "0x{:x} proposed after 0x{:x}", batch->first.value,
         last_proposed_.value);
  if (epoch_of(batch->last) != epoch_ || counter_of(batch->last) == kCounterMax)
    return step_down("the 32 bits of the transaction counter are used up, a new epoch is needed");
  const std::size_t first = outstanding_.size();
  Zxid zxid = batch->first;
  batch->for_each([&](std::string_view payload) {
    outstanding_.push_back(TxnRef{zxid, bytes::Slice(batch, payload)});
    zxid = zxid.next();
  });
  ENSURE(zxid == batch->last.next(), "batch up to 0x{:x} ends at 0x{:x}", batch->last.value, zxid.value);
  last_proposed_ = batch->last;
  for (auto& [id, peer] : peers_) {
    if (!peer.forwarding || peer.observer) continue;
    for (std::size_t i = first; i < outstanding_.size(); ++i)
      put(peer, PacketType::proposal, outstanding_[i].zxid, outstanding_[i].payload.view());
    watch(peer, last_proposed_, now);
  }
  effects_.emplace_back(Persist{std::move(batch)});
}

// As Apache's SyncLimitCheck: one proposal is watched; when it is acknowledged, the newest sent meanwhile is.
void Leader::watch(Peer& peer, Zxid zxid, Instant now) {
  if (peer.state != LearnerState::ready) return;
  (peer.watched ? peer.newest : peer.watched) = AckWatch{zxid, now};
}

// ---- acknowledgements -----------------------------------------------------------------------------------

void Leader::on_ready_packet(Peer& peer, const QuorumPacket& packet, Instant now) {
  switch (packet.type) {
    case PacketType::ack:
      return on_ack(peer, packet.zxid);
    case PacketType::ping: {
      auto touches = records::decode_touches(packet.data);
      if (!touches) return drop(peer, touches.error().context);
      if (packet.zxid == kHeartbeat && peer.silence_max.count() != 0) return;  // answers nothing
      if (!peer.pings.empty()) {
        peer.answered = peer.pings.front();
        peer.pings.pop_front();
        acks_changed_ = true;
      }
      if (!touches->empty()) effects_.emplace_back(LearnerTouches{peer.id, std::move(*touches)});
      return;
    }
    case PacketType::revalidate: {
      const auto session = records::decode_revalidate(packet.data);
      if (!session || !peer.told_up_to_date) return drop(peer, "REVALIDATE out of place");
      effects_.emplace_back(LearnerRevalidate{peer.id, peer.server, *session});
      return;
    }
    case PacketType::request: {
      const auto request = records::decode_request(packet.data);
      auto ids = records::decode_authinfo(packet);
      if (!request || !ids || !peer.told_up_to_date) return drop(peer, "REQUEST out of place");
      last_asker_ = peer.id;
      effects_.emplace_back(LearnerRequest{peer.id, peer.server, request->session, request->cxid,
                                           request->type, std::string(request->body), std::move(*ids)});
      return;
    }
    default:
      break;  // Apache's leader ignores the rest too
  }
  static_cast<void>(now);
}

void Leader::on_ack(Peer& peer, Zxid zxid) {
  // The answer to UPTODATE, or of something that was never proposed: neither counts.
  if (counter_of(zxid) == 0 || zxid > last_proposed_ || peer.observer) return;
  // A learner acknowledges in order, so it has everything before as well.
  peer.acked = std::max(peer.acked, zxid);
  if (peer.watched && peer.watched->zxid <= zxid) {
    peer.watched = peer.newest && peer.newest->zxid > zxid ? peer.newest : std::nullopt;
    peer.newest.reset();
  }
  if (!peer.voter) return;
  Zxid& acked = acked_by_[peer.server];
  acked = std::max(acked, zxid);
  acks_changed_ = true;
}

void Leader::on_durable(Zxid zxid, Instant) {
  durable_ = std::max(durable_, zxid);
  acks_changed_ = true;
}

// The greatest value that a quorum has reached.
template <class Value>
Value Leader::highest_with_quorum(const std::map<ServerId, Value>& by_server, Value floor) const {
  std::vector<Value> values;
  for (const auto& [server, value] : by_server) {
    if (value > floor) values.push_back(value);
  }
  std::sort(values.begin(), values.end(), std::greater<>());
  for (const Value value : values) {
    ServerSet reached;
    for (const auto& [server, theirs] : by_server) {
      if (theirs >= value) reached.insert(server);
    }
    if (config_.contains_quorum(reached)) return value;
  }
  return floor;
}

void Leader::settle() {
  if (!acks_changed_ || phase_ != LeaderPhase::broadcast) return;
  acks_changed_ = false;
  if (!outstanding_.empty()) {
    std::map<ServerId, Zxid> acked = acked_by_;
    acked[options_.self] = durable_;
    const Zxid through = std::min(highest_with_quorum(acked, last_committed_), last_proposed_);
    if (through > last_committed_) commit_through(through);
  }
  release_confirmations();
}

void Leader::commit_through(Zxid zxid) {
  while (!outstanding_.empty() && outstanding_.front().zxid <= zxid) {
    TxnRef txn = std::move(outstanding_.front());
    outstanding_.pop_front();
    for (auto& [id, peer] : peers_) {
      if (!peer.forwarding) continue;
      if (peer.observer) {
        put(peer, PacketType::inform, txn.zxid, txn.payload.view());
      } else {
        put(peer, PacketType::commit, txn.zxid);
      }
    }
    commit_log_.add(std::move(txn));
  }
  last_committed_ = last_txn_ = zxid;
  release_revalidated();
  effects_.emplace_back(Commit{zxid});
}

void Leader::inform(const TxnRef& txn) {
  ENSURE(options_.observer_master);
  if (phase_ == LeaderPhase::over) return;
  for (auto& [id, peer] : peers_) {
    if (peer.forwarding) put(peer, PacketType::inform, txn.zxid, txn.payload.view());
  }
  last_txn_ = last_committed_ = last_proposed_ = txn.zxid;
  release_revalidated();
}

// ---- rounds of pings, and what they confirm -------------------------------------------------------------

void Leader::begin_round() {
  ++round_;
  for (auto& [id, peer] : peers_) {
    // Learners read pings from NEWLEADER on, and answer them from UPTODATE on.
    if (peer.state != LearnerState::synchronizing && peer.state != LearnerState::ready) continue;
    put(peer, PacketType::ping, last_proposed_);
    if (peer.told_up_to_date) peer.pings.push_back(round_);
  }
  for (Confirmation& each : confirmations_) {
    if (each.round == 0) each.round = round_;
  }
}

void Leader::confirm(std::uint64_t token, Instant now) {
  if (phase_ != LeaderPhase::broadcast || asleep_too_long(now)) return;
  if (confirmations_.size() >= kConfirmationsMax) return step_down("too many synchronizations wait");
  confirmations_.push_back(Confirmation{token, last_proposed_, 0});
  acks_changed_ = true;
}

void Leader::release_confirmations() {
  if (confirmations_.empty()) return;
  std::map<ServerId, std::uint64_t> answered{{options_.self, round_ + 1}};
  for (const auto& [id, peer] : peers_) {
    if (peer.voter) answered[peer.server] = peer.answered;
  }
  const std::uint64_t confirmed = highest_with_quorum(answered, std::uint64_t{0});
  const bool at_once = !options_.sync_by_quorum || confirmed > round_;  // or this server is a quorum alone
  while (!confirmations_.empty()) {
    const Confirmation& front = confirmations_.front();
    const bool leads = at_once || (front.round != 0 && front.round <= confirmed);
    if (!leads || last_committed_ < front.after) break;
    effects_.emplace_back(Confirmed{front.token});
    confirmations_.pop_front();
  }
  if (at_once || confirmations_.empty() || confirmations_.back().round != 0) return;
  // One round is on its way at a time: what is asked for meanwhile shares the next.
  const bool in_flight = std::any_of(confirmations_.begin(), confirmations_.end(),
                                     [&](const Confirmation& each) { return each.round > confirmed; });
  if (!in_flight) begin_round();
}

void Leader::answer_sync(LearnerId learner) {
  if (Peer* peer = find(learner)) put(*peer, PacketType::sync, Zxid(0));
}

void Leader::revalidated(LearnerId learner, jute::SessionId session, bool valid, Zxid known) {
  Peer* peer = find(learner);
  if (peer == nullptr) return;
  if (!peer->observer) return records::put_revalidated(peer->out, session, valid);
  if (peer->revalidated.size() >= kRevalidatedMax) return drop(*peer, "it asks about too many sessions");
  peer->revalidated.push_back({session, valid, known});
  release_revalidated();
}

void Leader::release_revalidated() {
  for (auto& [id, peer] : peers_) {
    for (; !peer.revalidated.empty() && peer.revalidated.front().known <= last_committed_;
         peer.revalidated.pop_front())
      records::put_revalidated(peer.out, peer.revalidated.front().session, peer.revalidated.front().valid);
  }
}

// ---- effects --------------------------------------------------------------------------------------------

bool Leader::has_effects() const {
  return !effects_.empty() || acks_changed_ ||
         std::any_of(peers_.begin(), peers_.end(), [](const auto& each) { return !each.second.out.empty(); });
}

std::vector<LeaderEffect> Leader::take_effects() {
  settle();
  acks_changed_ = false;
  // A client waits at the one that asked: what it gets goes out before what the others get.
  if (Peer* asker = find(last_asker_)) flush(*asker);
  for (auto& [id, peer] : peers_) flush(peer);
  return std::exchange(effects_, {});
}

}  // namespace tandem::coord::zab
