#include "coord/peer/peer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace tandem::coord::peer {

namespace {

// Between a role that ended before it served and the next election, so that a port that cannot be opened or a
// leader that refuses does not become a busy loop.
constexpr base::Duration kPauseAfterFailure = std::chrono::milliseconds(100);

// How long a leader whose supporters look for a leader again, perhaps because they restarted and elected
// another one, waits for them to come after all: those that are only slow to decide do within it.
constexpr base::Duration kDoubtAfter = std::chrono::milliseconds(2000);

// Another one is elected for so long, if that is possible.
constexpr base::milliseconds kAvoidUnreachable{4000};

// Apache's: a server that looks for a leader for so long, or for a tick, serves read-only clients meanwhile.
constexpr base::Duration kReadOnlyAfter = std::chrono::milliseconds(2000);

election::Options with_self(election::Options options, ServerId self) {
  options.self = self;
  return options;
}

}  // namespace

Peer::Peer(PeerOptions options, PeerStart start, const auth::Authorizer& authorizer,
           pipeline::Outputs& outputs, Now now)
    : options_(std::move(options)),
      authorizer_(authorizer),
      outputs_(outputs),
      now_(now),
      accepted_epoch_(start.accepted_epoch),
      current_epoch_(start.current_epoch),
      incomplete_(start.incomplete),
      commit_log_(options_.commit_log_count),
      election_(with_self(options_.election, options_.self), options_.config),
      leader_id_(quorum::kNoServer),
      random_(options_.seed),
      master_id_(quorum::kNoServer) {
  install(std::move(start.database));
  shuffle_masters();
}

Peer::~Peer() = default;

// ---- roles ------------------------------------------------------------------------------------------------

void Peer::start(Now now) {
  ENSURE(phase_ == Phase::starting);
  begin(now);
  look();
  settle();
}

void Peer::look() {
  phase_ = Phase::looking;
  looking_since_ = now_.at;
  look_at_.reset();
  // What may be incomplete is shown to nobody.
  if (options_.read_only && !incomplete_)
    read_only_at_ = now_.at + std::max<base::Duration>(kReadOnlyAfter, options_.tick);
  note(Note::Level::info,
       fmt::format("LOOKING: last zxid 0x{:x}, current epoch {}", last_txn_.value, current_epoch_));
  quorum::ServerSet others = options_.config.voters();
  others.erase(options_.self);
  effects_.emplace_back(SeekVoters{std::move(others)});
  election::Ballot ballot = is_empty() ? election::Ballot::empty : election::Ballot::any;
  if (incomplete_) ballot = election::Ballot::none;
  election_.look(last_txn_, current_epoch_, now_.at, ballot);
}

void Peer::take_role(const election::Decide& decision) {
  ENSURE(phase_ == Phase::looking, "decided while {}", static_cast<int>(phase_));
  phase_ = Phase::in_role;
  served_ = false;
  if (decision.state != ServerState::observing) tally_.election.add(now_.at - looking_since_);
  read_only_at_.reset();
  close_pipeline();
  leader_id_ = decision.vote.leader;
  effects_.emplace_back(SeekVoters{});
  note(Note::Level::info,
       fmt::format("{}: the leader is server {}", election::to_string(decision.state), leader_id_));
  if (decision.state == ServerState::leading) return lead(decision);
  // Whether it was wiped or is new cannot be told. What it fetches may be less than it had until it has all.
  if (is_empty() && has_history(decision.vote) && !incomplete_) {
    incomplete_ = true;
    effects_.emplace_back(WithholdVote{"it was empty when the others had a history"});
  }
  learn(decision);
}

void Peer::lead(const election::Decide& decision) {
  supporters_ = decision.voters;
  doubt_at_ = now_.at + kDoubtAfter;
  zab::LeaderOptions leading;
  leading.self = options_.self;
  leading.tick = options_.tick;
  leading.init_limit = options_.init_limit;
  leading.sync_limit = options_.sync_limit;
  leading.log_readable = options_.log_readable;
  leading.sync_by_quorum = options_.sync_quorum_verified;
  leading.silence_max = options_.silence_max;
  leading.epoch_wait = options_.epoch_wait;
  leading.seed = random_.next();
  leading.snapshots_max = options_.snapshots_max;
  leading.diffs_max = options_.diffs_max;
  effects_.emplace_back(OpenLearnerPort{});
  leader_ = std::make_unique<zab::Leader>(
      leading, zab::LeaderStart{accepted_epoch_, current_epoch_, last_txn_, snapshot_next_}, options_.config,
      commit_log_, now_.at);
}

