// What the core of a member asks for, done: ports and packets, log, epochs, snapshots.
#include <cstdlib>

#include "coord/server/member.h"
#include "coord/storage/epoch_files.h"
#include "coord/storage/truncate.h"

namespace tandem::coord::server {

using base::Status;
using jute::Zxid;

namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;  // clang 14 does not find it by itself

// A learner's part of the log goes out in pieces of this size, the next one when it has taken most of it.
constexpr std::size_t kLogPiece = 1U << 20;
constexpr base::Duration kLogLook = std::chrono::milliseconds(2);

// The first look for space on a disk that was full a moment ago.
constexpr base::Duration kSpaceLook = std::chrono::milliseconds(500);

std::uint64_t newest_snapshot_bytes(fs::Disk& disk, const std::string& directory) {
  const auto files = storage::list_snapshots(disk, directory);
  if (!files || files->empty()) return 0;
  const auto info = disk.info(fs::join(directory, files->back().name));
  return info ? info->size : 0;
}

}  // namespace

void Member::perform(const peer::Effect& effect) {
  std::visit(Overloaded{
                 [&](const election::Send& value) { election_port_->send(value.to, value.notification); },
                 [&](const peer::SeekVoters& value) { election_port_->want(value.voters); },
                 [&](const peer::OpenLearnerPort& value) { open_learner_port(value); },
                 [&](const peer::CloseLearnerPort&) {
                   log_readings_.clear();
                   learner_port_.reset();
                 },
                 [&](const zab::SendToLearner& value) {
                   if (learner_port_ != nullptr) learner_port_->output(value.to.value) += value.bytes;
                 },
                 [&](const zab::SendSnapshot& value) { send_snapshot(value); },
                 [&](const zab::ReadLog& value) { read_log(value); },
                 [&](const zab::CloseLearner& value) {
                   log_readings_.erase(value.learner.value);
                   if (learner_port_ != nullptr) learner_port_->close_learner(value.learner.value);
                 },
                 [&](const peer::ConnectLeader& value) { connect_leader(value); },
                 [&](const peer::CloseLeader&) {
                   leader_link_.reset();
                   intake_.reset();
                 },
                 [&](const zab::SendToLeader& value) {
                   if (leader_link_ != nullptr) leader_link_->output() += value.bytes;
                 },
                 [&](const zab::PersistAcceptedEpoch& value) { persist_epoch(true, value.epoch); },
                 [&](const zab::PersistCurrentEpoch& value) { persist_epoch(false, value.epoch); },
                 [&](const zab::Persist& value) { persist(*value.batch); },
                 [&](const peer::DrainLog&) { drain_log(); },
                 [&](const peer::WithholdVote& value) { withhold_vote(value); },
                 [&](const peer::RestoreVote&) { restore_vote(); },
                 [&](const zab::Truncate& value) { truncate(value); },
                 [&](const zab::InstallSnapshot& value) { begin_intake(value); },
                 [&](const pipeline::CloseLink& value) { clients_.close(value.link); },
                 [&](const pipeline::ResumeLink& value) { clients_.resume(value.link); },
                 [&](const pipeline::AwaitOutput& value) { clients_.await_output(value.link); },
                 [&](const peer::Note& value) {
                   if (value.level == peer::Note::Level::warning) {
                     logger_.warn("{}", value.text);
                   } else {
                     logger_.info("{}", value.text);
                   }
                 },
             },
             effect);
}

void Member::fail(ExitCode code, const base::Error& error) {
  logger_.fatal("severe unrecoverable error, exiting: {}", error.context);
  // Not exit(): nothing may be answered, and other threads run on until the process is gone.
  std::_Exit(static_cast<int>(code));
}

// ---- learners ---------------------------------------------------------------------------------------------

void Member::open_learner_port(const peer::OpenLearnerPort& effect) {
  shell::LearnerPortOptions options;
  options.packet_bytes_max = static_cast<std::size_t>(config_.txn_bytes_max());
  options.stall_max = base::milliseconds(config_.tick_time_ms) * config_.init_limit;
  for (const quorum::PeerAddress& address :
       config_.ensemble->members.find(config_.ensemble->self)->addresses) {
    const std::string host = config_.quorum_listen_on_all_ips ? std::string() : address.host;
    options.endpoints.push_back({host, effect.for_observers
                                           ? static_cast<std::uint16_t>(config_.observer_master_port)
                                           : address.learner_port});
    // One is enough where all are listened on.
    if (effect.for_observers && config_.quorum_listen_on_all_ips) break;
  }
  shell::LearnerPortEvents& events = *this;
  auto port = shell::LearnerPort::open(loop_, options, events, logger_.named("coord.learners"));
  const Status status = port ? Status() : Status(port.error());
  if (port) learner_port_ = std::move(*port);
  peer_->on_learner_port(status, now());
}

void Member::send_snapshot(const zab::SendSnapshot& effect) {
  if (learner_port_ == nullptr) return;
  learner_port_->send_body(effect.to.value, std::make_unique<shell::TreeBody>(
                                                loop_, peer_->tree(), session_timeouts(peer_->sessions())));
}

void Member::read_log(const zab::ReadLog& effect) {
  const std::uint64_t share = storage::log_share_of_snapshot(
      newest_snapshot_bytes(disk_, config_.snapshot_directory()), config_.snapshot_size_factor);
  auto range =
      storage::LogRange::open(disk_, config_.log_directory(), store_.loaded_snapshot(), effect.from, share);
  if (!range) logger_.warn("cannot read the log for learner {}: {}", effect.to, range.error().context);
  if (!range || *range == nullptr) return peer_->on_log_chunk(effect.to, {.available = false}, now());
  log_readings_[effect.to.value] = {std::move(*range), effect.through};
  log_timer_.set(loop_.clock().now());
}

