// How what one core says becomes a verb of another or an effect: run after every verb until nobody has
// anything to say.
#include <fmt/format.h>

#include "base/check.h"
#include "coord/peer/peer.h"

namespace tandem::coord::peer {

namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;  // clang 14 does not find it by itself

}  // namespace

void Peer::note(Note::Level level, std::string text) { effects_.emplace_back(Note{level, std::move(text)}); }

// Clients' frames and the packets of leader and learners are many and cheap: their effects are collected when
// the shell asks, so that what arrived together is logged, sent and applied together.
bool Peer::has_effects() const {
  return !effects_.empty() || held_ || packets_wait_ || (pipeline_ != nullptr && pipeline_->has_effects());
}

std::vector<Effect> Peer::take_effects() {
  if (effects_.empty()) held_ = false;
  settle();
  return std::exchange(effects_, {});
}

// What came before this verb takes effect before it.
void Peer::begin(Now now) {
  now_ = now;
  if (packets_wait_) settle();
}

void Peer::settle() {
  packets_wait_ = false;
  for (bool more = true; more;) {
    more = settle_election();
    more = settle_leader() || more;
    more = settle_learner() || more;
    more = settle_pipeline() || more;
  }
}

bool Peer::settle_election() {
  auto said = election_.drain();
  for (auto& effect : said) {
    if (auto* send = std::get_if<election::Send>(&effect)) {
      effects_.emplace_back(std::move(*send));
    } else if (const auto* decision = std::get_if<election::Decide>(&effect)) {
      take_role(*decision);
    } else if (const auto* later = std::get_if<election::LaterVersion>(&effect)) {
      know_config_version(later->version);
    } else if (const auto* other = std::get_if<election::OtherConfig>(&effect)) {
      note(Note::Level::warning,
           fmt::format("server {} has another configuration, which is not taken over:\n{}", other->from,
                       other->text));
    } else if (const auto* looking = std::get_if<election::VoterLooking>(&effect)) {
      supporters_.erase(looking->from);
      doubt();
    }
  }
  return !said.empty();
}

bool Peer::settle_leader() {
  if (master() == nullptr || held_) return false;
  for (auto& effect : master()->take_effects()) leader_effects_.push_back(std::move(effect));
  bool any = false;
  while (master() != nullptr && !held_ && !leader_effects_.empty()) {
    const zab::LeaderEffect effect = std::move(leader_effects_.front());
    leader_effects_.pop_front();
    perform(effect);
    any = true;
  }
  return any;
}

void Peer::perform(const zab::LeaderEffect& effect) {
  const auto forward = [this](const auto& value) { effects_.emplace_back(value); };
  std::visit(
      Overloaded{
          [&](const zab::PersistAcceptedEpoch& value) { forward(value); },
          [&](const zab::PersistCurrentEpoch& value) { forward(value); },
          [&](const zab::Persist& value) {
            tally_.proposals += value.batch->sizes.size();
            forward(value);
          },
          [&](const zab::SendToLearner& value) { forward(value); },
          [&](const zab::SendSnapshot& value) {
            ++tally_.snapshots_sent;
            forward(value);
            held_ = true;
          },
          [&](const zab::ReadLog& value) { forward(value); },
          [&](const zab::CloseLearner& value) {
            if (!value.stranger)
              note(Note::Level::info, fmt::format("closing learner {}: {}", value.learner, value.reason));
            forward(value);
            if (leader_ != nullptr && pipeline_ != nullptr)
              pipeline_->on_learner_gone(pipeline::LearnerId(value.learner.value));
          },
          [&](const zab::StartLeading& value) {
            if (options_.config.version() == 0) know_config_version(value.epoch_start.value);
            serve(pipeline::Role::leader, value.epoch_start);
          },
          [&](const zab::Commit& value) {
            const Zxid before = std::max(last_txn_, records::make_zxid(records::epoch_of(value.through), 0));
            tally_.commits += static_cast<std::uint64_t>(value.through.value - before.value);
            pipeline_->on_committed(value.through, now_);
            last_txn_ = tree_->last_zxid();
          },
          [&](const zab::StepDown& value) { end_role(value.reason); },
          [&](const zab::LearnerRequest& value) {
            if (leader_ == nullptr) return pass_on(value);
            if (pipeline_ == nullptr) return;
            pipeline_->on_request(pipeline::LearnerId(value.from.value),
                                  {value.session, value.cxid, value.type, value.body}, value.ids, now_);
          },
          [&](const zab::LearnerRevalidate& value) {
            ++tally_.revalidations;
            if (leader_ == nullptr) return pass_on(value);
            if (pipeline_ == nullptr) return;
            pipeline_->on_revalidate(pipeline::LearnerId(value.from.value), value.session.session,
                                     value.session.timeout_ms, now_);
          },
          [&](const zab::LearnerTouches& value) {
            if (leader_ == nullptr) return pass_on(value);
            if (pipeline_ == nullptr) return;
            for (const records::Touch& touch : value.touches)
              pipeline_->on_touch(touch.session, touch.timeout_ms, now_);
          },
          [&](const zab::Confirmed& value) {
            if (pipeline_ != nullptr) pipeline_->on_leadership_confirmed(value.token, now_);
          },
      },
      effect);
}

