#include "tests/sim/apache_election.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace tandem::sim {

using coord::election::Decide;
using coord::election::Send;

namespace {

constexpr base::milliseconds kFinalizeWait{200};
constexpr base::milliseconds kIntervalMin{200};
constexpr base::milliseconds kIntervalMax{60000};
constexpr std::int32_t kVersion = 2;
constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();

bool better(const ApacheElection::Vote& a, const ApacheElection::Vote& b) {
  return std::tie(a.peer_epoch, a.zxid, a.leader) > std::tie(b.peer_epoch, b.zxid, b.leader);
}

// Vote.equals: while one giver looks, everything counts; else leader and epoch, or the leader alone between a
// version and none.
bool same(const ApacheElection::Vote& a, const ApacheElection::Vote& b) {
  using coord::election::ServerState;
  if (a.state == ServerState::looking || b.state == ServerState::looking)
    return std::tie(a.leader, a.zxid, a.round, a.peer_epoch) ==
           std::tie(b.leader, b.zxid, b.round, b.peer_epoch);
  if ((a.version > 0) != (b.version > 0)) return a.leader == b.leader;
  return a.leader == b.leader && a.peer_epoch == b.peer_epoch;
}

}  // namespace

ApacheElection::ApacheElection(ServerId self, coord::quorum::QuorumConfig config)
    : self_(self), config_(std::move(config)) {}

ApacheElection::Vote ApacheElection::initial() const {
  if (!config_.is_voter(self_)) return Vote{ServerId(kNone), jute::Zxid(kNone), kNone};
  return Vote{self_, last_zxid_, current_epoch_};
}

void ApacheElection::look(jute::Zxid last_zxid, std::int64_t current_epoch, Instant now) {
  last_zxid_ = last_zxid;
  current_epoch_ = current_epoch;
  if (!begun_) current_ = initial();
  begun_ = true;
  state_ = ServerState::looking;
  received_.clear();
  settled_.clear();
  finalizing_ = false;
  timeout_ = kIntervalMin;
  ++clock_;
  proposed_ = initial();
  send_notifications();
  deadline_ = now + timeout_;
  work(now);
}

void ApacheElection::send(ServerId to, Vote vote) {
  vote.version = kVersion;
  if (to == self_) {
    if (config_.is_voter(self_)) queue_.push_back({self_, vote});
    return;
  }
  const Notification notification{vote, config_.text()};
  last_sent_[to] = notification;
  up_.contains(to) ? effects_.push_back(Send{to, notification}) : static_cast<void>(seek_ = true);
}

void ApacheElection::send_notifications() {
  for (const ServerId voter : config_.voters()) {
    Vote vote = proposed_;
    vote.round = clock_;
    vote.state = ServerState::looking;
    send(voter, vote);
  }
}

// The worker that receives: it answers by itself, and gives the rest to who looks for a leader.
void ApacheElection::on_notification(ServerId from, const Notification& notification, Instant now) {
  if (!begun_) return;
  const Vote& vote = notification.vote;
  const bool asks = vote.state == ServerState::looking;
  if (!config_.is_voter(from)) {
    Vote answer = current_;
    answer.round = clock_;
    answer.state = state_;
    return send(from, answer);
  }
  if (state_ == ServerState::looking) {
    queue_.push_back({from, vote});
    if (asks && vote.round < clock_) {
      Vote answer = proposed_;
      answer.round = clock_;
      answer.state = state_;
      send(from, answer);
    }
    work(now);
  } else if (asks) {
    Vote answer = current_;
    answer.state = state_;
    send(from, answer);
  }
}

void ApacheElection::work(Instant now) {
  while (!queue_.empty() && state_ == ServerState::looking) {
    const Received received = queue_.front();
    queue_.pop_front();
    if (finalizing_ && !better(received.vote, proposed_)) {
      deadline_ = now + kFinalizeWait;  // dropped, and the wait begins anew
      continue;
    }
    finalizing_ = false;
    deadline_ = now + timeout_;
    take(received, now);
  }
}

