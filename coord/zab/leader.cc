#include "coord/zab/leader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace tandem::coord::zab {

using base::Instant;
using quorum::ServerSet;
using records::epoch_of;
using records::make_zxid;
using records::PacketType;
using records::QuorumPacket;

const char* to_string(LeaderPhase phase) {
  switch (phase) {
    case LeaderPhase::discovery:
      return "discovery";
    case LeaderPhase::epoch_acks:
      return "epoch_acks";
    case LeaderPhase::synchronization:
      return "synchronization";
    case LeaderPhase::broadcast:
      return "broadcast";
    case LeaderPhase::over:
      return "over";
  }
  UNREACHABLE("leader phase {}", static_cast<int>(phase));
}

const char* to_string(LearnerState state) {
  switch (state) {
    case LearnerState::introducing:
      return "introducing";
    case LearnerState::epoch_wait:
      return "epoch_wait";
    case LearnerState::epoch_ack:
      return "epoch_ack";
    case LearnerState::sync_wait:
      return "sync_wait";
    case LearnerState::reading_log:
      return "reading_log";
    case LearnerState::synchronizing:
      return "synchronizing";
    case LearnerState::ready:
      return "ready";
  }
  UNREACHABLE("learner state {}", static_cast<int>(state));
}

Leader::Leader(LeaderOptions options, const LeaderStart& start, const quorum::QuorumConfig& config,
               CommitLog& commit_log, Instant now)
    : options_(options),
      start_(start),
      config_(config),
      commit_log_(commit_log),
      next_beat_(now + options.tick / 2),
      vigil_(options.silence_max, now),
      epoch_(start.accepted_epoch + 1),
      last_txn_(start.last_zxid),
      durable_(start.last_zxid),
      random_(options.seed) {
  if (options_.observer_master) {
    epoch_ = start.current_epoch;
    epoch_decided_ = epoch_durable_ = true;
    last_proposed_ = last_committed_ = std::max(make_zxid(epoch_, 0), last_txn_);
    start_phase(LeaderPhase::broadcast, now);
    return;
  }
  start_phase(LeaderPhase::discovery, now);
  if (config_.is_voter(options_.self)) introduced_.insert(options_.self);
  decide_epoch();
}

Leader::~Leader() = default;

void Leader::start_phase(LeaderPhase phase, Instant now) {
  phase_ = phase;
  phase_until_ =
      now + (has_epoch_wait() ? base::Duration(options_.epoch_wait) : options_.tick * options_.init_limit);
}

Leader::Peer* Leader::find(LearnerId id) {
  const auto it = peers_.find(id);
  return it == peers_.end() ? nullptr : &it->second;
}

// ---- learners come and go -------------------------------------------------------------------------------

LearnerId Leader::open_learner(Instant now) {
  const LearnerId id(next_learner_++);
  if (peers_.size() >= kLearnersMax) make_room();
  if (phase_ == LeaderPhase::over || peers_.size() >= kLearnersMax) {
    effects_.emplace_back(CloseLearner{id, "no place for another learner", true});
    return id;
  }
  Peer peer;
  peer.id = id;
  peer.opened = peer.heard = now;
  peers_.emplace(id, std::move(peer));
  return id;
}

// The longest of those that connected and said nothing: a server introduces itself at once.
void Leader::make_room() {
  const auto oldest = std::find_if(peers_.begin(), peers_.end(), [](const auto& each) {
    return each.second.state == LearnerState::introducing;
  });
  if (oldest != peers_.end()) drop(oldest->second, "it did not introduce itself, and others came");
}

void Leader::on_closed(LearnerId learner, Instant) { peers_.erase(learner); }

void Leader::on_progress(LearnerId learner, Instant now) {
  Peer* peer = find(learner);
  if (peer != nullptr && peer->state != LearnerState::introducing) peer->heard = now;
}

void Leader::drop(Peer& peer, std::string reason) {
  flush(peer);
  const bool stranger = peer.state == LearnerState::introducing;
  effects_.emplace_back(CloseLearner{peer.id, std::move(reason), stranger});
  peers_.erase(peer.id);
}

void Leader::dismiss(LearnerId learner, std::string reason) {
  if (Peer* peer = find(learner)) drop(*peer, std::move(reason));
}

bool Leader::is_unknown(const Peer& peer) const {
  return peer.state != LearnerState::introducing && config_.find(peer.server) == nullptr;
}