// Nothing of the term has happened before a quorum has come; Apache's leader waits initLimit for it.
void Peer::doubt() {
  if (leader_ == nullptr || leader_->phase() != zab::LeaderPhase::discovery) return doubt_at_.reset();
  if (!doubt_at_ || now_.at < *doubt_at_ || options_.config.contains_quorum(supporters_)) return;
  doubt_at_.reset();
  leader_->step_down("those who elected it look for a leader again");
}

void Peer::learn(const election::Decide& decision) {
  zab::LearnerOptions learning;
  learning.self = options_.self;
  learning.observer = decision.state == ServerState::observing;
  learning.config_version = options_.config.version();
  learning.tick = options_.tick;
  learning.init_limit = options_.init_limit;
  learning.sync_limit = options_.sync_limit;
  learning.silence_max = options_.silence_max;
  learner_ = std::make_unique<zab::Learner>(
      learning, zab::LearnerStart{accepted_epoch_, current_epoch_, last_txn_, incomplete_}, commit_log_,
      now_.at);
  if (options_.config.find(leader_id_) == nullptr)
    return learner_->on_disconnected("the elected leader is not in our configuration", now_.at);
  choose_master();
}

// In sync with a quorum: clients are served from now on.
void Peer::serve(pipeline::Role role, Zxid epoch_start) {
  served_ = true;
  tally_.unavailable.add(now_.at - looking_since_);
  if (role == pipeline::Role::leader) tally_.leader_unavailable.add(now_.at - looking_since_);
  if (role == pipeline::Role::follower) tally_.follower_sync.add(now_.at - connected_at_);
  if (role == pipeline::Role::observer) tally_.observer_sync.add(now_.at - connected_at_);
  election_.set_elected_epoch(records::epoch_of(epoch_start));
  write_config_node();
  tree_->set_last_zxid(std::max(tree_->last_zxid(), epoch_start));
  const auto sync = learner_ != nullptr ? learner_->status().sync : std::nullopt;
  // The leader serves us only after we had the whole snapshot: what it had committed by then came before.
  if (sync == records::PacketType::snap)
    mixed_until_ = std::max(mixed_until_, learner_->status().last_committed);
  open_pipeline(role);
  note(Note::Level::info,
       fmt::format("serving as {} in epoch {}, last zxid 0x{:x}{}", to_string(role),
                   records::epoch_of(epoch_start), last_txn_.value,
                   sync ? fmt::format(", synchronized by {}", records::to_string(*sync)) : ""));
}

void Peer::open_pipeline(pipeline::Role role) {
  pipeline::PipelineOptions options = options_.pipeline;
  options.role = role;
  options.first_link = next_link_;
  options.sync_quorum_verified = options_.sync_quorum_verified;
  options.mixed_until = mixed_until_;
  pipeline_ = std::make_unique<pipeline::Pipeline>(options, *tree_, *sessions_, authorizer_, outputs_, now_);
}

void Peer::close_pipeline() {
  if (pipeline_ == nullptr) return;
  pipeline_->end();
  for (const pipeline::Effect& effect : pipeline_->take_effects()) perform(effect);
  next_link_ = pipeline_->next_link();
  pipeline_.reset();
}

// The tree as it was last, for those who agree to that. Nothing in it changes, so that this server's vote
// stays what it is.
void Peer::serve_read_only() {
  read_only_at_.reset();
  write_config_node();
  open_pipeline(pipeline::Role::read_only);
  note(Note::Level::warning,
       fmt::format("no leader was found: serving read-only clients, last zxid 0x{:x}", last_txn_.value));
}

// A leader sends what it has committed and what it has proposed, and only then NEWLEADER: when all that came
// up to UPTODATE is durable, this server has whatever it acknowledged in a life before.
void Peer::become_complete(Zxid received) {
  // An observer master sends nothing that is only proposed.
  if (!incomplete_ || learner_ == nullptr || master_id_ != leader_id_) return;
  if (!complete_at_) complete_at_ = received;
  const zab::LearnerCoreStatus status = learner_->status();
  if (std::max(status.last_durable, records::make_zxid(status.epoch, 0)) < *complete_at_) return;
  incomplete_ = false;
  complete_at_.reset();
  effects_.emplace_back(RestoreVote{});
}

