// A model of an Apache server (QuorumPeer): the models of its election, leader and learner, one after the
// other, on the request pipeline of ours, which stands for its request processors: what clients see is
// compared with Apache's elsewhere, here it is about what servers say to each other.
// A server that led counts from its epoch's zero in the next election, as Apache's does while it runs; it
// votes with whatever it has, an empty one too.
#include <fmt/format.h>

#include "base/check.h"
#include "tests/sim/apache_election.h"
#include "tests/sim/apache_leader.h"
#include "tests/sim/member.h"

namespace tandem::sim {

namespace peer = coord::peer;
namespace pipeline = coord::pipeline;
namespace records = coord::records;
namespace zab = coord::zab;
using coord::election::ServerState;

namespace {

template <class... Cases>
struct Either : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Either(Cases...) -> Either<Cases...>;  // clang 14 does not find it by itself

class ApacheMember final : public Member {
 public:
  ApacheMember(MemberStart start, ApacheOptions apache)
      : options_(std::move(start.options)),
        apache_(apache),
        authorizer_(start.authorizer),
        outputs_(start.outputs),
        now_(start.now),
        accepted_epoch_(start.start.accepted_epoch),
        current_epoch_(start.start.current_epoch),
        commit_log_(options_.commit_log_count),
        election_(options_.self, options_.config) {
    install(std::move(start.start.database));
  }

  void start(Now now) override {
    now_ = now;
    look();
    settle();
  }

  void on_notification(ServerId from, const coord::election::Notification& said, Now now) override {
    now_ = now;
    election_.on_notification(from, said, now.at);
    settle();
  }
  void on_election_link(ServerId peer, coord::election::Link link, Now now) override {
    now_ = now;
    election_.on_link(peer, link == coord::election::Link::up);
    settle();
  }

  // ---- learners
  void on_learner_port(Now) override {}
  LearnerId on_learner_open(Now now) override {
    now_ = now;
    return leader_ ? leader_->open_learner(now.at) : LearnerId(0);
  }
  void on_learner_packet(LearnerId learner, const Packet& packet, Now now) override {
    now_ = now;
    if (leader_) leader_->on_packet(learner, packet, now.at);
    settle();
  }
  void on_learner_progress(LearnerId, Now) override {}
  void on_snapshot_sent(LearnerId learner, Now now) override {
    now_ = now;
    if (leader_) leader_->on_snapshot_sent(learner, now.at);
    settle();
  }
  void on_learner_gone(LearnerId learner, Now now) override {
    now_ = now;
    if (leader_) leader_->on_closed(learner);
    if (pipeline_) pipeline_->on_learner_gone(pipeline::LearnerId(learner.value));
    settle();
  }
  void on_log_chunk(LearnerId learner, const zab::LogChunk& chunk, Now now) override {
    now_ = now;
    if (leader_) leader_->on_log_chunk(learner, chunk, now.at);
    settle();
  }

  // ---- the leader
  void on_leader_connected(Now now) override {
    now_ = now;
    if (learner_) learner_->on_connected(now.at);
    settle();
  }
  bool reads_leader() const override { return learner_ && learner_->reading(); }
  void on_leader_packet(const Packet& packet, Now now) override {
    now_ = now;
    if (learner_) learner_->on_packet(packet, now.at);
    settle();
  }
  void on_leader_progress(Now now) override {
    if (learner_) learner_->on_progress(now.at);
  }
  void on_leader_gone(std::string_view reason, Now now) override {
    now_ = now;
    if (learner_) learner_->on_disconnected(reason);
    settle();
  }
  void on_leader_unreachable(Now now) override { on_leader_gone("not reached in time", now); }