void Leader::put(Peer& peer, PacketType type, Zxid zxid, jute::BufferView data) {
  records::put_packet(peer.out, type, zxid, data);
}

void Leader::flush(Peer& peer) {
  if (peer.out.empty()) return;
  effects_.emplace_back(SendToLearner{peer.id, std::move(peer.out)});
  peer.out.clear();
}

std::string Leader::describe(LearnerId learner) const {
  const auto it = peers_.find(learner);
  if (it == peers_.end() || it->second.state == LearnerState::introducing) return {};
  const Peer& peer = it->second;
  const char* role = peer.observer ? "observer" : peer.voter ? "follower" : "follower without a vote,";
  return fmt::format("{} {}{}", role, peer.server, peer.silence_max.count() != 0 ? ", with heartbeats" : "");
}

bool Leader::on_packet(LearnerId learner, const QuorumPacket& packet, Instant now) {
  Peer* peer = find(learner);
  if (peer == nullptr || phase_ == LeaderPhase::over || asleep_too_long(now)) return false;
  peer->heard = now;
  if (peer->state != LearnerState::introducing) {
    on_packet(*peer, packet, now);
    return false;
  }
  introduce(*peer, packet);
  return find(learner) != nullptr;
}

void Leader::on_packet(Peer& known, const QuorumPacket& packet, Instant now) {
  Peer* peer = &known;
  switch (peer->state) {
    case LearnerState::introducing:
      return;
    case LearnerState::epoch_ack:
      return on_ack_epoch(*peer, packet, now);
    case LearnerState::synchronizing:
      return on_new_leader_ack(*peer, packet, now);
    case LearnerState::ready:
      return on_ready_packet(*peer, packet, now);
    case LearnerState::epoch_wait:
    case LearnerState::sync_wait:
    case LearnerState::reading_log:
      return drop(*peer, fmt::format("{} while {}", records::printed(packet), to_string(peer->state)));
  }
}

// ---- discovery ------------------------------------------------------------------------------------------

void Leader::introduce(Peer& peer, const QuorumPacket& packet) {
  if (packet.type != PacketType::follower_info && packet.type != PacketType::observer_info)
    return drop(peer, fmt::format("{} is no introduction", records::printed(packet)));
  if (options_.observer_master && packet.type != PacketType::observer_info)
    return drop(peer, "only observers are served here, followers connect to the leader");
  const auto info = records::decode_learner_info(packet.data.value_or(std::string_view()));
  if (!info) return drop(peer, info.error().context);
  if (info->protocol_version < records::kProtocolVersion)
    return drop(peer, fmt::format("learner speaks protocol {:#x}, older than 3.4", info->protocol_version));
  if (info->config_version > config_.version()) return drop(peer, "learner knows a later configuration");
  peer.server = ServerId(info->server_id);
  if (peer.server == options_.self) return drop(peer, "learner has this server's own id");
  peer.observer = packet.type == PacketType::observer_info;
  peer.voter = !peer.observer && config_.is_voter(peer.server);
  // It accepted the epoch of a leader that never led, and can follow nobody of this one; Apache's leaves it
  // out until there is another election. The next epoch is above its own.
  if (phase_ == LeaderPhase::broadcast && peer.voter && epoch_of(packet.zxid) > epoch_)
    return step_down(
        fmt::format("server {} accepted epoch {}, this is {}", peer.server, epoch_of(packet.zxid), epoch_));
  replace_older(peer);
  const auto unknown = std::count_if(peers_.begin(), peers_.end(),
                                     [this](const auto& each) { return is_unknown(each.second); });
  if (config_.find(peer.server) == nullptr && static_cast<std::size_t>(unknown) >= kUnknownLearnersMax)
    return drop(peer, "no place for another learner that the configuration does not name");
  agree_on_extension(peer, packet.data);
  acked_by_.erase(peer.server);
  peer.state = LearnerState::epoch_wait;
  if (!epoch_decided_) {
    epoch_ = std::max(epoch_, epoch_of(packet.zxid) + 1);
    if (peer.voter) introduced_.insert(peer.server);
    decide_epoch();
  }
  if (epoch_durable_) send_leader_info(peer);
}

// The longer of the two silences holds, which the learner reads in LEADERINFO.
void Leader::agree_on_extension(Peer& peer, jute::BufferView info) {
  const records::Extension said = records::decode_extension(info, records::kLearnerInfoBytes);
  if (said.challenge != 0) peer.challenge = static_cast<std::int64_t>(random_.next() | 1);
  const base::milliseconds theirs(said.silence_ms);
  if (theirs.count() == 0 || options_.silence_max.count() == 0) return;
  peer.silence_max = std::max(theirs, options_.silence_max);
  beats_ = true;
  fast_ = fast_ || peer.voter;
}

