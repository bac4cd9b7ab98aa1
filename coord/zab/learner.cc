#include "coord/zab/learner.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "bytes/reader.h"

namespace tandem::coord::zab {

using base::Instant;
using records::epoch_of;
using records::make_zxid;
using records::PacketType;
using records::QuorumPacket;

namespace {

constexpr std::size_t kHeaderSize = 32;     // TxnHeader
constexpr std::size_t kHeaderZxid = 8 + 4;  // where its zxid is
constexpr std::int64_t kGivesBack = 1;      // in LearnerInfo's extension: challenges are answered
constexpr std::size_t kLeaderIdSize = 8;    // before the transaction in INFORMANDACTIVATE

// A leader that was elected a moment ago may still close the port of its last term, or be about to open it.
constexpr base::Duration kReconnectAfter = std::chrono::milliseconds(20);
constexpr base::Duration kReconnectMax = std::chrono::milliseconds(500);

}  // namespace

const char* to_string(LearnerPhase phase) {
  switch (phase) {
    case LearnerPhase::connecting:
      return "connecting";
    case LearnerPhase::discovery:
      return "discovery";
    case LearnerPhase::synchronization:
      return "synchronization";
    case LearnerPhase::acknowledged:
      return "acknowledged";
    case LearnerPhase::broadcast:
      return "broadcast";
    case LearnerPhase::over:
      return "over";
  }
  UNREACHABLE("learner phase {}", static_cast<int>(phase));
}

Learner::Learner(LearnerOptions options, const LearnerStart& start, CommitLog& commit_log, Instant now)
    : options_(options),
      start_(start),
      commit_log_(commit_log),
      heard_(now),
      retry_until_(now + kReconnectMax),
      last_queued_(start.last_zxid),
      last_durable_(start.last_zxid),
      last_committed_(start.last_zxid),
      last_applied_(start.last_zxid) {}

Learner::~Learner() = default;

void Learner::put(PacketType type, Zxid zxid, jute::BufferView data) {
  records::put_packet(out_, type, zxid, data);
}

void Learner::abandon(std::string reason, bool silent) {
  if (phase_ == LearnerPhase::over) return;
  phase_ = LearnerPhase::over;
  batch_.reset();
  out_.clear();
  effects_.emplace_back(Abandon{std::move(reason), silent});
}

// ---- the connection -------------------------------------------------------------------------------------

void Learner::on_connected(Instant now) {
  if (phase_ != LearnerPhase::connecting) return;
  phase_ = LearnerPhase::discovery;
  heard_ = now;
  const records::LearnerInfo info{options_.self.value, records::kProtocolVersion, options_.config_version};
  std::string data = records::encode_learner_info(info);
  records::put_extension(data, {static_cast<std::int32_t>(options_.silence_max.count()), kGivesBack});
  put(options_.observer ? PacketType::observer_info : PacketType::follower_info,
      make_zxid(start_.accepted_epoch, 0), data);
}

bool Learner::reading() const {
  return phase_ != LearnerPhase::connecting && phase_ != LearnerPhase::over && wait_ == Wait::none &&
         unsynced_bytes_ < kUnsyncedBytesMax;
}

void Learner::on_packet(const QuorumPacket& packet, Instant now) {
  if (phase_ == LearnerPhase::over) return;
  ENSURE(reading(), "packet while not reading");
  heard_ = now;
  switch (phase_) {
    case LearnerPhase::discovery:
      return on_leader_info(packet, now);
    case LearnerPhase::synchronization:
    case LearnerPhase::acknowledged:
      if (truncate_to_) return truncate_before(packet);
      return sync_ ? on_sync_packet(packet) : on_sync_choice(packet);
    case LearnerPhase::broadcast:
      return on_broadcast_packet(packet);
    case LearnerPhase::connecting:
    case LearnerPhase::over:
      return;
  }
}

void Learner::on_progress(Instant now) { heard_ = now; }

void Learner::on_disconnected(std::string_view reason, Instant now) {
  const bool unheard = phase_ == LearnerPhase::discovery && epoch_ == 0;
  if (!unheard || now >= retry_until_) return abandon(std::string(reason));
  phase_ = LearnerPhase::connecting;
  out_.clear();
  retry_at_ = now + kReconnectAfter;
}

void Learner::on_log_full(Instant) { abandon("the disk of the transaction log is full"); }

void Learner::on_deadline(Instant now) {
  if (retry_at_ && now >= *retry_at_) {
    retry_at_.reset();
    effects_.emplace_back(Reconnect{});
  }
  if (beats() && vigil_.beat(now)) put(PacketType::ping, kHeartbeat);
  const auto deadline = given_up_at();
  if (!deadline || now < *deadline) return;
  abandon(fmt::format("nothing was heard from the leader for too long in phase {}", to_string(phase_)), true);
}

std::optional<Instant> Learner::next_deadline() const {
  const auto deadline = given_up_at();
  if (retry_at_) return retry_at_;
  if (!beats()) return deadline;
  return deadline ? std::min(*deadline, vigil_.next()) : vigil_.next();
}

// From when on the leader reads them.
bool Learner::beats() const {
  return silence_max_.count() != 0 &&
         (phase_ == LearnerPhase::acknowledged || phase_ == LearnerPhase::broadcast);
}

// Silence counts only while something could be read.
std::optional<Instant> Learner::given_up_at() const {
  const bool waiting = wait_ == Wait::accepted_epoch || wait_ == Wait::truncation;
  if (phase_ == LearnerPhase::over || waiting || unsynced_bytes_ >= kUnsyncedBytesMax) return std::nullopt;
  if (beats()) return vigil_.silent_at(heard_, silence_max_);
  const bool in_sync = phase_ == LearnerPhase::acknowledged || phase_ == LearnerPhase::broadcast;
  return heard_ + options_.tick * (in_sync ? options_.sync_limit : options_.init_limit);
}

// ---- discovery ------------------------------------------------------------------------------------------

void Learner::on_leader_info(const QuorumPacket& packet, Instant now) {
  if (packet.type != PacketType::leader_info)
    return abandon(fmt::format("{} where LEADERINFO was expected", records::printed(packet)));
  epoch_ = epoch_of(packet.zxid);
  if (epoch_ < start_.accepted_epoch)
    return abandon(fmt::format("the leader's epoch {} is lower than {}, which was accepted", epoch_,
                               start_.accepted_epoch));
  const records::Extension said = records::decode_extension(packet.data, records::kEpochBytes);
  challenge_ = said.challenge;
  if (options_.silence_max.count() != 0) {
    silence_max_ = base::milliseconds(said.silence_ms);
    vigil_ = Vigil(silence_max_, now);
  }
  // An epoch is acknowledged once: another leader of the same one must not count this server too.
  if (epoch_ == start_.accepted_epoch) return ack_epoch(-1);
  wait_ = Wait::accepted_epoch;
  effects_.emplace_back(PersistAcceptedEpoch{epoch_});
}

void Learner::on_accepted_epoch_durable(std::int64_t epoch, Instant now) {
  if (wait_ != Wait::accepted_epoch || phase_ == LearnerPhase::over) return;
  if (epoch != epoch_) return;  // asked for by a role that is over
  wait_ = Wait::none;
  heard_ = now;
  start_.accepted_epoch = epoch;
  ack_epoch(start_.incomplete ? -1 : static_cast<std::int32_t>(start_.current_epoch));
}

void Learner::ack_epoch(std::int32_t current_epoch) {
  std::string data = records::encode_i32(current_epoch);
  if (challenge_ != 0) records::put_extension(data, {.silence_ms = 0, .challenge = challenge_});
  put(PacketType::ack_epoch, start_.last_zxid, data);
  phase_ = LearnerPhase::synchronization;
}

// ---- synchronization ------------------------------------------------------------------------------------

void Learner::on_sync_choice(const QuorumPacket& packet) {
  sync_ = packet.type;
  switch (packet.type) {
    case PacketType::diff:
      return;
    case PacketType::trunc:
      if (packet.zxid > last_queued_)
        return abandon(fmt::format("asked to cut the log at 0x{:x}, it ends at 0x{:x}", bits(packet.zxid),
                                   bits(last_queued_)));
      truncate_to_ = packet.zxid;
      return;
    case PacketType::snap:
      wait_ = Wait::snapshot;
      effects_.emplace_back(InstallSnapshot{packet.zxid});
      return;
    default:
      sync_.reset();
      abandon(fmt::format("{} where DIFF, TRUNC or SNAP was expected", records::printed(packet)));
  }
}

// A leader whose own log has a hole asks those who stand within it to go back to where it begins, and goes on
// behind it (ZOOKEEPER-2846). What is there may be committed: nothing is cut before what follows is seen.
void Learner::truncate_before(const QuorumPacket& packet) {
  if (packet.type == PacketType::ping) return;
  const bool behind = packet.type != PacketType::new_leader && packet.zxid > *truncate_to_;
  if (behind && !records::follows(packet.zxid, *truncate_to_))
    return abandon(
        fmt::format("asked to cut the log at 0x{:x}, but {} came behind it: those between are missing there",
                    bits(*truncate_to_), records::printed(packet)));
  behind_cut_ = Held{packet.type, packet.zxid, {}};
  if (packet.data) behind_cut_.data.emplace(*packet.data);
  wait_ = Wait::truncation;
  effects_.emplace_back(Truncate{*truncate_to_});
}

void Learner::on_truncated(Zxid zxid, Instant now) {
  if (wait_ != Wait::truncation) return;
  restart_from(zxid, now);
  const Zxid asked = *std::exchange(truncate_to_, std::nullopt);
  // The leader goes on from where it asked for, and nothing but the zxids of one epoch would show the hole.
  if (zxid != asked)
    return abandon(
        fmt::format("asked to cut the log at 0x{:x}, it now ends at 0x{:x}", bits(asked), bits(zxid)));
  const Held next = std::exchange(behind_cut_, {});
  if (phase_ != LearnerPhase::over) on_sync_packet(QuorumPacket{next.type, next.zxid, next.data, {}, 0});
}

void Learner::on_snapshot_installed(Zxid zxid, Instant now) {
  if (wait_ == Wait::snapshot) restart_from(zxid, now);
}

void Learner::restart_from(Zxid zxid, Instant now) {
  if (phase_ == LearnerPhase::over) return;
  wait_ = Wait::none;
  heard_ = now;
  commit_log_.clear();  // it may hold what was cut off
  last_queued_ = last_durable_ = last_committed_ = last_applied_ = zxid;
}

void Learner::on_sync_packet(const QuorumPacket& packet) {
  switch (packet.type) {
    case PacketType::proposal:
      return on_proposal(packet.zxid, packet.data);
    case PacketType::commit:
    case PacketType::commit_and_activate:
      return on_commit(packet.zxid);
    case PacketType::inform:
      return on_inform(packet.zxid, packet.data);
    case PacketType::inform_and_activate:
      return on_inform(
          packet.zxid,
          packet.data ? jute::BufferView(packet.data->substr(std::min(kLeaderIdSize, packet.data->size())))
                      : std::nullopt);
    case PacketType::new_leader:
      return on_new_leader(packet);
    case PacketType::up_to_date:
      return on_up_to_date();
    default:
      return;  // pings come early, and are not answered before UPTODATE
  }
}

void Learner::on_new_leader(const QuorumPacket& packet) {
  if (phase_ != LearnerPhase::synchronization || history_end_ || packet.zxid != make_zxid(epoch_, 0))
    return abandon(fmt::format("{} out of place", records::printed(packet)));
  config_ = std::string(packet.data.value_or(std::string_view()));
  // What is not committed yet was proposed to all: it is acknowledged one by one, after this.
  history_end_ = last_queued_;
  std::erase_if(to_ack_, [this](Zxid zxid) { return zxid <= last_committed_; });
  dirty_ = true;
}

// The leader's history is durable: only then may this server stand for its epoch, and only when it durably
// does may it say so.
void Learner::finish_new_leader() {
  if (!history_end_ || last_durable_ < *history_end_ || epoch_persisting_) return;
  if (start_.current_epoch != epoch_) {
    epoch_persisting_ = true;
    effects_.emplace_back(PersistCurrentEpoch{epoch_});
    return;
  }
  history_end_.reset();
  put(PacketType::ack, make_zxid(epoch_, 0));
  phase_ = LearnerPhase::acknowledged;
}

void Learner::on_current_epoch_durable(std::int64_t epoch, Instant now) {
  if (!epoch_persisting_ || phase_ == LearnerPhase::over || epoch != epoch_) return;
  epoch_persisting_ = false;
  heard_ = now;
  start_.current_epoch = epoch;
  dirty_ = true;
}

void Learner::on_up_to_date() {
  if (phase_ != LearnerPhase::acknowledged) return abandon("UPTODATE before NEWLEADER was acknowledged");
  phase_ = LearnerPhase::broadcast;
  put(PacketType::ack, make_zxid(epoch_, 0));
  settle();
  effects_.emplace_back(StartFollowing{make_zxid(epoch_, 0), config_});
}

// ---- broadcast ------------------------------------------------------------------------------------------

void Learner::on_broadcast_packet(const QuorumPacket& packet) {
  switch (packet.type) {
    case PacketType::ping:
      if (packet.zxid != kHeartbeat || silence_max_.count() == 0)
        effects_.emplace_back(PingAsked{packet.zxid});
      return;
    case PacketType::revalidate: {
      const auto session = records::decode_revalidated(packet.data);
      if (!session) return abandon(session.error().context);
      effects_.emplace_back(Revalidated{session->first, session->second, last_queued_});
      return;
    }
    case PacketType::sync:
      syncs_.push_back(last_committed_);
      dirty_ = true;
      return;
    case PacketType::new_leader:
    case PacketType::up_to_date:
      return;  // Apache's learners complain and go on
    default:
      return on_sync_packet(packet);
  }
}

void Learner::on_proposal(Zxid zxid, jute::BufferView payload) {
  const std::string_view bytes = payload.value_or(std::string_view());
  bytes::Reader reader(bytes.substr(std::min(kHeaderZxid, bytes.size())));
  if (bytes.size() < kHeaderSize || reader.i64() != zxid.value)
    return abandon(fmt::format("PROPOSAL 0x{:x} holds another transaction", bits(zxid)));
  // A snapshot may be newer than the proposals that were queued before it was taken.
  if (zxid <= last_queued_) return;
  if (!records::follows(zxid, last_queued_))
    return abandon(fmt::format("PROPOSAL 0x{:x} follows 0x{:x}, those between are missing", bits(zxid),
                               bits(last_queued_)));
  if (pending_bytes_ > kPendingBytesMax) return abandon("the leader proposes without committing");
  if (batch_ == nullptr) {
    batch_ = std::make_shared<TxnBatch>();
    batch_->first = zxid;
  }
  batch_->last = last_queued_ = zxid;
  batch_->bytes.append(bytes);
  batch_->sizes.push_back(static_cast<std::uint32_t>(bytes.size()));
  unsynced_bytes_ += bytes.size();
  pending_bytes_ += bytes.size();
  uncommitted_.push_back(zxid);
  if (!options_.observer) to_ack_.push_back(zxid);
}

void Learner::on_commit(Zxid zxid) {
  if (zxid <= last_committed_) return;
  if (uncommitted_.empty() || uncommitted_.front() != zxid)
    return abandon(fmt::format(
        "COMMIT 0x{:x} is not the next one ({})", bits(zxid),
        uncommitted_.empty() ? "nothing is proposed" : fmt::format("0x{:x}", bits(uncommitted_.front()))));
  uncommitted_.pop_front();
  last_committed_ = zxid;
  dirty_ = true;
  // Before NEWLEADER a committed transaction is part of the history, which is acknowledged as a whole.
  const bool history = phase_ == LearnerPhase::synchronization && !history_end_;
  if (history && !to_ack_.empty() && to_ack_.front() == zxid) to_ack_.pop_front();
}

// To observers: a proposal that is committed already.
void Learner::on_inform(Zxid zxid, jute::BufferView payload) {
  on_proposal(zxid, payload);
  if (phase_ != LearnerPhase::over) on_commit(zxid);
}

void Learner::on_durable(Zxid zxid, Instant now) {
  if (zxid <= last_durable_) return;
  last_durable_ = zxid;
  if (unsynced_bytes_ >= kUnsyncedBytesMax) heard_ = now;  // nothing was read for a while
  while (!unsynced_.empty() && unsynced_.front().last <= zxid) {
    unsynced_bytes_ -= unsynced_.front().bytes;
    unsynced_.pop_front();
  }
  dirty_ = true;
}

// ---- the owner's pipeline -------------------------------------------------------------------------------

void Learner::forward(const records::ForwardedRequest& request, const std::vector<jute::Id>& ids) {
  if (phase_ == LearnerPhase::broadcast) records::put_request(out_, request, ids);
}

void Learner::revalidate(const records::Touch& session) {
  if (phase_ == LearnerPhase::broadcast) records::put_revalidate(out_, session);
}

void Learner::answer_ping(Zxid zxid, const std::vector<records::Touch>& touches) {
  if (phase_ == LearnerPhase::broadcast) records::put_ping(out_, zxid, touches);
}

// ---- effects --------------------------------------------------------------------------------------------

void Learner::flush_batch() {
  if (batch_ == nullptr) return;
  const std::shared_ptr<const TxnBatch> batch = std::exchange(batch_, nullptr);
  std::size_t at = 0;
  batch->for_each([&](std::string_view payload) {
    bytes::Reader reader(payload.substr(kHeaderZxid));
    pending_.push_back(TxnRef{Zxid(reader.i64()), bytes::Slice(batch, payload)});
    at += payload.size();
  });
  unsynced_.push_back(Unsynced{batch->last, at});
  effects_.emplace_back(Persist{batch});
}

// A sync is done between what was committed before and after its answer: whose requests came behind it at the
// leader are matched with their transactions in this order.
void Learner::apply() {
  const Zxid through = std::min(last_committed_, last_durable_);
  for (; !syncs_.empty() && syncs_.front() <= std::max(through, last_applied_); syncs_.pop_front()) {
    apply_through(syncs_.front());
    effects_.emplace_back(Synced{});
  }
  apply_through(through);
}

void Learner::apply_through(Zxid through) {
  if (pending_.empty() || pending_.front().zxid > through) return;
  Apply apply;
  while (!pending_.empty() && pending_.front().zxid <= through) {
    pending_bytes_ -= pending_.front().payload.size();
    commit_log_.add(pending_.front());
    apply.txns.push_back(std::move(pending_.front()));
    pending_.pop_front();
  }
  last_applied_ = apply.txns.back().zxid;
  effects_.emplace_back(std::move(apply));
}

void Learner::ack_durable() {
  if (phase_ != LearnerPhase::acknowledged && phase_ != LearnerPhase::broadcast) return;
  for (; !to_ack_.empty() && to_ack_.front() <= last_durable_; to_ack_.pop_front())
    put(PacketType::ack, to_ack_.front());
}

void Learner::settle() {
  flush_batch();
  apply();
  finish_new_leader();
  ack_durable();
  dirty_ = false;
}

bool Learner::has_effects() const {
  return !effects_.empty() || !out_.empty() || batch_ != nullptr || dirty_;
}

std::vector<LearnerEffect> Learner::take_effects() {
  if (phase_ != LearnerPhase::over) settle();
  dirty_ = false;
  if (!out_.empty()) effects_.emplace_back(SendToLeader{std::exchange(out_, std::string())});
  return std::exchange(effects_, {});
}

LearnerCoreStatus Learner::status() const {
  return LearnerCoreStatus{phase_,          epoch_,        last_queued_, last_durable_,
                           last_committed_, last_applied_, sync_};
}

}  // namespace tandem::coord::zab
