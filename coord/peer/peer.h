// CORE of a member of an ensemble: looks for a leader, leads, follows or observes, and looks again. Owns the
// election, the broadcast's role, the pipeline of that role and the tree; hands commits and transactions
// between them. No I/O, no threads, no clock: the shell (or a simulated world) calls the verbs with the time,
// performs take_effects() in order until there are none, and calls on_deadline() at next_deadline().
// A role ends in this order, as Apache's: clients are closed, connections too, the log is drained, what it
// holds beyond the tree is applied (so that the vote is the last logged zxid), then the election begins.
// Source: QuorumPeer, Leader.lead, Follower.followLeader of ZooKeeper 3.9; coordination.md 2.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "coord/auth/authorizer.h"
#include "coord/election/election.h"
#include "coord/peer/effects.h"
#include "coord/peer/tally.h"
#include "coord/pipeline/pipeline.h"
#include "coord/quorum/config.h"
#include "coord/session/session_tracker.h"
#include "coord/tree/data_tree.h"
#include "coord/zab/commit_log.h"
#include "coord/zab/leader.h"
#include "coord/zab/learner.h"

namespace tandem::coord::peer {

using election::ServerState;
using jute::Zxid;
using pipeline::LinkId;
using pipeline::Now;
using quorum::ServerId;
using zab::LearnerId;

struct PeerOptions {
  ServerId self;
  quorum::QuorumConfig config;
  base::milliseconds tick{2000};
  int init_limit = 10;
  int sync_limit = 5;
  bool log_readable = true;           // snapshotSizeFactor >= 0
  bool sync_quorum_verified = true;   // tandem.sync.quorumVerified
  bool leader_serves = true;          // leaderServes
  bool read_only = false;             // readonlymode.enabled
  base::milliseconds silence_max{0};  // tandem.heartbeatTimeout; 0: no heartbeats
  std::size_t commit_log_count = zab::kCommitLogCount;
  base::milliseconds epoch_wait{-1};  // leader.maxTimeToWaitForEpoch; negative: initLimit
  std::size_t snapshots_max = 10;     // leader.maxConcurrentSnapSyncs
  std::size_t diffs_max = 100;        // leader.maxConcurrentDiffSyncs
  // observerMasterPort: where followers serve observers, and observers look for them; 0: at the leader.
  std::uint16_t observer_master_port = 0;
  // Random delays of an observer, at most: before it connects, before it looks for a leader again.
  base::milliseconds observer_reconnect_delay{0};
  base::milliseconds observer_election_delay{0};
  std::uint64_t seed = 0;              // of what is random
  election::Options election;          // self is set here
  pipeline::PipelineOptions pipeline;  // role, first_link and the sync option are set here
};

// The state of a server as its disk has it.
struct Database {
  std::unique_ptr<tree::DataTree> tree;
  std::unordered_map<std::int64_t, std::int32_t> sessions;  // id, timeout in ms
  std::vector<records::TxnRef> recent;                      // the last transactions that led there
  Zxid mixed_until;  // the snapshot was made while transactions went on: digests mean nothing up to here
};

struct PeerStart {
  Database database;
  std::int64_t accepted_epoch = 0;
  std::int64_t current_epoch = 0;
  // May hold less than it once acknowledged (WithholdVote, or damage that was found): it votes when a leader
  // that others elected has brought it up to date.
  bool incomplete = false;
};

struct Status {
  ServerState state = ServerState::looking;
  bool serving = false;            // in a role; read-only clients may be served without one
  std::optional<ServerId> leader;  // self included
  std::optional<ServerId>
      master;  // whom this learner is connected to, or tries: the leader or an observer master
  std::int64_t accepted_epoch = 0;
  std::int64_t current_epoch = 0;
  bool incomplete = false;
  Zxid last_zxid;  // of the tree
  election::Status election;
  std::optional<zab::LeaderStatus> leading;
  std::optional<zab::LearnerCoreStatus> learning;
  std::optional<zab::LeaderStatus> observed;  // of a follower that serves observers
  Tally tally;
};

class Peer {
 public:
  Peer(PeerOptions options, PeerStart start, const auth::Authorizer& authorizer, pipeline::Outputs& outputs,
       Now now);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // The first election.
  void start(Now now);

