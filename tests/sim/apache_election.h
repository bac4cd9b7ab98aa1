// A model of Apache's election (FastLeaderElection with the part of QuorumCnxManager that resends), written
// from its rules and not from ours: one queue of received notifications, a wait of 200 ms that every further
// notification begins anew, notifications again after 0.2 s, 0.4 s and so on, each server its own first voter
// by a message to itself, the last message again on every new connection. Judged by recorded conversations of
// Apache's servers (apache_test.cc). One object for the life of a server; no I/O.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "coord/election/election.h"

namespace tandem::sim {

class ApacheElection {
 public:
  using Instant = base::Instant;
  using ServerId = coord::quorum::ServerId;
  using Vote = coord::election::Vote;
  using Notification = coord::election::Notification;
  using ServerState = coord::election::ServerState;

  ApacheElection(ServerId self, coord::quorum::QuorumConfig config);

  void look(jute::Zxid last_zxid, std::int64_t current_epoch, Instant now);
  void on_notification(ServerId from, const Notification& notification, Instant now);
  void on_link(ServerId peer, bool up);
  void on_deadline(Instant now);
  void set_elected_epoch(std::int64_t epoch) { current_.peer_epoch = epoch; }

  std::optional<Instant> next_deadline() const { return deadline_; }
  // Sends, and one Decide.
  std::vector<coord::election::Effect> drain() { return std::exchange(effects_, {}); }
  // Nobody was reached with what was to be sent: connections are to be tried, once.
  bool take_seek() { return std::exchange(seek_, false); }
  ServerState state() const { return state_; }
  coord::election::Status status() const;

 private:
  struct Received {
    ServerId from;
    Vote vote;
  };
  using Votes = std::map<ServerId, Vote>;

  Vote initial() const;
  void send(ServerId to, Vote vote);
  void send_notifications();
  void work(Instant now);
  void take(const Received& received, Instant now);
  void take_looking(const Received& received, Instant now);
  void take_settled(const Received& received);
  bool has_quorum(const Votes& votes, const Vote& vote) const;
  bool leads(const Votes& votes, const Vote& vote) const;
  void elect(const Vote& vote, const Votes& votes);

  ServerId self_;
  coord::quorum::QuorumConfig config_;
  ServerState state_ = ServerState::looking;
  bool begun_ = false;
  jute::Zxid last_zxid_;
  std::int64_t current_epoch_ = 0;
  std::int64_t clock_ = 0;
  Vote proposed_;
  Vote current_;  // elected last
  Votes received_;
  Votes settled_;
  std::deque<Received> queue_;
  bool finalizing_ = false;
  base::milliseconds timeout_{0};
  std::optional<Instant> deadline_;
  std::set<ServerId> up_;
  std::map<ServerId, Notification> last_sent_;
  bool seek_ = false;
  std::vector<coord::election::Effect> effects_;
};

}  // namespace tandem::sim
