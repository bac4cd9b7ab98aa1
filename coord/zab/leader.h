// Leader: agrees with a quorum on a new epoch (discovery), brings learners to its own history
// (synchronization), then proposes transactions and commits them in order once a quorum has them durable
// (broadcast). A core: no I/O, time as an argument, effects as values (effects.h). It counts its own
// acknowledgement only for what was reported durable. Knows transactions as payloads, never the tree.
// The owner applies everything it has logged to the tree before it makes a Leader, and gives the log of
// recent transactions. Source: coordination.md 2.4-2.7; Apache's Leader, LearnerHandler and ObserverMaster.
// The same core serves observers on behalf of a follower (options.observer_master): there the epoch and what
// is committed come from that follower's leader, and what observers ask for is passed on to it.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "coord/quorum/config.h"
#include "coord/zab/commit_log.h"
#include "coord/zab/effects.h"
#include "coord/zab/heartbeat.h"
#include "coord/zab/sync_plan.h"

namespace tandem::coord::zab {

struct LeaderOptions {
  ServerId self;
  base::Duration tick = std::chrono::milliseconds(2000);
  int init_limit = 10;
  int sync_limit = 5;
  bool log_readable = true;           // snapshotSizeFactor >= 0
  bool sync_by_quorum = true;         // tandem.sync.quorumVerified
  base::milliseconds silence_max{0};  // tandem.heartbeatTimeout; 0: no heartbeats
  base::milliseconds epoch_wait{-1};  // for a quorum to connect; negative: initLimit
  // Observers that are brought up to date at the same time, beyond which another has to come again.
  std::size_t snapshots_max = 10;
  std::size_t diffs_max = 100;
  std::uint64_t seed = 0;  // of what learners of ours have to give back in ACKEPOCH
  // In broadcast from the start, in the current epoch, for observers only; no quorum is counted.
  bool observer_master = false;
};

// What this server has, all of it durable and applied.
struct LeaderStart {
  std::int64_t accepted_epoch = 0;
  std::int64_t current_epoch = 0;
  Zxid last_zxid;  // of the last transaction or snapshot
  // The log failed these half-way, in this term or one before: when they come back they get a snapshot. Two
  // voters whose log has a hole would else find it in term after term.
  std::set<ServerId> snapshot_next;
};

// Part of the own log, answering ReadLog. The first chunk starts with the last transaction at or before
// `from`. Not available: the log does not reach back that far, or is larger than its share of a snapshot.
struct LogChunk {
  bool available = true;
  bool last = false;
  std::vector<TxnRef> txns;
};

enum class LeaderPhase : std::uint8_t { discovery, epoch_acks, synchronization, broadcast, over };
const char* to_string(LeaderPhase phase);

enum class LearnerState : std::uint8_t {
  introducing,    // FOLLOWERINFO or OBSERVERINFO is missing
  epoch_wait,     // the new epoch is not decided, or not durable here
  epoch_ack,      // LEADERINFO sent
  sync_wait,      // ACKEPOCH came, other voters' are missing
  reading_log,    // DIFF by log under way
  synchronizing,  // NEWLEADER sent
  ready,          // acknowledged NEWLEADER; UPTODATE follows, or was sent
};
const char* to_string(LearnerState state);

struct LearnerStatus {
  LearnerId learner;
  ServerId server;
  bool observer = false;
  LearnerState state = LearnerState::introducing;
  Zxid acked;
  bool heard_lately = false;
};

struct LeaderStatus {
  LeaderPhase phase = LeaderPhase::discovery;
  std::int64_t epoch = 0;
  Zxid last_proposed;
  Zxid last_committed;
  std::size_t outstanding = 0;
  std::size_t synced_voters = 0;  // followers, without self
  std::size_t synced_observers = 0;
  std::vector<LearnerStatus> learners;
};

class Leader {
 public:
  Leader(LeaderOptions options, const LeaderStart& start, const quorum::QuorumConfig& config,
         CommitLog& commit_log, base::Instant now);
  ~Leader();

