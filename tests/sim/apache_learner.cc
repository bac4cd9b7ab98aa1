#include "tests/sim/apache_learner.h"

#include <fmt/format.h>

#include <algorithm>

#include "bytes/reader.h"

namespace tandem::sim {

namespace zab = coord::zab;
namespace records = coord::records;
using records::epoch_of;
using records::make_zxid;

namespace {

constexpr std::size_t kHeaderZxid = 12;
constexpr std::size_t kLeaderIdSize = 8;  // in INFORMANDACTIVATE

}  // namespace

ApacheLearner::ApacheLearner(const zab::LearnerOptions& options, ApacheOptions apache,
                             const zab::LearnerStart& start, zab::CommitLog& commit_log, Instant now)
    : options_(options),
      apache_(apache),
      start_(start),
      commit_log_(commit_log),
      heard_(now),
      last_queued_(0),
      logged_(start.last_zxid),
      durable_(start.last_zxid),
      last_committed_(start.last_zxid),
      last_applied_(start.last_zxid) {}

void ApacheLearner::put(PacketType type, Zxid zxid, jute::BufferView data) {
  records::put_packet(out_, type, zxid, data);
}

void ApacheLearner::abandon(std::string reason) {
  if (at_ == At::over) return;
  at_ = At::over;
  effects_.emplace_back(zab::Abandon{std::move(reason), false});
}

// ---- registerWithLeader
// -------------------------------------------------------------------------------------

void ApacheLearner::on_connected(Instant now) {
  if (at_ != At::connecting) return;
  at_ = At::leader_info;
  heard_ = now;
  const records::LearnerInfo info{options_.self.value, records::kProtocolVersion, options_.config_version};
  put(options_.observer ? PacketType::observer_info : PacketType::follower_info,
      make_zxid(start_.accepted_epoch, 0), records::encode_learner_info(info));
}

bool ApacheLearner::reading() const { return at_ != At::connecting && at_ != At::over && busy_ == Busy::no; }

void ApacheLearner::on_packet(const Packet& packet, Instant now) {
  heard_ = now;
  switch (at_) {
    case At::leader_info:
      return on_leader_info(packet);
    case At::sync_choice:
      return on_sync_choice(packet);
    case At::syncing:
    case At::acknowledged:
      return on_sync_packet(packet);
    case At::serving:
      return on_serving_packet(packet);
    case At::connecting:
    case At::over:
      return;
  }
}

void ApacheLearner::on_leader_info(const Packet& packet) {
  if (packet.type != PacketType::leader_info) return abandon("first packet should have been LEADERINFO");
  epoch_ = epoch_of(packet.zxid);
  if (epoch_ < start_.accepted_epoch)
    return abandon(fmt::format("leader's epoch {} is less than accepted epoch", epoch_));
  if (epoch_ == start_.accepted_epoch) return ack_epoch(-1);
  busy_ = Busy::accepted_epoch;
  effects_.emplace_back(zab::PersistAcceptedEpoch{epoch_});
}

void ApacheLearner::on_accepted_epoch_durable(std::int64_t epoch, Instant now) {
  if (busy_ != Busy::accepted_epoch || at_ == At::over || epoch != epoch_) return;
  busy_ = Busy::no;
  heard_ = now;
  start_.accepted_epoch = epoch;
  ack_epoch(static_cast<std::int32_t>(start_.current_epoch));
}

void ApacheLearner::ack_epoch(std::int32_t current_epoch) {
  put(PacketType::ack_epoch, start_.last_zxid, records::encode_i32(current_epoch));
  at_ = At::sync_choice;
}

// ---- syncWithLeader
// -----------------------------------------------------------------------------------------

void ApacheLearner::on_sync_choice(const Packet& packet) {
  at_ = At::syncing;
  sync_ = packet.type;
  switch (packet.type) {
    case PacketType::diff:
      return;
    case PacketType::trunc:
      busy_ = Busy::truncation;
      effects_.emplace_back(zab::Truncate{packet.zxid});
      return;
    case PacketType::snap:
      busy_ = Busy::snapshot;
      effects_.emplace_back(zab::InstallSnapshot{packet.zxid});
      return;
    default:
      sync_.reset();
      abandon("unexpected packet from leader, exiting");
  }
}

void ApacheLearner::on_truncated(Zxid zxid, Instant now) {
  if (busy_ != Busy::truncation) return;
  busy_ = Busy::no;
  heard_ = now;
  commit_log_.clear();
  logged_ = durable_ = last_committed_ = last_applied_ = zxid;
}

void ApacheLearner::on_snapshot_installed(Zxid zxid, Instant now) {
  if (busy_ != Busy::snapshot) return;
  busy_ = Busy::no;
  heard_ = now;
  commit_log_.clear();
  logged_ = durable_ = last_committed_ = last_applied_ = zxid;
}

std::optional<ApacheLearner::TxnRef> ApacheLearner::txn_of(const Packet& packet) {
  std::string_view payload = packet.data.value_or(std::string_view());
  if (packet.type == PacketType::inform_and_activate)
    payload.remove_prefix(std::min(kLeaderIdSize, payload.size()));
  bytes::Reader reader(payload.substr(std::min(kHeaderZxid, payload.size())));
  const Zxid zxid(reader.i64());
  if (!reader.ok()) {
    abandon("a transaction that cannot be read");
    return std::nullopt;
  }
  auto batch = std::make_shared<records::TxnBatch>();
  batch->first = batch->last = zxid;
  batch->bytes = std::string(payload);
  batch->sizes.push_back(static_cast<std::uint32_t>(payload.size()));
  return TxnRef{zxid, bytes::Slice(batch, batch->bytes)};
}

// enforceContinuousProposal; 3.5 does not.
void ApacheLearner::queue(const Packet& packet) {
  auto txn = txn_of(packet);
  if (!txn) return;
  const bool gap = last_queued_.value != 0 && txn->zxid.value != last_queued_.value + 1 &&
                   epoch_of(txn->zxid) <= epoch_of(last_queued_);
  if (gap && !apache_.old)
    return abandon(fmt::format("DIFF sync got proposal 0x{:x}, last queued 0x{:x}", txn->zxid.value,
                               last_queued_.value));
  last_queued_ = txn->zxid;
  not_logged_.push_back(std::move(*txn));
}

void ApacheLearner::on_sync_packet(const Packet& packet) {
  switch (packet.type) {
    case PacketType::proposal:
      return queue(packet);
    case PacketType::commit:
    case PacketType::commit_and_activate:
      if (not_logged_.empty() && !(apache_.old && at_ == At::acknowledged))
        return abandon("NullPointerException: COMMIT without a proposal");
      return commit_queued(packet.zxid);
    case PacketType::inform:
    case PacketType::inform_and_activate:
      queue(packet);
      return commit_queued(packet.zxid);
    case PacketType::new_leader:
      config_ = std::string(packet.data.value_or(std::string_view()));
      return take_history();
    case PacketType::up_to_date:
      return on_up_to_date();
    default:
      return;
  }
}

// Before NEWLEADER a server that got SNAP or TRUNC applies at once, and passes over what does not fit.
void ApacheLearner::commit_queued(Zxid zxid) {
  const bool at_once = at_ == At::syncing && sync_ != PacketType::diff;
  if (!at_once) return committed_.push_back(zxid);
  if (not_logged_.empty() || not_logged_.front().zxid != zxid) return;
  history_.push_back(std::move(not_logged_.front()));
  not_logged_.pop_front();
}

// NEWLEADER: what is committed is logged and applied, then the epoch is written.
void ApacheLearner::take_history() {
  std::vector<TxnRef> logged = history_;
  for (; !committed_.empty(); committed_.pop_front()) {
    if (not_logged_.empty() || not_logged_.front().zxid != committed_.front()) continue;
    history_.push_back(std::move(not_logged_.front()));
    logged.push_back(history_.back());
    not_logged_.pop_front();
    if (apache_.old) to_ack_.push_back(history_.back().zxid);
  }
  if (apache_.old) {
    for (TxnRef& txn : std::exchange(not_logged_, {})) {
      logged.push_back(txn);
      if (!options_.observer) to_ack_.push_back(txn.zxid);
      pending_.push_back(std::move(txn));
    }
  }
  if (options_.observer) to_ack_.clear();
  history_end_ = logged.empty() ? durable_ : std::max(durable_, logged.back().zxid);
  busy_ = Busy::history;
  log(logged);
  on_durable(durable_);
}

// NEWLEADER's part is logged and applied in one go, whether the leader is still there or not.
std::vector<ApacheLearner::TxnRef> ApacheLearner::unapplied() const {
  std::vector<TxnRef> txns;
  if (busy_ == Busy::history) txns = history_;
  txns.insert(txns.end(), pending_.begin(), pending_.end());
  return txns;
}

void ApacheLearner::on_durable(Zxid zxid) {
  durable_ = std::max(durable_, zxid);
  if (at_ == At::over) return;
  if (busy_ == Busy::history && durable_ >= history_end_) {
    for (TxnRef& txn : std::exchange(history_, {})) apply(std::move(txn));
    busy_ = Busy::current_epoch;
    if (start_.current_epoch == epoch_) return on_current_epoch_durable(epoch_, heard_);
    effects_.emplace_back(zab::PersistCurrentEpoch{epoch_});
  }
  ack_durable();
}

void ApacheLearner::on_current_epoch_durable(std::int64_t epoch, Instant now) {
  if (busy_ != Busy::current_epoch || at_ == At::over || epoch != epoch_) return;
  busy_ = Busy::no;
  heard_ = now;
  start_.current_epoch = epoch;
  at_ = At::acknowledged;
  if (apache_.quick_acks) ack_durable();
  put(PacketType::ack, make_zxid(epoch_, 0));
  ack_durable();
}

void ApacheLearner::on_up_to_date() {
  if (at_ != At::acknowledged) return abandon("UPTODATE before NEWLEADER");
  at_ = At::serving;
  put(PacketType::ack, make_zxid(epoch_, 0));
  if (!committed_.empty()) last_committed_ = std::max(last_committed_, committed_.back());
  effects_.emplace_back(zab::StartFollowing{make_zxid(epoch_, 0), config_});
  std::vector<TxnRef> rest;
  for (TxnRef& txn : std::exchange(not_logged_, {})) {
    rest.push_back(txn);
    if (!options_.observer) to_ack_.push_back(txn.zxid);
    pending_.push_back(std::move(txn));
  }
  log(rest);
  for (const Zxid zxid : std::exchange(committed_, {})) commit(zxid);
}

// ---- following
// ----------------------------------------------------------------------------------------------

void ApacheLearner::on_serving_packet(const Packet& packet) {
  switch (packet.type) {
    case PacketType::ping:
      effects_.emplace_back(zab::PingAsked{packet.zxid});
      return;
    case PacketType::proposal:
    case PacketType::inform:
    case PacketType::inform_and_activate: {
      auto txn = txn_of(packet);
      if (!txn) return;
      last_queued_ = txn->zxid;
      log({*txn});
      if (!options_.observer) to_ack_.push_back(txn->zxid);
      pending_.push_back(std::move(*txn));
      if (packet.type != PacketType::proposal) commit(packet.zxid);
      return;
    }
    case PacketType::commit:
    case PacketType::commit_and_activate:
      return commit(packet.zxid);
    case PacketType::revalidate:
      if (const auto session = records::decode_revalidated(packet.data))
        effects_.emplace_back(zab::Revalidated{session->first, session->second, last_queued_});
      return;
    case PacketType::sync:
      effects_.emplace_back(zab::Synced{});
      return;
    default:
      return;  // it complains and goes on
  }
}

void ApacheLearner::log(const std::vector<TxnRef>& txns) {
  if (txns.empty()) return;
  auto batch = std::make_shared<records::TxnBatch>();
  batch->first = txns.front().zxid;
  for (const TxnRef& txn : txns) {
    batch->bytes.append(txn.payload.view());
    batch->sizes.push_back(static_cast<std::uint32_t>(txn.payload.size()));
  }
  batch->last = logged_ = txns.back().zxid;
  effects_.emplace_back(zab::Persist{std::move(batch)});
}

// FollowerZooKeeperServer.commit
void ApacheLearner::commit(Zxid zxid) {
  if (at_ == At::over) return;
  if (pending_.empty()) return;  // "Committing without seeing txn": passed over
  if (pending_.front().zxid != zxid)
    return abandon(fmt::format("exit 12: committing 0x{:x}, but next pending txn is 0x{:x}", zxid.value,
                               pending_.front().zxid.value));
  last_committed_ = zxid;
  TxnRef txn = std::move(pending_.front());
  pending_.pop_front();
  apply(std::move(txn));
}

void ApacheLearner::apply(TxnRef txn) {
  last_applied_ = txn.zxid;
  commit_log_.add(txn);
  zab::Apply apply;
  apply.txns.push_back(std::move(txn));
  effects_.emplace_back(std::move(apply));
}

void ApacheLearner::ack_durable() {
  if (at_ != At::acknowledged && at_ != At::serving) return;
  for (; !to_ack_.empty() && to_ack_.front() <= durable_; to_ack_.pop_front())
    put(PacketType::ack, to_ack_.front());
}

void ApacheLearner::forward(const records::ForwardedRequest& request, const std::vector<jute::Id>& ids) {
  if (at_ == At::serving) records::put_request(out_, request, ids);
}

void ApacheLearner::revalidate(const records::Touch& session) {
  if (at_ == At::serving) records::put_revalidate(out_, session);
}

void ApacheLearner::answer_ping(Zxid zxid, const std::vector<records::Touch>& touches) {
  if (at_ == At::serving) records::put_ping(out_, zxid, touches);
}

// ---- time
// ---------------------------------------------------------------------------------------------------

// The socket's read timeout, while it is read.
std::optional<base::Instant> ApacheLearner::next_deadline() const {
  if (at_ == At::over || (busy_ != Busy::no && busy_ != Busy::snapshot)) return std::nullopt;
  const bool in_sync = at_ == At::acknowledged || at_ == At::serving;
  return heard_ + options_.tick * (in_sync ? options_.sync_limit : options_.init_limit);
}

void ApacheLearner::on_deadline(Instant now) {
  const auto deadline = next_deadline();
  if (deadline && now >= *deadline) abandon("read timed out");
}

std::vector<zab::LearnerEffect> ApacheLearner::take_effects() {
  if (!out_.empty()) effects_.emplace_back(zab::SendToLeader{std::exchange(out_, {})});
  return std::exchange(effects_, {});
}

zab::LearnerCoreStatus ApacheLearner::status() const {
  zab::LearnerCoreStatus status;
  status.phase = at_ == At::serving      ? zab::LearnerPhase::broadcast
                 : at_ == At::over       ? zab::LearnerPhase::over
                 : epoch_ != 0           ? zab::LearnerPhase::synchronization
                 : at_ != At::connecting ? zab::LearnerPhase::discovery
                                         : zab::LearnerPhase::connecting;
  status.epoch = epoch_;
  status.last_queued = logged_;
  status.last_durable = durable_;
  status.last_committed = last_committed_;
  status.last_applied = last_applied_;
  status.sync = sync_;
  return status;
}

}  // namespace tandem::sim
