// CORE of leader election (FastLeaderElection): takes the notifications of the other servers and the time,
// says whom this server follows, and goes on answering those who look for a leader afterwards. One object for
// the life of the server. Owned by one thread; no I/O: its shell performs what drain() gives, in order, and
// calls on_deadline() at next_deadline().
// Rules are Apache's 3.9 (coordination.md 2.2): rounds, elections joined from outside, weights, observers.
// Two are quicker than Apache's: an election ends at once when every voter that can be reached has voted
// alike (else after `finalize_wait` without a better vote), and a voter that gives a worse vote in our round
// is told ours at once instead of at the next repetition. Two are stricter: a server that may have lost what
// it once acknowledged gives no vote (Ballot), and joins a leader that others have elected; and one that was
// elected and could not be reached is not elected again at once (avoid), as it may send and hear nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "coord/election/notification.h"
#include "coord/quorum/config.h"

namespace tandem::coord::election {

using base::Instant;
using base::milliseconds;
using quorum::QuorumConfig;

struct Options {
  ServerId self;
  milliseconds finalize_wait{200};
  milliseconds notification_interval_min{200};    // fastleader.minNotificationInterval
  milliseconds notification_interval_max{60000};  // fastleader.maxNotificationInterval
};

// Which votes this server may give: its history is complete; it has none, so that only a server without one
// may be elected with its help; it may be less than what was once acknowledged.
enum class Ballot { any, empty, none };

// What the shell knows of the connection to a voter. One that is neither up nor down may still answer.
enum class Link { unknown, up, down };

struct Send {
  ServerId to;
  Notification notification;
  bool operator==(const Send&) const = default;
};
// The election is over: `state` is leading, following or observing, `vote` the one that this server now
// gives to others; `voters` gave it (Apache's leadingVoteSet).
struct Decide {
  ServerState state = ServerState::looking;
  Vote vote;
  quorum::ServerSet voters;
  bool operator==(const Decide&) const = default;
};
// A voter is LOOKING while this server leads: a leader still waiting for its epoch may want to know.
struct VoterLooking {
  ServerId from;
  bool operator==(const VoterLooking&) const = default;
};
// A server knows our members by a later version.
struct LaterVersion {
  std::int64_t version = 0;
  bool operator==(const LaterVersion&) const = default;
};
// A server knows a later configuration with other members than ours. Nothing is done about it here.
struct OtherConfig {
  ServerId from;
  std::string text;
  bool operator==(const OtherConfig&) const = default;
};

using Effect = std::variant<Send, Decide, VoterLooking, LaterVersion, OtherConfig>;

std::string to_string(const Effect& effect);

struct Status {
  ServerState state = ServerState::looking;
  Vote vote;  // proposed while looking, else elected
  std::int64_t round = 0;
  std::uint64_t elections = 0;  // begun since the start
  std::optional<Instant> looking_since;
  std::uint64_t ignored = 0;  // notifications that could not be read or named servers that do not vote
};

class Election {
 public:
  // `state()` is LOOKING, and nothing is sent, until look() is called.
  Election(Options options, QuorumConfig config);

  // Begins a new round with what is on our disk: last logged zxid and currentEpoch. A server that does not
  // vote (an observer, or its ballot says so) proposes nobody and learns who leads.
  void look(Zxid last_zxid, std::int64_t current_epoch, Instant now, Ballot ballot = Ballot::any);
  // `from` as the connection's handshake named it.
  void on_notification(ServerId from, const Notification& notification, Instant now);
  void on_link(ServerId peer, Link link, Instant now);
  // It does not say anything, though its connection may be up: nobody waits for its vote until it is heard
  // again.
  void on_silence(ServerId peer);
  // Until then it is not proposed, unless a connection with it is made or it leads: its votes may come all
  // the same when the network carries one way only, and it would be elected again and again.
  void avoid(ServerId peer, Instant until);
  // Until look() nobody is answered: this server can promise nothing, and its last vote is over.
  void rest();
  void on_deadline(Instant now);

  // After NEWLEADER is acknowledged the elected vote's epoch is the one that was agreed on: those who join
  // later compare it (updateElectionVote).
  void set_elected_epoch(std::int64_t epoch);
  // Also while looking; the version and text that notifications carry.
  void set_config(QuorumConfig config);

  std::optional<Instant> next_deadline() const;
  std::vector<Effect> drain() { return std::exchange(effects_, {}); }

  ServerState state() const { return state_; }
  Status status() const;

 private:
  struct Peer {
    Link link = Link::unknown;
    bool abstains = false;  // a voter whose last vote was for nobody
    bool silent = false;
    std::optional<std::pair<Vote, Vote>> told;  // (its vote, ours) when it was last told ours, in this round
  };

  bool abstains() const { return ballot_ == Ballot::none || (ballot_ == Ballot::empty && history_seen_); }
  bool votes() const { return config_.is_voter(options_.self) && !abstains(); }
  void see_history();
  bool avoids(ServerId peer, Instant now) const;
  void pass_over(ServerId from, const Vote& vote, Instant now);
  Vote own_vote() const;
  void propose(const Vote& vote);
  void send(ServerId to, const Vote& vote);
  void send_to_all();
  void enter_round(std::int64_t round);
  void on_looking(ServerId from, const Vote& vote, Instant now);
  void on_settled(ServerId from, const Vote& vote);
  bool join(std::map<ServerId, Vote>& votes, const Vote& vote);
  void tell(ServerId from, const Vote& vote);
  void read_config(ServerId from, const std::string& text);
  quorum::ServerSet givers_of(const std::map<ServerId, Vote>& votes, const Vote& vote) const;
  bool leader_confirms(const std::map<ServerId, Vote>& votes, const Vote& vote) const;
  bool all_reachable_agree(const quorum::ServerSet& givers) const;
  void judge(Instant now);
  void decide(const Vote& vote, quorum::ServerSet voters);

  Options options_;
  QuorumConfig config_;
  std::string config_text_;
  std::string other_config_;  // the last foreign one, so that it is looked at once
  ServerState state_ = ServerState::looking;
  bool running_ = false;  // look() was called and nothing is decided yet
  bool resting_ = false;
  Ballot ballot_ = Ballot::any;
  bool history_seen_ = false;  // somebody proposed or follows a server that is not empty
  std::int64_t round_ = 0;
  Zxid last_zxid_;
  std::int64_t current_epoch_ = 0;
  Vote vote_;                               // proposed while looking, else elected
  std::map<ServerId, Vote> round_votes_;    // Apache's recvset: of this round
  std::map<ServerId, Vote> settled_votes_;  // Apache's outofelection: of servers that have a leader
  std::map<ServerId, Peer> peers_;
  milliseconds interval_{0};
  std::optional<Instant> resend_at_;
  std::optional<Instant> decide_at_;
  ServerId avoided_ = quorum::kNoServer;
  Instant avoided_until_;
  Instant looking_since_;
  std::uint64_t elections_ = 0;
  std::uint64_t ignored_ = 0;
  std::vector<Effect> effects_;
};

}  // namespace tandem::coord::election
