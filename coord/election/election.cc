#include "coord/election/election.h"

#include <fmt/format.h>

#include <algorithm>

namespace tandem::coord::election {

namespace {

constexpr Zxid kNoZxid{-1};
// Who has no vote is not told of a decision; this is how often it asks.
constexpr milliseconds kAbstainedIntervalMax{1000};

std::string text_of(const Vote& vote) {
  return fmt::format("{} leader={} zxid={:#x} epoch={} round={}", to_string(vote.state), vote.leader,
                     vote.zxid.value, vote.peer_epoch, vote.round);
}

struct Printer {
  std::string operator()(const Send& send) const {
    return fmt::format("send to {}: {}", send.to, text_of(send.notification.vote));
  }
  std::string operator()(const Decide& decide) const {
    std::string voters;
    for (const ServerId id : decide.voters) voters += fmt::format("{}{}", voters.empty() ? "" : ",", id);
    return fmt::format("decide {} voters={}", text_of(decide.vote), voters);
  }
  std::string operator()(const VoterLooking& looking) const {
    return fmt::format("voter {} is looking", looking.from);
  }
  std::string operator()(const LaterVersion& later) const {
    return fmt::format("the members are known by version 0x{:x}", later.version);
  }
  std::string operator()(const OtherConfig& other) const {
    return fmt::format("server {} has other members: {}", other.from, other.text);
  }
};

}  // namespace

std::string to_string(const Effect& effect) { return std::visit(Printer{}, effect); }

Election::Election(Options options, QuorumConfig config)
    : options_(options), config_(std::move(config)), config_text_(config_.text()) {}

void Election::look(Zxid last_zxid, std::int64_t current_epoch, Instant now, Ballot ballot) {
  ballot_ = ballot;
  last_zxid_ = last_zxid;
  current_epoch_ = current_epoch;
  state_ = ServerState::looking;
  running_ = true;
  resting_ = false;
  ++elections_;
  looking_since_ = now;
  settled_votes_.clear();
  enter_round(static_cast<std::int64_t>(static_cast<std::uint64_t>(round_) + 1));  // a peer may have sent any
  propose(own_vote());
  send_to_all();
  interval_ = options_.notification_interval_min;
  resend_at_ = now + interval_;
  judge(now);
}

void Election::enter_round(std::int64_t round) {
  round_ = round;
  round_votes_.clear();
  for (auto& entry : peers_) entry.second.told.reset();
}

Vote Election::own_vote() const {
  Vote vote;
  if (votes()) vote = Vote{options_.self, last_zxid_, current_epoch_};
  vote.round = round_;
  return vote;
}

void Election::propose(const Vote& vote) {
  vote_ = Vote{vote.leader, vote.zxid, vote.peer_epoch, round_, ServerState::looking};
  decide_at_.reset();
  if (votes()) round_votes_[options_.self] = vote_;
}

// A proposal that another made is not ours to give when we abstain.
void Election::send(ServerId to, const Vote& vote) {
  Vote sent = vote;
  if (running_ && abstains()) {
    sent = Vote{};
    sent.round = round_;
  }
  sent.version = kNotificationVersion;
  effects_.push_back(Send{to, Notification{sent, config_text_}});
}

void Election::send_to_all() {
  for (const ServerId voter : config_.voters())
    if (voter != options_.self) send(voter, vote_);
}

void Election::on_notification(ServerId from, const Notification& notification, Instant now) {
  const Vote& vote = notification.vote;
  if (from == options_.self || resting_) return;
  if (const auto peer = peers_.find(from); peer != peers_.end()) peer->second.silent = false;
  read_config(from, notification.config);
  const bool looking = vote.state == ServerState::looking;
  if (!config_.is_voter(from)) {  // an observer asks; its own vote is none
    if (looking && elections_ > 0) send(from, vote_);
    return;
  }
  if (!running_) {
    if (!looking || elections_ == 0) return;
    send(from, vote_);
    if (state_ == ServerState::leading) effects_.push_back(VoterLooking{from});
    return;
  }
  if (looking) settled_votes_.erase(from);
  if (!config_.is_voter(vote.leader)) {
    // A voter that gives no vote, or one whose members are others than ours.
    ++ignored_;
    if (!looking) return;
    peers_[from].abstains = true;
    round_votes_.erase(from);
    return judge(now);
  }
  if (looking) peers_[from].abstains = false;
  if (has_history(vote)) see_history();
  if (looking && avoids(vote.leader, now)) return pass_over(from, vote, now);
  switch (vote.state) {
    case ServerState::looking:
      return on_looking(from, vote, now);
    case ServerState::following:
    case ServerState::leading:
      return on_settled(from, vote);
    case ServerState::observing:
      return;
  }
}

// An empty server may have been filled once: it takes back what it gave.
void Election::see_history() {
  if (history_seen_) return;
  const bool voted = votes();
  history_seen_ = true;
  if (!voted || votes()) return;
  round_votes_.erase(options_.self);
  propose(own_vote());
  send_to_all();
}

void Election::avoid(ServerId peer, Instant until) {
  avoided_ = peer;
  avoided_until_ = until;
}

bool Election::avoids(ServerId peer, Instant now) const {
  return peer != quorum::kNoServer && peer == avoided_ && now < avoided_until_;
}

// A vote for it counts for nobody; its round does.
void Election::pass_over(ServerId from, const Vote& vote, Instant now) {
  if (vote.round < round_) return send(from, vote_);
  if (vote.round > round_) {
    enter_round(vote.round);
    propose(own_vote());
    send_to_all();
  }
  round_votes_.erase(from);
  peers_[from].abstains = true;
  judge(now);
}

void Election::on_looking(ServerId from, const Vote& vote, Instant now) {
  if (vote.zxid == kNoZxid) return;
  if (vote.round < round_) return send(from, vote_);
  if (vote.round > round_) {
    enter_round(vote.round);
    const Vote own = own_vote();
    propose(beats(vote, own, config_.verifier()) ? vote : own);
    send_to_all();
  } else if (beats(vote, vote_, config_.verifier())) {
    propose(vote);
    send_to_all();
  } else {
    tell(from, vote);
  }
  round_votes_[from] = Vote{vote.leader, vote.zxid, vote.peer_epoch, vote.round, vote.state};
  peers_[from].told = {vote, vote_};
  judge(now);
}

// The giver of a worse vote has not heard ours, and the first vote of a round may come from one that was not
// looking yet when ours was sent. Once for each pair of votes, so that two servers that disagree about what
// is better do not answer each other for ever.
void Election::tell(ServerId from, const Vote& vote) {
  const auto& told = peers_[from].told;
  if (told && (*told == std::pair(vote, vote_) || !beats(vote_, vote, config_.verifier()))) return;
  send(from, vote_);
}

void Election::on_settled(ServerId from, const Vote& vote) {
  if (vote.round == round_) {
    round_votes_[from] = Vote{vote.leader, vote.zxid, vote.peer_epoch, vote.round, vote.state};
    if (join(round_votes_, vote)) return;
  }
  settled_votes_[from] = vote;
  join(settled_votes_, vote);
}

// Joins the leader of `vote` when a quorum of `votes` has it and it leads by its own account. That it is us
// is true only of the round in which we were elected.
bool Election::join(std::map<ServerId, Vote>& votes, const Vote& vote) {
  auto givers = givers_of(votes, vote);
  if (abstains() && vote.leader == options_.self) return false;
  if (!config_.contains_quorum(givers) || !leader_confirms(votes, vote)) return false;
  round_ = vote.round;
  decide(vote, std::move(givers));
  return true;
}

quorum::ServerSet Election::givers_of(const std::map<ServerId, Vote>& votes, const Vote& vote) const {
  quorum::ServerSet givers;
  for (const auto& [id, given] : votes)
    if (counts_with(vote, given)) givers.insert(id);
  return givers;
}

bool Election::leader_confirms(const std::map<ServerId, Vote>& votes, const Vote& vote) const {
  if (vote.leader == options_.self) return vote.round == round_;
  const auto it = votes.find(vote.leader);
  return it != votes.end() && it->second.state == ServerState::leading;
}

bool Election::all_reachable_agree(const quorum::ServerSet& givers) const {
  return std::all_of(config_.voters().begin(), config_.voters().end(), [&](ServerId voter) {
    if (voter == options_.self || givers.contains(voter)) return true;
    const auto peer = peers_.find(voter);
    if (peer == peers_.end()) return false;
    return peer->second.link == Link::down || peer->second.silent || peer->second.abstains;
  });
}

void Election::judge(Instant now) {
  if (!running_ || (abstains() && config_.is_voter(options_.self))) return;
  auto givers = givers_of(round_votes_, vote_);
  if (!config_.contains_quorum(givers)) {
    decide_at_.reset();
  } else if (all_reachable_agree(givers)) {
    decide(vote_, std::move(givers));
  } else if (!decide_at_) {
    decide_at_ = now + options_.finalize_wait;
  }
}

void Election::decide(const Vote& vote, quorum::ServerSet voters) {
  running_ = false;
  resend_at_.reset();
  decide_at_.reset();
  if (vote.leader == options_.self)
    state_ = ServerState::leading;
  else
    state_ = config_.is_voter(options_.self) ? ServerState::following : ServerState::observing;
  vote_ = Vote{vote.leader, vote.zxid, vote.peer_epoch, vote.round, state_};
  round_votes_.clear();
  settled_votes_.clear();
  effects_.push_back(Decide{state_, vote_, std::move(voters)});
}

void Election::on_link(ServerId peer, Link link, Instant now) {
  peers_[peer].link = link;
  if (link == Link::up && peer == avoided_) avoided_ = quorum::kNoServer;
  if (!running_) return;
  if (link == Link::up && config_.is_voter(peer)) send(peer, vote_);
  if (link != Link::down) return;
  // Whom it followed, or that it led, may be over with it; it says so again when it is back.
  settled_votes_.erase(peer);
  const auto vote = round_votes_.find(peer);
  if (vote != round_votes_.end() && vote->second.state != ServerState::looking) round_votes_.erase(vote);
  judge(now);
}

void Election::rest() {
  resting_ = true;
  running_ = false;
  resend_at_.reset();
  decide_at_.reset();
}

void Election::on_silence(ServerId peer) { peers_[peer].silent = true; }

void Election::on_deadline(Instant now) {
  if (!running_) return;
  if (avoided_ != quorum::kNoServer && avoided_until_ <= now) {
    // What was passed over is not said again soon: all say it again in a new round.
    avoided_ = quorum::kNoServer;
    enter_round(round_ + 1);
    propose(own_vote());
    send_to_all();
    return judge(now);
  }
  if (decide_at_ && *decide_at_ <= now) {
    decide(vote_, givers_of(round_votes_, vote_));
  } else if (resend_at_ && *resend_at_ <= now) {
    send_to_all();
    interval_ = std::min(interval_ * 2, options_.notification_interval_max);
    if (abstains()) interval_ = std::min(interval_, kAbstainedIntervalMax);
    resend_at_ = now + interval_;
  }
}

std::optional<Instant> Election::next_deadline() const {
  std::optional<Instant> first = decide_at_ && resend_at_ ? std::min(*decide_at_, *resend_at_)
                                 : decide_at_             ? decide_at_
                                                          : resend_at_;
  if (running_ && avoided_ != quorum::kNoServer)
    first = first ? std::min(*first, avoided_until_) : avoided_until_;
  return first;
}

void Election::set_elected_epoch(std::int64_t epoch) {
  if (!running_) vote_.peer_epoch = epoch;
}

void Election::set_config(QuorumConfig config) {
  config_ = std::move(config);
  config_text_ = config_.text();
}

void Election::read_config(ServerId from, const std::string& text) {
  if (text.empty() || text == config_text_ || text == other_config_) return;
  other_config_ = text;
  const auto other = QuorumConfig::parse(text);
  if (!other || other->version() <= config_.version()) return;
  if (other->same_members(config_)) {
    effects_.push_back(LaterVersion{other->version()});
  } else {
    effects_.push_back(OtherConfig{from, text});
  }
}

Status Election::status() const {
  Status status{state_, vote_, round_, elections_, std::nullopt, ignored_};
  if (running_) status.looking_since = looking_since_;
  return status;
}

}  // namespace tandem::coord::election