  // ---- election -------------------------------------------------------------------------------------------
  void on_notification(ServerId from, const election::Notification& notification, Now now);
  void on_election_link(ServerId peer, election::Link link, Now now);

  // ---- learners, between OpenLearnerPort and CloseLearnerPort ---------------------------------------------
  void on_learner_port(const base::Status& opened, Now now);
  LearnerId on_learner_open(Now now);
  void on_learner_packet(LearnerId learner, const records::QuorumPacket& packet, Now now);
  void on_learner_progress(LearnerId learner, Now now);  // took bytes of a snapshot
  void on_snapshot_sent(LearnerId learner, Now now);
  void on_learner_gone(LearnerId learner, Now now);
  void on_log_chunk(LearnerId learner, zab::LogChunk chunk, Now now);

  // ---- the leader, between ConnectLeader and CloseLeader --------------------------------------------------
  void on_leader_connected(Now now);
  bool reads_leader() const;  // packets wait in the connection while it says no
  void on_leader_packet(const records::QuorumPacket& packet, Now now);
  void on_leader_progress(Now now);  // bytes of a snapshot came
  void on_leader_gone(std::string_view reason, Now now);
  void on_leader_unreachable(std::string_view reason, Now now);

  // ---- disk -----------------------------------------------------------------------------------------------
  void on_durable(Zxid zxid, Now now);
  void on_log_drained(Now now);
  // The log or an epoch cannot be written for want of space: the role ends, and instead of on_log_drained
  // comes on_log_lost. The log may lack what was proposed, so the tree may be ahead of it: this server votes
  // again with what on_reloaded brings from the disk, as after a restart.
  void on_disk_full(Now now);
  void on_log_lost(Now now);
  void on_reloaded(PeerStart start, Now now);
  void on_accepted_epoch_durable(std::int64_t epoch, Now now);
  void on_current_epoch_durable(std::int64_t epoch, Now now);
  // Durable. The tree before is destroyed: whoever reads it (a snapshot) must have let go.
  void on_truncated(Zxid zxid, Database database, Now now);
  void on_snapshot_installed(Zxid zxid, Database database, Now now);

  // ---- clients --------------------------------------------------------------------------------------------
  LinkId open_link(std::string address, std::uint16_t port, Now now);  // 0: nobody is served now
  void on_frame(LinkId link, std::string_view frame, Now now);
  void on_link_closed(LinkId link, Now now);
  bool is_choked(LinkId link) const;
  void on_output_drained(LinkId link, Now now);

  // ---- time and effects -----------------------------------------------------------------------------------
  void on_deadline(Now now);
  std::optional<base::Instant> next_deadline() const;
  bool has_effects() const;
  std::vector<Effect> take_effects();

  // ---- status ---------------------------------------------------------------------------------------------
  Status status() const;
  pipeline::Pipeline* serving() { return pipeline_.get(); }  // null while nobody is served
  tree::DataTree& tree() { return *tree_; }
  const session::SessionTracker& sessions() const { return *sessions_; }
  const quorum::QuorumConfig& config() const { return options_.config; }

 private:
  enum class Phase { starting, looking, in_role, draining, pausing, no_space };