  // ---- disk
  void on_durable(Zxid zxid, Now now) override {
    now_ = now;
    if (leader_) leader_->on_durable(zxid);
    if (learner_) learner_->on_durable(zxid);
    settle();
  }
  void on_log_drained(Now now) override {
    now_ = now;
    ENSURE(draining_);
    draining_ = false;
    for (const records::TxnRef& txn : std::exchange(unapplied_, {})) {
      apply(txn.payload.view());
      commit_log_.add(txn);
    }
    look();
    settle();
  }
  void on_accepted_epoch_durable(std::int64_t epoch, Now now) override {
    now_ = now;
    accepted_epoch_ = std::max(accepted_epoch_, epoch);
    if (leader_) leader_->on_accepted_epoch_durable(epoch, now.at);
    if (learner_) learner_->on_accepted_epoch_durable(epoch, now.at);
    settle();
  }
  void on_current_epoch_durable(std::int64_t epoch, Now now) override {
    now_ = now;
    current_epoch_ = std::max(current_epoch_, epoch);
    if (leader_) leader_->on_current_epoch_durable(epoch, now.at);
    if (learner_) learner_->on_current_epoch_durable(epoch, now.at);
    settle();
  }
  void on_truncated(Zxid zxid, Database database, Now now) override {
    now_ = now;
    install(std::move(database));
    tree_->set_last_zxid(zxid);
    if (learner_) learner_->on_truncated(zxid, now.at);
    settle();
  }
  void on_snapshot_installed(Zxid zxid, Database database, Now now) override {
    now_ = now;
    install(std::move(database));
    if (learner_) learner_->on_snapshot_installed(zxid, now.at);
    settle();
  }

  // ---- clients
  LinkId open_link(std::string address, std::uint16_t port, Now now) override {
    now_ = now;
    return pipeline_ ? pipeline_->open_link(std::move(address), port, now) : LinkId(0);
  }
  void on_frame(LinkId link, std::string_view frame, Now now) override {
    now_ = now;
    if (pipeline_ && link.value != 0) pipeline_->on_frame(link, frame, now);
  }
  void on_link_closed(LinkId link, Now now) override {
    now_ = now;
    if (pipeline_ && link.value != 0) pipeline_->on_link_closed(link);
  }
  bool is_choked(LinkId link) const override {
    return pipeline_ && link.value != 0 && pipeline_->is_choked(link);
  }
  void on_output_drained(LinkId link, Now now) override {
    now_ = now;
    if (pipeline_ && link.value != 0) pipeline_->on_output_drained(link, now);
  }

  // ---- time and effects
  void on_deadline(Now now) override {
    now_ = now;
    election_.on_deadline(now.at);
    if (leader_) leader_->on_deadline(now.at);
    if (learner_) learner_->on_deadline(now.at);
    settle();
    if (pipeline_ && pipeline_->next_deadline() && *pipeline_->next_deadline() <= now.at)
      pipeline_->on_deadline(now);
    settle();
  }
  std::optional<base::Instant> next_deadline() const override {
    std::optional<base::Instant> first = election_.next_deadline();
    const auto consider = [&first](std::optional<base::Instant> at) {
      if (at && (!first || *at < *first)) first = at;
    };
    if (leader_) consider(leader_->next_deadline());
    if (learner_) consider(learner_->next_deadline());
    if (pipeline_) consider(pipeline_->next_deadline());
    return first;
  }
  bool has_effects() const override {
    return !effects_.empty() || held_ || (pipeline_ && pipeline_->has_effects());
  }
  std::vector<peer::Effect> take_effects() override {
    if (effects_.empty()) held_ = false;
    settle();
    return std::exchange(effects_, {});
  }
  peer::Status status() const override;
  pipeline::Pipeline* serving() const override { return pipeline_.get(); }
  coord::tree::DataTree& tree() const override { return *tree_; }
  const coord::session::SessionTracker& sessions() const override { return *sessions_; }

 private:
  void look();
  void take_role(const coord::election::Decide& decision);
  void serve(pipeline::Role role, Zxid epoch_start);
  void end_role(const std::string& reason);
  void close_pipeline();
  void install(Database database);
  void apply(std::string_view payload);
  void note(std::string text) {
    effects_.emplace_back(peer::Note{peer::Note::Level::info, "(Apache) " + std::move(text)});
  }
  void settle();
  bool settle_election();
  bool settle_leader();
  bool settle_learner();
  bool settle_pipeline();
  void perform(const zab::LeaderEffect& effect);
  void perform(const zab::LearnerEffect& effect);
  void perform(const pipeline::Effect& effect);

