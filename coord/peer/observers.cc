// Observers away from the leader: what a follower does for the observers that it serves (observerMasterPort),
// and how an observer finds such a follower. Requests, revalidations and syncs of observers go to the leader
// among those of this follower's own clients; as the leader answers in order, so are they given back.
// Source: Apache's ObserverMaster, Observer, QuorumPeer.findLearnerMaster.
#include <fmt/format.h>

#include <algorithm>

#include "coord/peer/peer.h"

namespace tandem::coord::peer {

namespace {

// Sessions that observers touched and the leader was not told yet; it asks twice in a tick.
constexpr std::size_t kTouchesMax = 1U << 20;

// How long nothing may answer where the leader should be: it may not hear this server at all.
constexpr base::milliseconds kConnectMax{2000};

}  // namespace

// ---- an observer ------------------------------------------------------------------------------------------

// Any voter may be a follower that serves observers; the leader's port is closed.
void Peer::shuffle_masters() {
  if (options_.observer_master_port == 0 || options_.config.is_voter(options_.self)) return;
  const quorum::ServerSet voters = options_.config.voters();
  masters_.assign(voters.begin(), voters.end());
  for (std::size_t i = masters_.size(); i > 1; --i) std::swap(masters_[i - 1], masters_[random_.below(i)]);
}

base::Duration Peer::delay_up_to(base::milliseconds most) {
  if (most.count() <= 0) return base::Duration(0);
  return base::milliseconds(random_.below(static_cast<std::uint64_t>(most.count())));
}

void Peer::choose_master() {
  master_id_ = leader_id_;
  masters_tried_ = 0;
  base::Duration delay(0);
  if (election_.state() == ServerState::observing && !masters_.empty()) {
    master_id_ = masters_[next_master_++ % masters_.size()];
    masters_tried_ = 1;
    // As Apache's: only when all have been tried.
    if (next_master_ > masters_.size() && master_id_ == masters_.front())
      delay = delay_up_to(options_.observer_reconnect_delay);
  } else if (election_.state() == ServerState::observing) {
    delay = delay_up_to(options_.observer_reconnect_delay);
  }
  if (delay == base::Duration(0)) return connect_leader();
  // A role that connects to nobody for initLimit is given up.
  connect_at_ =
      now_.at + std::min<base::Duration>(delay, options_.tick * std::max(options_.init_limit - 1, 1));
}

void Peer::connect_leader() {
  connect_at_.reset();
  learner_->on_progress(now_.at);
  ConnectLeader connect{master_id_, options_.config.find(master_id_)->addresses, masters_tried_ == 0, {}};
  connect.connect_max = std::min(options_.tick * options_.init_limit, std::max(kConnectMax, options_.tick));
  if (masters_tried_ > 0) {
    for (quorum::PeerAddress& address : connect.addresses)
      address.learner_port = options_.observer_master_port;
    note(Note::Level::info, fmt::format("trying server {} as observer master", master_id_));
  }
  effects_.emplace_back(std::move(connect));
}

// Where nobody answered, the next one is tried in the same role.
bool Peer::try_next_master() {
  const bool refused = learner_->phase() == zab::LearnerPhase::connecting;
  if (masters_tried_ == 0 || !refused || masters_tried_ >= masters_.size()) return false;
  master_id_ = masters_[next_master_++ % masters_.size()];
  ++masters_tried_;
  effects_.emplace_back(CloseLeader{});
  connect_leader();
  return true;
}

// ---- a follower that serves observers ---------------------------------------------------------------------

// Not before the tree is one state again: an observer would get a mixture.
void Peer::serve_observers() {
  if (options_.observer_master_port == 0 || observer_master_ != nullptr || observers_refused_) return;
  if (pipeline_ == nullptr || pipeline_->role() != pipeline::Role::follower || last_txn_ < mixed_until_)
    return;
  zab::LeaderOptions serving;
  serving.self = options_.self;
  serving.tick = options_.tick;
  serving.init_limit = options_.init_limit;
  serving.sync_limit = options_.sync_limit;
  serving.log_readable = options_.log_readable;
  serving.silence_max = options_.silence_max;
  serving.snapshots_max = options_.snapshots_max;
  serving.diffs_max = options_.diffs_max;
  serving.seed = random_.next();
  serving.observer_master = true;
  observer_master_ =
      std::make_unique<zab::Leader>(serving, zab::LeaderStart{accepted_epoch_, current_epoch_, last_txn_, {}},
                                    options_.config, commit_log_, now_.at);
  effects_.emplace_back(OpenLearnerPort{true});
}

void Peer::end_observer_master() {
  syncs_asked_.clear();
  revalidations_asked_.clear();
  observers_touches_.clear();
  observers_refused_ = false;
  if (observer_master_ == nullptr) return;
  tally_.diffs_sent += observer_master_->diffs();
  observer_master_.reset();
  leader_effects_.clear();
  effects_.emplace_back(CloseLearnerPort{});
}

void Peer::pass_on(const zab::LearnerRequest& request) {
  if (learner_ == nullptr) return;
  if (request.type == jute::OpCode::sync) syncs_asked_.push_back(request.from);
  learner_->forward({request.session, request.cxid, request.type, request.body}, request.ids);
}

void Peer::pass_on(const zab::LearnerRevalidate& asked) {
  if (learner_ == nullptr) return;
  revalidations_asked_.emplace_back(asked.session.session, asked.from);
  learner_->revalidate(asked.session);
}

void Peer::pass_on(const zab::LearnerTouches& touches) {
  for (const records::Touch& touch : touches.touches)
    observers_touches_[touch.session.value] = touch.timeout_ms;
  if (observers_touches_.size() > kTouchesMax)
    observer_master_->dismiss(touches.from, "it touches more sessions than can be held for it");
}

std::vector<records::Touch> Peer::touches() {
  std::vector<records::Touch> all;
  if (pipeline_ != nullptr) all = pipeline_->take_touches();
  for (const auto& [session, timeout_ms] : std::exchange(observers_touches_, {}))
    all.push_back({jute::SessionId(session), timeout_ms});
  return all;
}

void Peer::on_leader_synced() {
  LearnerId asked(0);
  if (!syncs_asked_.empty()) {
    asked = syncs_asked_.front();
    syncs_asked_.pop_front();
  }
  if (asked == LearnerId(0)) {
    if (pipeline_ != nullptr) pipeline_->on_sync_done(now_);
  } else if (observer_master_ != nullptr) {
    observer_master_->answer_sync(asked);
  }
}

void Peer::on_leader_revalidated(const zab::Revalidated& answer) {
  const auto asked = std::find_if(revalidations_asked_.begin(), revalidations_asked_.end(),
                                  [&](const auto& each) { return each.first == answer.session; });
  LearnerId from(0);
  if (asked != revalidations_asked_.end()) {
    from = asked->second;
    revalidations_asked_.erase(asked);  // one that waits behind the session's requests is answered later
  }
  if (from == LearnerId(0)) {
    if (pipeline_ != nullptr) pipeline_->on_revalidated(answer.session, answer.valid, answer.known, now_);
  } else if (observer_master_ != nullptr) {
    observer_master_->revalidated(from, answer.session, answer.valid, answer.known);
  }
}

}  // namespace tandem::coord::peer