// A server has one connection: one that comes back has lost the one before.
void Leader::replace_older(const Peer& peer) {
  std::vector<LearnerId> older;
  for (const auto& [id, each] : peers_) {
    if (id != peer.id && each.state != LearnerState::introducing && each.server == peer.server)
      older.push_back(id);
  }
  for (const LearnerId id : older) drop(*find(id), "the server has connected again");
}

void Leader::decide_epoch() {
  if (epoch_decided_ || !introduced_.contains(options_.self) || !config_.contains_quorum(introduced_)) return;
  epoch_decided_ = true;
  effects_.emplace_back(PersistAcceptedEpoch{epoch_});
}

void Leader::on_accepted_epoch_durable(std::int64_t epoch, Instant now) {
  if (phase_ != LeaderPhase::discovery) return;
  if (!epoch_decided_ || epoch != epoch_) return;  // asked for by a role that is over
  epoch_durable_ = true;
  last_proposed_ = last_committed_ = make_zxid(epoch_, 0);
  start_phase(LeaderPhase::epoch_acks, now);
  for (auto& [id, peer] : peers_) {
    if (peer.state == LearnerState::epoch_wait) send_leader_info(peer);
  }
  epoch_acks_.insert(options_.self);
  check_epoch_acks(now);
}

void Leader::send_leader_info(Peer& peer) {
  std::string info = records::encode_i32(records::kProtocolVersion);
  if (peer.silence_max.count() != 0 || peer.challenge != 0)
    records::put_extension(info, {static_cast<std::int32_t>(peer.silence_max.count()), peer.challenge});
  put(peer, PacketType::leader_info, make_zxid(epoch_, 0), info);
  peer.state = LearnerState::epoch_ack;
}

// What was said on another connection, to this leader or to another one, must not be counted.
void Leader::on_ack_epoch(Peer& peer, const QuorumPacket& packet, Instant now) {
  if (packet.type != PacketType::ack_epoch)
    return drop(peer, fmt::format("{} where ACKEPOCH was expected", records::printed(packet)));
  const auto current = records::decode_i32(packet.data);
  if (!current) return drop(peer, current.error().context);
  if (records::decode_extension(packet.data, records::kEpochBytes).challenge != peer.challenge)
    return drop(peer, "ACKEPOCH answers another connection");
  peer.last_zxid = packet.zxid;
  peer.state = LearnerState::sync_wait;
  if (phase_ != LeaderPhase::epoch_acks) return synchronize(peer, now);
  if (*current != -1) {
    const bool ahead = *current > start_.current_epoch ||
                       (*current == start_.current_epoch && packet.zxid > start_.last_zxid);
    if (ahead)
      return step_down(fmt::format(
          "server {} is ahead of the leader: epoch {} and zxid 0x{:x}, here {} and 0x{:x}", peer.server,
          *current, packet.zxid.value, start_.current_epoch, start_.last_zxid.value));
    if (packet.zxid.value != -1 && peer.voter) epoch_acks_.insert(peer.server);
  }
  check_epoch_acks(now);
}

void Leader::check_epoch_acks(Instant now) {
  if (phase_ != LeaderPhase::epoch_acks || !config_.contains_quorum(epoch_acks_)) return;
  start_phase(LeaderPhase::synchronization, now);
  effects_.emplace_back(PersistCurrentEpoch{epoch_});
  std::vector<LearnerId> waiting;
  for (const auto& [id, peer] : peers_) {
    if (peer.state == LearnerState::sync_wait) waiting.push_back(id);
  }
  for (const LearnerId id : waiting) {
    if (Peer* peer = find(id)) synchronize(*peer, now);
  }
}

void Leader::on_current_epoch_durable(std::int64_t epoch, Instant now) {
  if (phase_ != LeaderPhase::synchronization || epoch != epoch_) return;
  start_.current_epoch = epoch;
  new_leader_acks_.insert(options_.self);  // what it has was durable before it began to lead
  check_new_leader_acks(now);
}

// ---- supervision ----------------------------------------------------------------------------------------