// What the role logged and did not apply is kept until the log is known to have it.
void Peer::end_role(const std::string& reason) {
  ENSURE(phase_ == Phase::in_role);
  phase_ = Phase::draining;
  note(Note::Level::warning,
       fmt::format("no longer {}: {}", leader_ != nullptr ? "leading" : "following", reason));
  close_pipeline();
  if (leader_ != nullptr) {
    unapplied_.assign(leader_->outstanding().begin(), leader_->outstanding().end());
    snapshot_next_ = leader_->snapshot_next();
    tally_.diffs_sent += leader_->diffs();
    effects_.emplace_back(CloseLearnerPort{});
  } else {
    unapplied_.assign(learner_->unapplied().begin(), learner_->unapplied().end());
    effects_.emplace_back(CloseLeader{});
    end_observer_master();
  }
  leader_.reset();
  learner_.reset();
  complete_at_.reset();
  doubt_at_.reset();
  held_ = false;
  leader_effects_.clear();
  leader_id_ = master_id_ = quorum::kNoServer;
  connect_at_.reset();
  effects_.emplace_back(DrainLog{});
}

void Peer::on_log_drained(Now now) {
  begin(now);
  ENSURE(phase_ == Phase::draining);
  for (const records::TxnRef& txn : std::exchange(unapplied_, {})) {
    apply(txn.payload.view());
    commit_log_.add(txn);
  }
  // A leader counts from its epoch's zero; what it has is what counts now.
  tree_->set_last_zxid(last_txn_);
  base::Duration pause = served_ ? base::Duration(0) : kPauseAfterFailure;
  if (!options_.config.is_voter(options_.self)) pause += delay_up_to(options_.observer_election_delay);
  if (pause == base::Duration(0)) {
    look();
  } else {
    phase_ = Phase::pausing;
    look_at_ = now.at + pause;
  }
  settle();
}

void Peer::on_disk_full(Now now) {
  begin(now);
  if (phase_ != Phase::in_role) return;
  end_role("the disk is full");
  settle();
}

void Peer::on_log_lost(Now now) {
  begin(now);
  ENSURE(phase_ == Phase::draining);
  phase_ = Phase::no_space;
  unapplied_.clear();
  election_.rest();
  note(Note::Level::warning, "out of the ensemble until there is space on the disk");
}

void Peer::on_reloaded(PeerStart start, Now now) {
  begin(now);
  ENSURE(phase_ == Phase::no_space);
  accepted_epoch_ = start.accepted_epoch;
  current_epoch_ = start.current_epoch;
  incomplete_ = start.incomplete;
  install(std::move(start.database));
  look();
  settle();
}

// ---- the tree ---------------------------------------------------------------------------------------------

void Peer::install(Database database) {
  tree_ = std::move(database.tree);
  last_txn_ = tree_->last_zxid();
  mixed_until_ = database.mixed_until;
  sessions_ = std::make_unique<session::SessionTracker>(
      options_.tick, session::first_session_id(options_.self.value, now_.wall));
  for (const auto& [id, timeout_ms] : database.sessions) sessions_->commit(jute::SessionId(id), timeout_ms);
  commit_log_.clear();
  for (records::TxnRef& txn : database.recent) commit_log_.add(std::move(txn));
}

// Of a transaction for which no client waits.
void Peer::apply(std::string_view payload) {
  tree::ApplyResult result;
  const base::Status status = tree_->apply(payload, nullptr, result);
  ENSURE(status.has_value(), "{}", status.error().context);
  last_txn_ = result.header.zxid;
  if (result.header.type == jute::OpCode::create_session)
    sessions_->commit(result.header.client_id, result.session_timeout_ms);
  if (result.header.type == jute::OpCode::close_session) sessions_->remove(result.header.client_id);
}

// An ensemble's first configuration has no version. Where reconfig is enabled it gets that of the epoch in
// which a leader first serves with it (ZOOKEEPER-1783), and who knows it follows no leader who does not.
void Peer::know_config_version(std::int64_t version) {
  if (!options_.pipeline.prepare.reconfig_enabled || version <= options_.config.version()) return;
  options_.config.set_version(version);
  election_.set_config(options_.config);
}

// /zookeeper/config says what the servers were configured with; no transaction does, and its digest is 0.
void Peer::write_config_node() {
  const Zxid before = tree_->last_zxid();
  records::SetDataTxn config;
  config.path = "/zookeeper/config";
  config.data = options_.config.text();
  config.version = -1;
  records::TxnHeader header;
  header.zxid = Zxid(options_.config.version());
  header.time = now_.wall.ms;
  header.type = jute::OpCode::set_data;
  std::string payload;
  records::encode_payload(payload, header, config, nullptr);
  tree::ApplyResult result;
  const base::Status status = tree_->apply(payload, nullptr, result);
  ENSURE(status.has_value(), "{}", status.error().context);
  tree_->set_last_zxid(before);
}