void Member::feed_logs() {
  now_known_ = false;
  for (auto it = log_readings_.begin(); it != log_readings_.end();) {
    const std::uint64_t learner = it->first;
    if (learner_port_ == nullptr || learner_port_->unsent_bytes(learner) > kLogPiece) {
      ++it;
      continue;
    }
    auto txns = it->second.range->next(kLogPiece, it->second.through);
    zab::LogChunk chunk;
    chunk.available = txns.has_value();
    chunk.last = !txns || txns->empty();
    if (txns) chunk.txns = std::move(*txns);
    it = chunk.last ? log_readings_.erase(it) : std::next(it);
    peer_->on_log_chunk(zab::LearnerId(learner), std::move(chunk), now());
  }
  if (!log_readings_.empty()) log_timer_.set(loop_.clock().now() + kLogLook);
  end_turn();
}

// ---- the leader -------------------------------------------------------------------------------------------

void Member::connect_leader(const peer::ConnectLeader& effect) {
  shell::LeaderLinkOptions options;
  for (const quorum::PeerAddress& address : effect.addresses)
    options.endpoints.push_back({address.host, address.learner_port});
  const int limit =
      config_.connect_to_learner_master > 0 ? config_.connect_to_learner_master : config_.init_limit;
  options.connect_max = std::min(base::milliseconds(config_.tick_time_ms) * limit, effect.connect_max);
  options.may_open_late = effect.may_open_late;
  options.packet_bytes_max = static_cast<std::size_t>(config_.txn_bytes_max());
  options.stall_max = base::milliseconds(config_.tick_time_ms) * config_.init_limit;
  shell::LeaderLinkEvents& events = *this;
  leader_link_ = std::make_unique<shell::LeaderLink>(loop_, options, events);
}

// A new tree beside the old one, and a snapshot file that takes its name when it is whole.
void Member::begin_intake(const zab::InstallSnapshot& effect) {
  store_.close_log();
  store_.give_up_snapshot();
  auto target = std::make_unique<TreeRestore>(store_.tree_options());
  auto intake = shell::SnapshotIntake::begin(disk_, store_.snapshot_options(), effect.zxid, std::move(target),
                                             static_cast<std::size_t>(config_.txn_bytes_max()));
  if (!intake && intake.error().code == base::Errc::no_space) return leave_for_space(intake.error());
  if (!intake) fail(ExitCode::unexpected, intake.error());
  intake_ = std::move(*intake);
}

Status Member::finish_intake() {
  const Zxid zxid = intake_->zxid();
  if (auto status = intake_->close_tree(); !status) return status;
  const auto replaced = intake_->replace_history(config_.log_directory(), config_.snapshot_directory());
  if (!replaced) fail(ExitCode::quorum_packet, replaced.error());
  auto& restore = static_cast<TreeRestore&>(intake_->target());
  peer::Database database;
  database.tree = restore.take_tree();
  database.sessions = restore.sessions();
  intake_.reset();
  peer_->on_snapshot_installed(zxid, std::move(database), now());
  turn_later();
  return {};
}

// ---- disk -------------------------------------------------------------------------------------------------

void Member::persist(const records::TxnBatch& batch) {
  StoreEvents& events = *this;
  if (!store_.log_is_open()) store_.open_log(events);
  store_.append(batch);
  if (store_.snapshot_due()) store_.begin_snapshot(peer_->tree(), session_timeouts(peer_->sessions()));
}

void Member::persist_epoch(bool accepted, std::int64_t epoch) {
  const std::string directory = config_.snapshot_directory();
  const Status status = accepted ? storage::write_accepted_epoch(disk_, directory, epoch)
                                 : storage::write_current_epoch(disk_, directory, epoch);
  if (!status && status.error().code == base::Errc::no_space) return leave_for_space(status.error());
  if (!status) fail(ExitCode::unexpected, status.error());
  now_known_ = false;
  if (accepted) return peer_->on_accepted_epoch_durable(epoch, now());
  peer_->on_current_epoch_durable(epoch, now());
}

void Member::withhold_vote(const peer::WithholdVote& effect) {
  if (auto status = storage::withhold_vote(disk_, config_.snapshot_directory(), effect.reason); !status)
    fail(ExitCode::unexpected, status.error());
  logger_.info("this server gives no vote until it is brought up to date: {}", effect.reason);
}

void Member::restore_vote() {
  if (auto status = storage::restore_vote(disk_, config_.snapshot_directory()); !status)
    fail(ExitCode::unexpected, status.error());
  logger_.info("brought up to date: this server votes again");
}

// What the log has beyond the tree is applied next, though the next leader may cut it off: a snapshot under
// way would keep it under the name of an earlier transaction.
void Member::drain_log() {
  store_.give_up_snapshot();
  disk_full_ = !store_.close_log() || disk_full_;
  now_known_ = false;
  if (!disk_full_) return peer_->on_log_drained(now());
  peer_->on_log_lost(now());
  space_timer_.set(loop_.clock().now() + kSpaceLook);
}

void Member::truncate(const zab::Truncate& effect) {
  store_.close_log();
  store_.give_up_snapshot();
  const auto last =
      storage::truncate_history(disk_, config_.log_directory(), config_.snapshot_directory(), effect.zxid);
  if (!last) fail(ExitCode::quorum_packet, last.error());
  auto database = recover();
  if (!database) fail(ExitCode::quorum_packet, database.error());
  now_known_ = false;
  peer_->on_truncated(*last, std::move(*database), now());
}

}  // namespace tandem::coord::server