// Twice in a tick: learners hear from the leader, and who was silent or slow for too long is dropped.
void Leader::on_deadline(Instant now) {
  if (beats_ && phase_ != LeaderPhase::over && vigil_.beat(now)) fast_beat(now);
  if (phase_ == LeaderPhase::over || now < next_beat_) return;
  next_beat_ = now + options_.tick / 2;
  if (phase_ != LeaderPhase::broadcast && now >= phase_until_)
    return step_down(has_epoch_wait() ? fmt::format("no quorum within {} ms", options_.epoch_wait.count())
                                      : fmt::format("no quorum within {} ticks in phase {}",
                                                    options_.init_limit, to_string(phase_)));
  beat(now);
}

std::optional<Instant> Leader::next_deadline() const {
  if (phase_ == LeaderPhase::over) return std::nullopt;
  return beats_ ? std::min(next_beat_, vigil_.next()) : next_beat_;
}

bool Leader::overdue(const Peer& peer, Instant now) const {
  const int limit = peer.state == LearnerState::ready ? options_.sync_limit : options_.init_limit;
  return now - peer.heard > options_.tick * limit;
}

bool Leader::heard_lately(const Peer& peer, Instant now) const {
  if (peer.silence_max.count() != 0 && peer.told_up_to_date)
    return now < vigil_.silent_at(peer.heard, peer.silence_max);
  const int limit =
      peer.state == LearnerState::ready ? options_.sync_limit : options_.init_limit + options_.sync_limit;
  return now - peer.heard <= options_.tick * limit;
}

void Leader::beat(Instant now) {
  std::vector<std::pair<LearnerId, const char*>> gone;
  for (const auto& [id, peer] : peers_) {
    if (overdue(peer, now)) {
      gone.emplace_back(id, "nothing was heard from it for too long");
    } else if (peer.watched && now - peer.watched->sent > options_.tick * options_.sync_limit) {
      gone.emplace_back(id, "it does not acknowledge proposals");
    }
  }
  for (const auto& [id, reason] : gone) drop(*find(id), reason);
  if (phase_ == LeaderPhase::broadcast && beat_odd_ && !has_quorum(now))
    return step_down("no quorum of followers is in sync");
  beat_odd_ = !beat_odd_;
  begin_round();
}

bool Leader::has_quorum(Instant now) const {
  if (options_.observer_master) return true;
  ServerSet synced{options_.self};
  for (const auto& [id, peer] : peers_) {
    if (peer.voter && heard_lately(peer, now)) synced.insert(peer.server);
  }
  return config_.contains_quorum(synced);
}

// Who exchanges heartbeats is missed within the silence agreed on, a connection that ended at once.
void Leader::fast_beat(Instant now) {
  if (fast_ && phase_ == LeaderPhase::broadcast && !has_quorum(now))
    return step_down("no quorum of followers is heard");
  for (auto& [id, peer] : peers_) {
    const bool reads_pings = peer.state == LearnerState::synchronizing || peer.state == LearnerState::ready;
    if (peer.silence_max.count() == 0 || !reads_pings || peer.sending_snapshot) continue;
    put(peer, PacketType::ping, kHeartbeat);
  }
}

// Stopped for so long that the followers have given it up: what waits in the sockets is not to be answered.
bool Leader::asleep_too_long(Instant now) {
  if (options_.observer_master) return false;
  if (now <= next_beat_ + options_.tick * options_.sync_limit) return false;
  step_down("this server was stopped for longer than its followers wait");
  return true;
}

void Leader::step_down(std::string reason) {
  if (phase_ == LeaderPhase::over) return;
  for (auto& [id, peer] : peers_) flush(peer);
  phase_ = LeaderPhase::over;
  peers_.clear();
  confirmations_.clear();
  effects_.emplace_back(StepDown{std::move(reason)});
}

void Leader::on_log_full(Instant) { step_down("the disk of the transaction log is full"); }

LeaderStatus Leader::status() const {
  LeaderStatus status;
  status.phase = phase_;
  status.epoch = epoch_;
  status.last_proposed = last_proposed_;
  status.last_committed = last_committed_;
  status.outstanding = outstanding_.size();
  const Instant beat = next_beat_ - options_.tick / 2;
  for (const auto& [id, peer] : peers_) {
    const bool ready = peer.state == LearnerState::ready;
    if (ready && !peer.observer) ++status.synced_voters;
    if (ready && peer.observer) ++status.synced_observers;
    status.learners.push_back(LearnerStatus{id, peer.server, peer.observer, peer.state, peer.acked,
                                            heard_lately(peer, std::max(beat, peer.heard))});
  }
  return status;
}

}  // namespace tandem::coord::zab