// ---- verbs: election, learners, leader --------------------------------------------------------------------

void Peer::on_notification(ServerId from, const election::Notification& notification, Now now) {
  begin(now);
  election_.on_notification(from, notification, now.at);
  settle();
}

void Peer::on_election_link(ServerId peer, election::Link link, Now now) {
  begin(now);
  election_.on_link(peer, link, now.at);
  settle();
}

void Peer::on_learner_port(const base::Status& opened, Now now) {
  begin(now);
  if (opened) return;
  const std::string complaint = "cannot listen for learners: " + opened.error().context;
  if (leader_ != nullptr) {
    leader_->step_down(complaint);
  } else if (observer_master_ != nullptr) {
    note(Note::Level::warning, complaint + "; no observer is served in this role");
    end_observer_master();
    observers_refused_ = true;
  }
  settle();
}

LearnerId Peer::on_learner_open(Now now) {
  begin(now);
  if (master() == nullptr) return LearnerId(0);
  const LearnerId learner = master()->open_learner(now.at);
  settle();
  return learner;
}

void Peer::on_learner_packet(LearnerId learner, const records::QuorumPacket& packet, Now now) {
  now_ = now;
  if (master() == nullptr) return;
  const bool introduced = master()->on_packet(learner, packet, now.at);
  if (introduced)
    note(Note::Level::info, fmt::format("learner {}: {}", learner, master()->describe(learner)));
  packets_wait_ = true;
}

void Peer::on_learner_progress(LearnerId learner, Now now) {
  now_ = now;
  if (master() != nullptr) master()->on_progress(learner, now.at);
}

void Peer::on_snapshot_sent(LearnerId learner, Now now) {
  begin(now);
  if (master() == nullptr) return;
  master()->on_snapshot_sent(learner, now.at);
  settle();
}

void Peer::on_learner_gone(LearnerId learner, Now now) {
  begin(now);
  if (master() == nullptr) return;
  if (const std::string who = master()->describe(learner); !who.empty())
    note(Note::Level::info, fmt::format("learner {} is gone: {}", learner, who));
  master()->on_closed(learner, now.at);
  if (pipeline_ != nullptr) pipeline_->on_learner_gone(pipeline::LearnerId(learner.value));
  settle();
}

void Peer::on_log_chunk(LearnerId learner, zab::LogChunk chunk, Now now) {
  begin(now);
  if (master() == nullptr) return;
  master()->on_log_chunk(learner, std::move(chunk), now.at);
  settle();
}

void Peer::on_leader_connected(Now now) {
  begin(now);
  if (learner_ == nullptr) return;
  connected_at_ = now.at;
  learner_->on_connected(now.at);
  settle();
}

bool Peer::reads_leader() const { return learner_ != nullptr && learner_->reading(); }

void Peer::on_leader_packet(const records::QuorumPacket& packet, Now now) {
  now_ = now;
  if (learner_ == nullptr) return;
  learner_->on_packet(packet, now.at);
  packets_wait_ = true;
}

void Peer::on_leader_progress(Now now) {
  now_ = now;
  if (learner_ != nullptr) learner_->on_progress(now.at);
}

void Peer::on_leader_gone(std::string_view reason, Now now) {
  begin(now);
  if (learner_ == nullptr) return;
  if (!try_next_master()) learner_->on_disconnected(reason, now.at);
  settle();
}

void Peer::on_leader_unreachable(std::string_view reason, Now now) {
  begin(now);
  if (learner_ != nullptr && masters_tried_ == 0 && learner_->phase() == zab::LearnerPhase::connecting)
    election_.avoid(leader_id_, now.at + kAvoidUnreachable);
  on_leader_gone(reason, now);
}

// ---- verbs: disk ------------------------------------------------------------------------------------------

void Peer::on_durable(Zxid zxid, Now now) {
  begin(now);
  if (leader_ != nullptr) leader_->on_durable(zxid, now.at);
  if (learner_ != nullptr) learner_->on_durable(zxid, now.at);
  if (complete_at_) become_complete(*complete_at_);
  settle();
}

void Peer::on_accepted_epoch_durable(std::int64_t epoch, Now now) {
  begin(now);
  accepted_epoch_ = std::max(accepted_epoch_, epoch);
  if (leader_ != nullptr) leader_->on_accepted_epoch_durable(epoch, now.at);
  if (learner_ != nullptr) learner_->on_accepted_epoch_durable(epoch, now.at);
  settle();
}