  bool serves(LinkId link) const;
  void look();
  void take_role(const election::Decide& decision);
  void lead(const election::Decide& decision);
  void doubt();
  void learn(const election::Decide& decision);
  void connect_leader();
  // ---- observers.cc: observers of this follower, and whose observer this server is
  zab::Leader* master() const { return leader_ != nullptr ? leader_.get() : observer_master_.get(); }
  void shuffle_masters();
  void choose_master();
  bool try_next_master();
  base::Duration delay_up_to(base::milliseconds most);
  void serve_observers();
  void end_observer_master();
  void pass_on(const zab::LearnerRequest& request);
  void pass_on(const zab::LearnerRevalidate& asked);
  void pass_on(const zab::LearnerTouches& touches);
  void on_leader_synced();
  void on_leader_revalidated(const zab::Revalidated& answer);
  std::vector<records::Touch> touches();
  void serve(pipeline::Role role, Zxid epoch_start);
  void open_pipeline(pipeline::Role role);
  void close_pipeline();
  void serve_read_only();
  // With an accepted epoch it was not wiped: it never had more.
  bool is_empty() const {
    return accepted_epoch_ == 0 && !has_history(election::Vote{options_.self, last_txn_, current_epoch_});
  }
  void become_complete(Zxid received);
  void end_role(const std::string& reason);
  void install(Database database);
  void apply(std::string_view payload);
  void know_config_version(std::int64_t version);
  void write_config_node();

  void begin(Now now);
  void settle();
  bool settle_election();
  bool settle_leader();
  bool settle_learner();
  bool settle_pipeline();
  void perform(const zab::LeaderEffect& effect);
  void perform(const zab::LearnerEffect& effect);
  void perform(const pipeline::Effect& effect);
  void note(Note::Level level, std::string text);

  PeerOptions options_;
  const auth::Authorizer& authorizer_;
  pipeline::Outputs& outputs_;
  Now now_;  // of the verb being run

  std::int64_t accepted_epoch_;
  std::int64_t current_epoch_;
  bool incomplete_;
  std::unique_ptr<tree::DataTree> tree_;
  std::unique_ptr<session::SessionTracker> sessions_;
  zab::CommitLog commit_log_;
  std::optional<Zxid> complete_at_;   // what must be durable for it to be over, in this role
  Zxid last_txn_;                     // the last transaction in the tree, or the snapshot it came from
  std::set<ServerId> snapshot_next_;  // learners, when this server leads again
  Zxid mixed_until_;                  // of the tree: Database::mixed_until

  Phase phase_ = Phase::starting;
  std::optional<base::Instant> look_at_;       // while pausing
  std::optional<base::Instant> read_only_at_;  // while looking
  bool served_ = false;                        // in this role
  Tally tally_;                                // but for the diffs of the masters that are
  base::Instant looking_since_{};
  base::Instant connected_at_{};
  quorum::ServerSet supporters_;           // voted for this leader and did not look for another one since
  std::optional<base::Instant> doubt_at_;  // when a leader without a quorum of them gives up
  election::Election election_;
  ServerId leader_id_;
  std::unique_ptr<zab::Leader> leader_;
  std::unique_ptr<zab::Learner> learner_;
  std::unique_ptr<zab::Leader> observer_master_;  // while following, where observers are served
  bool observers_refused_ = false;                // their port could not be opened, in this role
  // Who asked the leader, in order, for what it answers in order; 0: this server's own clients.
  std::deque<LearnerId> syncs_asked_;
  std::deque<std::pair<jute::SessionId, LearnerId>> revalidations_asked_;
  std::unordered_map<std::int64_t, std::int32_t> observers_touches_;  // since the leader's last ping
  base::Random random_;
  std::vector<ServerId> masters_;  // of this observer, in the order in which they are tried
  std::size_t next_master_ = 0;
  std::size_t masters_tried_ = 0;  // in this role
  ServerId master_id_;
  std::optional<base::Instant> connect_at_;
  std::unique_ptr<pipeline::Pipeline> pipeline_;
  std::uint64_t next_link_ = 1;
  std::vector<records::TxnRef> unapplied_;  // logged and not in the tree, while draining

  // The tree must be what SendSnapshot says when it is performed: what comes behind it waits until then.
  bool held_ = false;
  std::deque<zab::LeaderEffect> leader_effects_;

  bool packets_wait_ = false;  // packets came whose effects are not collected yet
  std::vector<Effect> effects_;
};

}  // namespace tandem::coord::peer