  peer::PeerOptions options_;
  ApacheOptions apache_;
  const coord::auth::Authorizer& authorizer_;
  pipeline::Outputs& outputs_;
  Now now_;
  std::int64_t accepted_epoch_;
  std::int64_t current_epoch_;
  std::unique_ptr<coord::tree::DataTree> tree_;
  std::unique_ptr<coord::session::SessionTracker> sessions_;
  zab::CommitLog commit_log_;
  Zxid mixed_until_;
  bool draining_ = false;
  ServerId leader_id_ = coord::quorum::kNoServer;
  ApacheElection election_;
  std::unique_ptr<ApacheLeader> leader_;
  std::unique_ptr<ApacheLearner> learner_;
  std::unique_ptr<pipeline::Pipeline> pipeline_;
  std::uint64_t next_link_ = 1;
  std::vector<records::TxnRef> unapplied_;
  bool held_ = false;  // a tree is being sent: what comes behind it waits
  std::deque<zab::LeaderEffect> leader_effects_;
  std::vector<peer::Effect> effects_;
};

// ---- roles
// --------------------------------------------------------------------------------------------------

void ApacheMember::look() {
  note(fmt::format("LOOKING: last zxid 0x{:x}, epochs {}/{}", tree_->last_zxid().value, accepted_epoch_,
                   current_epoch_));
  election_.look(tree_->last_zxid(), current_epoch_, now_.at);
}

void ApacheMember::take_role(const coord::election::Decide& decision) {
  leader_id_ = decision.vote.leader;
  note(fmt::format("{}: the leader is server {}", coord::election::to_string(decision.state), leader_id_));
  if (decision.state == ServerState::leading) {
    zab::LeaderOptions leading;
    leading.self = options_.self;
    leading.tick = options_.tick;
    leading.init_limit = options_.init_limit;
    leading.sync_limit = options_.sync_limit;
    leading.log_readable = options_.log_readable;
    effects_.emplace_back(peer::OpenLearnerPort{});
    leader_ = std::make_unique<ApacheLeader>(
        leading, zab::LeaderStart{accepted_epoch_, current_epoch_, tree_->last_zxid(), {}}, options_.config,
        commit_log_, now_.at);
    return;
  }
  zab::LearnerOptions learning;
  learning.self = options_.self;
  learning.observer = decision.state == ServerState::observing;
  learning.config_version = options_.config.version();
  learning.tick = options_.tick;
  learning.init_limit = options_.init_limit;
  learning.sync_limit = options_.sync_limit;
  learner_ = std::make_unique<ApacheLearner>(
      learning, apache_, zab::LearnerStart{accepted_epoch_, current_epoch_, tree_->last_zxid()}, commit_log_,
      now_.at);
  effects_.emplace_back(peer::ConnectLeader{leader_id_, {}});
}

void ApacheMember::serve(pipeline::Role role, Zxid epoch_start) {
  election_.set_elected_epoch(records::epoch_of(epoch_start));
  if (role == pipeline::Role::leader) tree_->set_last_zxid(epoch_start);
  const auto sync = learner_ ? learner_->status().sync : std::nullopt;
  // What was committed while the tree was on its way is applied by now, or known to be.
  if (sync == records::PacketType::snap)
    mixed_until_ = std::max({mixed_until_, tree_->last_zxid(), learner_->status().last_committed});
  pipeline::PipelineOptions options = options_.pipeline;
  options.role = role;
  options.first_link = next_link_;
  options.mixed_until = mixed_until_;
  pipeline_ = std::make_unique<pipeline::Pipeline>(options, *tree_, *sessions_, authorizer_, outputs_, now_);
  note(fmt::format("serving as {} in epoch {}, last zxid 0x{:x}{}", to_string(role),
                   records::epoch_of(epoch_start), tree_->last_zxid().value,
                   sync ? fmt::format(", synchronized by {}", records::to_string(*sync)) : ""));
}

void ApacheMember::close_pipeline() {
  if (!pipeline_) return;
  pipeline_->end();
  for (const pipeline::Effect& effect : pipeline_->take_effects()) perform(effect);
  next_link_ = pipeline_->next_link();
  pipeline_.reset();
}

// What was logged and not applied is in the log, and read from there before the next election.
void ApacheMember::end_role(const std::string& reason) {
  note(fmt::format("no longer {}: {}", leader_ ? "leading" : "following", reason));
  draining_ = true;
  close_pipeline();
  if (leader_) {
    unapplied_.assign(leader_->outstanding().begin(), leader_->outstanding().end());
    effects_.emplace_back(peer::CloseLearnerPort{});
  } else {
    unapplied_ = learner_->unapplied();
    effects_.emplace_back(peer::CloseLeader{});
  }
  leader_.reset();
  learner_.reset();
  held_ = false;
  leader_effects_.clear();
  leader_id_ = coord::quorum::kNoServer;
  effects_.emplace_back(peer::DrainLog{});
}

void ApacheMember::install(Database database) {
  close_pipeline();
  tree_ = std::move(database.tree);
  mixed_until_ = database.mixed_until;
  sessions_ = std::make_unique<coord::session::SessionTracker>(
      options_.tick, coord::session::first_session_id(options_.self.value, now_.wall));
  for (const auto& [id, timeout_ms] : database.sessions) sessions_->commit(jute::SessionId(id), timeout_ms);
  commit_log_.clear();
  for (records::TxnRef& txn : database.recent) commit_log_.add(std::move(txn));
}

void ApacheMember::apply(std::string_view payload) {
  coord::tree::ApplyResult result;
  const base::Status status = tree_->apply(payload, nullptr, result);
  ENSURE(status.has_value(), "{}", status.error().context);
  if (result.header.type == jute::OpCode::create_session)
    sessions_->commit(result.header.client_id, result.session_timeout_ms);
  if (result.header.type == jute::OpCode::close_session) sessions_->remove(result.header.client_id);
}

// ---- what one part says to the other
// ------------------------------------------------------------------------

void ApacheMember::settle() {
  for (bool more = true; more;) {
    more = settle_election();
    more = settle_leader() || more;
    more = settle_learner() || more;
    more = settle_pipeline() || more;
  }
}

bool ApacheMember::settle_election() {
  if (election_.take_seek()) {
    coord::quorum::ServerSet others = options_.config.voters();
    others.erase(options_.self);
    effects_.emplace_back(peer::SeekVoters{std::move(others)});
  }
  auto said = election_.drain();
  for (auto& effect : said) {
    if (auto* send = std::get_if<coord::election::Send>(&effect)) effects_.emplace_back(std::move(*send));
    if (const auto* decision = std::get_if<coord::election::Decide>(&effect)) take_role(*decision);
  }
  return !said.empty();
}

bool ApacheMember::settle_leader() {
  if (!leader_ || held_) return false;
  for (auto& effect : leader_->take_effects()) leader_effects_.push_back(std::move(effect));
  bool any = false;
  while (leader_ && !held_ && !leader_effects_.empty()) {
    const zab::LeaderEffect effect = std::move(leader_effects_.front());
    leader_effects_.pop_front();
    perform(effect);
    any = true;
  }
  return any;
}

void ApacheMember::perform(const zab::LeaderEffect& effect) {
  const auto forward = [this](const auto& value) { effects_.emplace_back(value); };
  std::visit(Either{
                 [&](const zab::PersistAcceptedEpoch& value) { forward(value); },
                 [&](const zab::PersistCurrentEpoch& value) { forward(value); },
                 [&](const zab::Persist& value) { forward(value); },
                 [&](const zab::SendToLearner& value) { forward(value); },
                 [&](const zab::SendSnapshot& value) {
                   forward(value);
                   held_ = true;
                 },
                 [&](const zab::ReadLog& value) { forward(value); },
                 [&](const zab::CloseLearner& value) {
                   note(fmt::format("closing learner {}: {}", value.learner, value.reason));
                   forward(value);
                   if (pipeline_) pipeline_->on_learner_gone(pipeline::LearnerId(value.learner.value));
                 },
                 [&](const zab::StartLeading& value) { serve(pipeline::Role::leader, value.epoch_start); },
                 [&](const zab::Commit& value) { pipeline_->on_committed(value.through, now_); },
                 [&](const zab::StepDown& value) { end_role(value.reason); },
                 [&](const zab::LearnerRequest& value) {
                   if (!pipeline_) return;
                   pipeline_->on_request(pipeline::LearnerId(value.from.value),
                                         {value.session, value.cxid, value.type, value.body}, value.ids,
                                         now_);
                 },
                 [&](const zab::LearnerRevalidate& value) {
                   if (!pipeline_) return;
                   pipeline_->on_revalidate(pipeline::LearnerId(value.from.value), value.session.session,
                                            value.session.timeout_ms, now_);
                 },
                 [&](const zab::LearnerTouches& value) {
                   if (!pipeline_) return;
                   for (const records::Touch& touch : value.touches)
                     pipeline_->on_touch(touch.session, touch.timeout_ms, now_);
                 },
                 [&](const zab::Confirmed&) {},
             },
             effect);
}

bool ApacheMember::settle_learner() {
  if (!learner_) return false;
  const auto said = learner_->take_effects();
  for (const zab::LearnerEffect& effect : said) {
    if (learner_) perform(effect);
  }
  return !said.empty();
}

void ApacheMember::perform(const zab::LearnerEffect& effect) {
  const auto forward = [this](const auto& value) { effects_.emplace_back(value); };
  std::visit(Either{
                 [&](const zab::PersistAcceptedEpoch& value) { forward(value); },
                 [&](const zab::PersistCurrentEpoch& value) { forward(value); },
                 [&](const zab::Persist& value) { forward(value); },
                 [&](const zab::SendToLeader& value) { forward(value); },
                 [&](const zab::Truncate& value) { forward(value); },
                 [&](const zab::InstallSnapshot& value) { forward(value); },
                 [&](const zab::Apply& value) {
                   for (const records::TxnRef& txn : value.txns)
                     pipeline_ ? pipeline_->on_transaction(txn.payload.view(), now_)
                               : apply(txn.payload.view());
                 },
                 [&](const zab::StartFollowing& value) {
                   const bool observer = election_.state() == ServerState::observing;
                   serve(observer ? pipeline::Role::observer : pipeline::Role::follower, value.epoch_start);
                 },
                 [&](const zab::PingAsked& value) {
                   std::vector<records::Touch> touches;
                   if (pipeline_) touches = pipeline_->take_touches();
                   learner_->answer_ping(value.zxid, touches);
                 },
                 [&](const zab::Revalidated& value) {
                   if (pipeline_) pipeline_->on_revalidated(value.session, value.valid, value.known, now_);
                 },
                 [&](const zab::Synced&) {
                   if (pipeline_) pipeline_->on_sync_done(now_);
                 },
                 [&](const zab::Reconnect&) {},
                 [&](const zab::Abandon& value) { end_role(value.reason); },
             },
             effect);
}

bool ApacheMember::settle_pipeline() {
  if (!pipeline_ || !pipeline_->has_effects()) return false;
  for (const pipeline::Effect& effect : pipeline_->take_effects()) {
    if (pipeline_) perform(effect);
  }
  return true;
}

void ApacheMember::perform(const pipeline::Effect& effect) {
  std::visit(Either{
                 [&](const pipeline::Persist& value) {
                   if (leader_) leader_->propose(value.batch, now_.at);
                 },
                 [&](const pipeline::Forward& value) {
                   if (learner_)
                     learner_->forward({value.session, value.cxid, value.op, value.body}, value.ids);
                 },
                 [&](const pipeline::Revalidate& value) {
                   if (learner_) learner_->revalidate({value.session, value.timeout_ms});
                 },
                 [&](const pipeline::AnswerRevalidate& value) {
                   if (leader_)
                     leader_->revalidated(LearnerId(value.learner.value), value.session, value.valid);
                 },
                 [&](const pipeline::AnswerSync& value) {
                   if (leader_) leader_->answer_sync(LearnerId(value.learner.value));
                 },
                 [&](const pipeline::DropLearner& value) {
                   if (leader_)
                     leader_->dismiss(LearnerId(value.learner.value), "more than can be held for it");
                 },
                 [&](const pipeline::ConfirmLeadership&) {},  // Apache's sync asks nobody
                 [&](const pipeline::EpochExhausted&) {
                   if (leader_) leader_->step_down("the zxids of this epoch are used up");
                 },
                 [&](const pipeline::CloseLink& value) { effects_.emplace_back(value); },
                 [&](const pipeline::ResumeLink& value) { effects_.emplace_back(value); },
                 [&](const pipeline::AwaitOutput& value) { effects_.emplace_back(value); },
             },
             effect);
}

peer::Status ApacheMember::status() const {
  peer::Status status;
  status.state = leader_ || learner_ ? election_.state() : ServerState::looking;
  status.serving = pipeline_ != nullptr;
  if (leader_id_ != coord::quorum::kNoServer) status.leader = leader_id_;
  status.accepted_epoch = accepted_epoch_;
  status.current_epoch = current_epoch_;
  status.last_zxid = tree_->last_zxid();
  status.election = election_.status();
  if (leader_) status.leading = leader_->status();
  if (learner_) status.learning = learner_->status();
  return status;
}

}  // namespace

std::unique_ptr<Member> make_apache(MemberStart start, ApacheOptions apache) {
  return std::make_unique<ApacheMember>(std::move(start), apache);
}

}  // namespace tandem::sim