bool Peer::settle_learner() {
  if (learner_ == nullptr || held_) return false;
  const auto said = learner_->take_effects();
  for (const zab::LearnerEffect& effect : said) {
    if (learner_ != nullptr) perform(effect);
  }
  return !said.empty();
}

void Peer::perform(const zab::LearnerEffect& effect) {
  const auto forward = [this](const auto& value) { effects_.emplace_back(value); };
  std::visit(Overloaded{
                 [&](const zab::PersistAcceptedEpoch& value) { forward(value); },
                 [&](const zab::PersistCurrentEpoch& value) { forward(value); },
                 [&](const zab::Persist& value) {
                   if (served_ && election_.state() != ServerState::observing)
                     tally_.proposals_received += value.batch->sizes.size();
                   forward(value);
                 },
                 [&](const zab::SendToLeader& value) { forward(value); },
                 [&](const zab::Truncate& value) { forward(value); },
                 [&](const zab::InstallSnapshot& value) { forward(value); },
                 [&](const zab::Apply& value) {
                   if (pipeline_ != nullptr) tally_.commits_received += value.txns.size();
                   for (const records::TxnRef& txn : value.txns) {
                     if (pipeline_ == nullptr) {
                       apply(txn.payload.view());
                       continue;
                     }
                     pipeline_->on_transaction(txn.payload.view(), now_);
                     last_txn_ = txn.zxid;
                     if (observer_master_ != nullptr) observer_master_->inform(txn);
                   }
                   serve_observers();
                 },
                 [&](const zab::StartFollowing& value) {
                   const bool observer = election_.state() == ServerState::observing;
                   const auto agreed = quorum::QuorumConfig::parse(value.config);
                   if (agreed && agreed->same_members(options_.config))
                     know_config_version(agreed->version());
                   serve(observer ? pipeline::Role::observer : pipeline::Role::follower, value.epoch_start);
                   become_complete(learner_->status().last_queued);
                   serve_observers();
                 },
                 [&](const zab::PingAsked& value) { learner_->answer_ping(value.zxid, touches()); },
                 [&](const zab::Revalidated& value) { on_leader_revalidated(value); },
                 [&](const zab::Synced&) { on_leader_synced(); },
                 [&](const zab::Reconnect&) {
                   effects_.emplace_back(CloseLeader{});
                   connect_leader();
                 },
                 [&](const zab::Abandon& value) {
                   if (value.silent && master_id_ == leader_id_) election_.on_silence(leader_id_);
                   end_role(value.reason);
                 },
             },
             effect);
}

bool Peer::settle_pipeline() {
  if (pipeline_ == nullptr || !pipeline_->has_effects()) return false;
  for (const pipeline::Effect& effect : pipeline_->take_effects()) {
    if (pipeline_ != nullptr) perform(effect);
  }
  return true;
}

void Peer::perform(const pipeline::Effect& effect) {
  std::visit(Overloaded{
                 [&](const pipeline::Persist& value) {
                   if (leader_ != nullptr) leader_->propose(value.batch, now_.at);
                 },
                 [&](const pipeline::Forward& value) {
                   if (learner_ == nullptr) return;
                   if (value.op == jute::OpCode::sync) syncs_asked_.push_back(LearnerId(0));
                   learner_->forward({value.session, value.cxid, value.op, value.body}, value.ids);
                 },
                 [&](const pipeline::Revalidate& value) {
                   if (learner_ == nullptr) return;
                   revalidations_asked_.emplace_back(value.session, LearnerId(0));
                   learner_->revalidate({value.session, value.timeout_ms});
                 },
                 [&](const pipeline::AnswerRevalidate& value) {
                   if (leader_ != nullptr)
                     leader_->revalidated(LearnerId(value.learner.value), value.session, value.valid,
                                          leader_->last_proposed());
                 },
                 [&](const pipeline::AnswerSync& value) {
                   if (leader_ != nullptr) leader_->answer_sync(LearnerId(value.learner.value));
                 },
                 [&](const pipeline::DropLearner& value) {
                   if (leader_ != nullptr)
                     leader_->dismiss(LearnerId(value.learner.value),
                                      "it sends more than can be held for it");
                 },
                 [&](const pipeline::ConfirmLeadership& value) {
                   if (leader_ != nullptr) leader_->confirm(value.round, now_.at);
                 },
                 [&](const pipeline::EpochExhausted&) {
                   if (leader_ != nullptr) leader_->step_down("the zxids of this epoch are used up");
                 },
                 [&](const pipeline::CloseLink& value) { effects_.emplace_back(value); },
                 [&](const pipeline::ResumeLink& value) { effects_.emplace_back(value); },
                 [&](const pipeline::AwaitOutput& value) { effects_.emplace_back(value); },
             },
             effect);
}

}  // namespace tandem::coord::peer