  // ---- learners -------------------------------------------------------------------------------------------
  LearnerId open_learner(base::Instant now);
  // True when the learner has introduced itself with it.
  bool on_packet(LearnerId learner, const records::QuorumPacket& packet, base::Instant now);
  void on_progress(LearnerId learner, base::Instant now);  // it took bytes of a snapshot or a long DIFF
  void on_closed(LearnerId learner, base::Instant now);
  void on_log_chunk(LearnerId learner, LogChunk chunk, base::Instant now);
  void on_snapshot_sent(LearnerId learner, base::Instant now);

  // ---- disk -----------------------------------------------------------------------------------------------
  void on_accepted_epoch_durable(std::int64_t epoch, base::Instant now);
  void on_current_epoch_durable(std::int64_t epoch, base::Instant now);
  void on_durable(Zxid zxid, base::Instant now);
  // A batch could not be written: what was proposed cannot be taken back, so leading ends.
  void on_log_full(base::Instant now);

  // ---- the owner's pipeline -------------------------------------------------------------------------------
  // After StartLeading only; zxids without holes. An epoch that runs out of zxids ends leading.
  void propose(std::shared_ptr<const TxnBatch> batch, base::Instant now);
  void confirm(std::uint64_t token, base::Instant now);  // answered by Confirmed
  void answer_sync(LearnerId learner);
  void dismiss(LearnerId learner, std::string reason);
  // An observer hears it behind everything up to `known`, of which it hears when it is committed only.
  void revalidated(LearnerId learner, jute::SessionId session, bool valid, Zxid known);
  void step_down(std::string reason);
  // Of an observer master: the follower has applied the next transaction, and added it to the commit log.
  void inform(const TxnRef& txn);

  // ---- time and effects -----------------------------------------------------------------------------------
  void on_deadline(base::Instant now);
  std::optional<base::Instant> next_deadline() const;
  bool has_effects() const;
  std::vector<LeaderEffect> take_effects();

  LeaderStatus status() const;
  Zxid last_proposed() const { return last_proposed_; }
  std::string describe(LearnerId learner) const;  // "follower 3"; empty while it has not introduced itself
  LeaderPhase phase() const { return phase_; }
  // Proposed and not committed, in order: when leading ends, they are in the own log and belong into the tree
  // (once durable) before the next role starts.
  const std::deque<TxnRef>& outstanding() const { return outstanding_; }
  std::uint64_t diffs() const { return diffs_; }  // learners that were brought up to date without a snapshot
  // For LeaderStart, when this server leads again.
  const std::set<ServerId>& snapshot_next() const { return start_.snapshot_next; }

 private:
  using Instant = base::Instant;

  // To an observer, once what is before it is committed.
  struct Revalidation {
    jute::SessionId session;
    bool valid = false;
    Zxid known;
  };

  // A proposal that a learner has not acknowledged, and when it was sent: one is watched at a time, the
  // newest takes its place when it is acknowledged.
  struct AckWatch {
    Zxid zxid;
    Instant sent;
  };

  struct Peer {
    LearnerId id;
    ServerId server = quorum::kNoServer;
    bool observer = false;
    bool voter = false;
    LearnerState state = LearnerState::introducing;
    bool forwarding = false;  // gets proposals and commits, or informs
    bool told_up_to_date = false;
    bool sending_snapshot = false;
    bool by_snapshot = false;           // how it was brought up to date
    base::milliseconds silence_max{0};  // heartbeats are exchanged; 0: it knows none
    std::int64_t challenge = 0;         // to be given back in ACKEPOCH; 0: it cannot
    Zxid last_zxid;                     // as it said in ACKEPOCH
    Zxid acked;
    Zxid acked_early;  // before NEWLEADER
    Instant opened;
    Instant heard;
    std::optional<AckWatch> watched;
    std::optional<AckWatch> newest;
    std::optional<SyncWalk> walk;  // while reading_log
    std::optional<Zxid> walked;    // the transaction before, to see holes
    Zxid read_from;                // ReadLog under way
    Zxid log_through;
    std::deque<std::uint64_t> pings;  // rounds not yet answered
    std::uint64_t answered = 0;       // round
    std::deque<Revalidation> revalidated;
    std::string out;
  };

  struct Confirmation {
    std::uint64_t token = 0;
    Zxid after;
    std::uint64_t round = 0;  // 0: not begun
  };