void ApacheElection::take(const Received& received, Instant now) {
  if (!config_.is_voter(received.from) || !config_.is_voter(received.vote.leader)) return;
  switch (received.vote.state) {
    case ServerState::looking:
      return take_looking(received, now);
    case ServerState::following:
    case ServerState::leading:
      return take_settled(received);
    case ServerState::observing:
      return;
  }
}

void ApacheElection::take_looking(const Received& received, Instant now) {
  const Vote& vote = received.vote;
  if (vote.zxid.value == -1) return;
  if (vote.round > clock_) {
    clock_ = vote.round;
    received_.clear();
    proposed_ = better(vote, initial()) ? Vote{vote.leader, vote.zxid, vote.peer_epoch} : initial();
    send_notifications();
  } else if (vote.round < clock_) {
    return;
  } else if (better(vote, proposed_)) {
    proposed_ = Vote{vote.leader, vote.zxid, vote.peer_epoch};
    send_notifications();
  }
  received_[received.from] = Vote{vote.leader, vote.zxid, vote.peer_epoch, vote.round};
  Vote ours = proposed_;
  ours.round = clock_;
  if (!has_quorum(received_, ours)) return;
  finalizing_ = true;
  deadline_ = now + kFinalizeWait;
}

void ApacheElection::take_settled(const Received& received) {
  const Vote& vote = received.vote;
  if (vote.round == clock_) {
    received_[received.from] = Vote{vote.leader, vote.zxid, vote.peer_epoch, vote.round, vote.state};
    if (has_quorum(received_, vote) && leads(received_, vote)) return elect(vote, received_);
  }
  settled_[received.from] = vote;
  if (!has_quorum(settled_, vote) || !leads(settled_, vote)) return;
  clock_ = vote.round;
  elect(vote, settled_);
}

bool ApacheElection::has_quorum(const Votes& votes, const Vote& vote) const {
  coord::quorum::ServerSet givers;
  for (const auto& [from, given] : votes)
    if (same(vote, given)) givers.insert(from);
  return config_.contains_quorum(givers);
}

bool ApacheElection::leads(const Votes& votes, const Vote& vote) const {
  if (vote.leader == self_) return vote.round == clock_;
  const auto it = votes.find(vote.leader);
  return it != votes.end() && it->second.state == ServerState::leading;
}

void ApacheElection::elect(const Vote& vote, const Votes& votes) {
  current_ = Vote{vote.leader, vote.zxid, vote.peer_epoch, vote.round};
  const bool voter = config_.is_voter(self_);
  state_ = vote.leader == self_ ? ServerState::leading
           : voter              ? ServerState::following
                                : ServerState::observing;
  current_.state = state_;
  coord::quorum::ServerSet givers;
  for (const auto& [from, given] : votes)
    if (same(vote, given)) givers.insert(from);
  queue_.clear();
  deadline_.reset();
  finalizing_ = false;
  effects_.push_back(Decide{state_, current_, std::move(givers)});
}

void ApacheElection::on_deadline(Instant now) {
  if (!deadline_ || now < *deadline_ || state_ != ServerState::looking) return;
  if (finalizing_) {
    Vote vote = proposed_;
    vote.round = clock_;
    return elect(vote, received_);
  }
  // Nothing was delivered to anybody: what is to be sent still waits, and connections are tried again.
  up_.empty() ? static_cast<void>(seek_ = true) : send_notifications();
  timeout_ = std::min(timeout_ * 2, kIntervalMax);
  deadline_ = now + timeout_;
  work(now);
}

void ApacheElection::on_link(ServerId peer, bool up) {
  if (!up) return static_cast<void>(up_.erase(peer));
  up_.insert(peer);
  if (const auto last = last_sent_.find(peer); last != last_sent_.end())
    effects_.emplace_back(Send{peer, last->second});
}

coord::election::Status ApacheElection::status() const {
  coord::election::Status status;
  status.state = state_;
  status.vote = state_ == ServerState::looking ? proposed_ : current_;
  status.round = clock_;
  return status;
}

}  // namespace tandem::sim