void Peer::on_current_epoch_durable(std::int64_t epoch, Now now) {
  begin(now);
  current_epoch_ = std::max(current_epoch_, epoch);
  if (leader_ != nullptr) leader_->on_current_epoch_durable(epoch, now.at);
  if (learner_ != nullptr) learner_->on_current_epoch_durable(epoch, now.at);
  settle();
}

void Peer::on_truncated(Zxid zxid, Database database, Now now) {
  begin(now);
  if (learner_ == nullptr) close_pipeline();  // its role ended meanwhile, what is served is the old tree
  ENSURE(pipeline_ == nullptr);
  install(std::move(database));
  if (learner_ == nullptr) return;
  learner_->on_truncated(zxid, now.at);
  settle();
}

void Peer::on_snapshot_installed(Zxid zxid, Database database, Now now) {
  begin(now);
  if (learner_ == nullptr) close_pipeline();
  ENSURE(pipeline_ == nullptr);
  install(std::move(database));
  if (learner_ == nullptr) return;  // its role ended meanwhile; the disk has the snapshot all the same
  learner_->on_snapshot_installed(zxid, now.at);
  settle();
}

// ---- verbs: clients ---------------------------------------------------------------------------------------

bool Peer::serves(LinkId link) const { return pipeline_ != nullptr && link.value != 0; }

LinkId Peer::open_link(std::string address, std::uint16_t port, Now now) {
  now_ = now;
  if (pipeline_ == nullptr || (leader_ != nullptr && !options_.leader_serves)) return LinkId(0);
  return pipeline_->open_link(std::move(address), port, now);
}

void Peer::on_frame(LinkId link, std::string_view frame, Now now) {
  now_ = now;
  if (!serves(link)) return;
  pipeline_->on_frame(link, frame, now);
}

void Peer::on_link_closed(LinkId link, Now now) {
  now_ = now;
  if (!serves(link)) return;
  pipeline_->on_link_closed(link);
}

bool Peer::is_choked(LinkId link) const { return serves(link) && pipeline_->is_choked(link); }

void Peer::on_output_drained(LinkId link, Now now) {
  now_ = now;
  if (!serves(link)) return;
  pipeline_->on_output_drained(link, now);
}

// ---- time and status --------------------------------------------------------------------------------------

void Peer::on_deadline(Now now) {
  begin(now);
  if (look_at_ && now.at >= *look_at_) look();
  if (read_only_at_ && now.at >= *read_only_at_) serve_read_only();
  doubt();
  if (connect_at_ && now.at >= *connect_at_) connect_leader();
  const auto due = [&](std::optional<base::Instant> at) { return at && *at <= now.at; };
  if (due(election_.next_deadline())) election_.on_deadline(now.at);
  if (master() != nullptr && due(master()->next_deadline())) master()->on_deadline(now.at);
  if (learner_ != nullptr && due(learner_->next_deadline())) learner_->on_deadline(now.at);
  settle();
  if (pipeline_ != nullptr && due(pipeline_->next_deadline())) pipeline_->on_deadline(now);
  settle();
}

std::optional<base::Instant> Peer::next_deadline() const {
  std::optional<base::Instant> first = look_at_;
  const auto consider = [&first](std::optional<base::Instant> at) {
    if (at && (!first || *at < *first)) first = at;
  };
  consider(election_.next_deadline());
  consider(read_only_at_);
  if (doubt_at_ && !options_.config.contains_quorum(supporters_)) consider(doubt_at_);
  consider(connect_at_);
  if (master() != nullptr) consider(master()->next_deadline());
  if (learner_ != nullptr) consider(learner_->next_deadline());
  if (pipeline_ != nullptr) consider(pipeline_->next_deadline());
  return first;
}

Status Peer::status() const {
  Status status;
  status.state = leader_ != nullptr || learner_ != nullptr ? election_.state() : ServerState::looking;
  status.serving = pipeline_ != nullptr && pipeline_->role() != pipeline::Role::read_only;
  if (leader_id_ != quorum::kNoServer) status.leader = leader_id_;
  if (master_id_ != quorum::kNoServer) status.master = master_id_;
  status.accepted_epoch = accepted_epoch_;
  status.current_epoch = current_epoch_;
  status.incomplete = incomplete_;
  status.last_zxid = tree_->last_zxid();
  status.election = election_.status();
  if (leader_ != nullptr) status.leading = leader_->status();
  if (learner_ != nullptr) status.learning = learner_->status();
  if (observer_master_ != nullptr) status.observed = observer_master_->status();
  status.tally = tally_;
  if (const zab::Leader* serving = master()) status.tally.diffs_sent += serving->diffs();
  return status;
}

}  // namespace tandem::coord::peer