  Peer* find(LearnerId id);
  void make_room();
  void drop(Peer& peer, std::string reason);  // and forgets it
  void put(Peer& peer, records::PacketType type, Zxid zxid, jute::BufferView data = std::nullopt);
  void flush(Peer& peer);

  // ---- leader.cc: discovery, supervision
  void on_packet(Peer& peer, const records::QuorumPacket& packet, Instant now);
  void introduce(Peer& peer, const records::QuorumPacket& packet);
  void agree_on_extension(Peer& peer, jute::BufferView info);
  void replace_older(const Peer& peer);
  bool is_unknown(const Peer& peer) const;
  void decide_epoch();
  void send_leader_info(Peer& peer);
  void on_ack_epoch(Peer& peer, const records::QuorumPacket& packet, Instant now);
  void check_epoch_acks(Instant now);
  void start_phase(LeaderPhase phase, Instant now);
  bool has_epoch_wait() const { return phase_ == LeaderPhase::discovery && options_.epoch_wait.count() >= 0; }
  void beat(Instant now);
  void fast_beat(Instant now);
  bool has_quorum(Instant now) const;
  bool overdue(const Peer& peer, Instant now) const;
  bool heard_lately(const Peer& peer, Instant now) const;
  bool asleep_too_long(Instant now);

  // ---- leader_sync.cc: synchronization
  void synchronize(Peer& peer, Instant now);
  void sync_from_memory(Peer& peer, SyncWalk walk, Instant now);
  void sync_by_snapshot(Peer& peer, Instant now);
  bool must_wait(const Peer& peer, bool snapshot) const;
  void read_log(Peer& peer, Zxid from);
  bool walk_one(Peer& peer, SyncWalk& walk, const TxnRef& txn);
  void begin_forwarding(Peer& peer, Zxid has, Instant now);
  void on_new_leader_ack(Peer& peer, const records::QuorumPacket& packet, Instant now);
  void check_new_leader_acks(Instant now);
  std::string config_text() const;

  // ---- leader_broadcast.cc: proposals, acknowledgements, confirmations
  void on_ready_packet(Peer& peer, const records::QuorumPacket& packet, Instant now);
  void on_ack(Peer& peer, Zxid zxid);
  void watch(Peer& peer, Zxid zxid, Instant now);
  void settle();
  void commit_what_has_a_quorum();
  void commit_through(Zxid zxid);
  void release_revalidated();
  void begin_round();
  void release_confirmations();
  template <class Value>
  Value highest_with_quorum(const std::map<ServerId, Value>& by_server, Value floor) const;

  LeaderOptions options_;
  LeaderStart start_;
  const quorum::QuorumConfig& config_;
  CommitLog& commit_log_;

  LeaderPhase phase_ = LeaderPhase::discovery;
  Instant phase_until_;
  Instant next_beat_;
  bool beat_odd_ = false;
  Vigil vigil_;
  bool beats_ = false;  // a learner exchanges heartbeats, in this term
  bool fast_ = false;   // and so does a voter

  std::int64_t epoch_ = 0;
  bool epoch_decided_ = false;
  bool epoch_durable_ = false;
  quorum::ServerSet introduced_;       // voters whose accepted epoch is known
  quorum::ServerSet epoch_acks_;       // and who accepted the new one
  quorum::ServerSet new_leader_acks_;  // and who have the leader's history

  Zxid last_txn_;        // committed
  Zxid last_proposed_;   // epoch << 32 at first
  Zxid last_committed_;  // likewise
  Zxid durable_;
  std::deque<TxnRef> outstanding_;
  std::map<ServerId, Zxid> acked_by_;  // voters; outlives their connections, what they have stays there
  bool acks_changed_ = false;
  LearnerId last_asker_{};  // whose client waits for an answer, most likely

  std::uint64_t round_ = 0;
  std::deque<Confirmation> confirmations_;

  base::Random random_;
  std::uint64_t next_learner_ = 1;
  std::uint64_t diffs_ = 0;
  std::map<LearnerId, Peer> peers_;
  std::vector<LeaderEffect> effects_;
};

}  // namespace tandem::coord::zab
