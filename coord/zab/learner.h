// Learner: follows (or observes) one leader over one connection: introduces itself, takes over the leader's
// history (DIFF, TRUNC or SNAP), then logs what is proposed, acknowledges it once it is durable, and applies
// what is committed. A core: no I/O, time as an argument, effects as values (effects.h).
// Promises, in this order (coordination.md 2.4 and 6): accepted epoch durable, ACKEPOCH; history durable;
// current epoch durable; ACK of NEWLEADER; each proposal acknowledged only when durable; clients served after
// UPTODATE. A transaction is applied only when it is committed and durable here, so the tree never holds what
// the log lacks. A hole in the zxids ends following, and nothing is cut off for a leader that shows one.
// The owner applies everything it has logged to the tree before it makes a Learner.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "coord/zab/commit_log.h"
#include "coord/zab/effects.h"
#include "coord/zab/heartbeat.h"

namespace tandem::coord::zab {

struct LearnerOptions {
  ServerId self;
  bool observer = false;
  std::int64_t config_version = 0;  // of the ensemble's configuration as known here
  base::Duration tick = std::chrono::milliseconds(2000);
  int init_limit = 10;
  int sync_limit = 5;
  base::milliseconds silence_max{0};  // tandem.heartbeatTimeout; 0: no heartbeats
};

// What this server has, all of it durable and applied.
struct LearnerStart {
  std::int64_t accepted_epoch = 0;
  std::int64_t current_epoch = 0;
  Zxid last_zxid;  // of the last transaction or snapshot
  // It may have lost what it once acknowledged: no leader may begin its epoch on this server's word.
  bool incomplete = false;
};

enum class LearnerPhase : std::uint8_t {
  connecting,
  discovery,        // introduced; LEADERINFO, then the accepted epoch's durability is awaited
  synchronization,  // ACKEPOCH sent
  acknowledged,     // ACK of NEWLEADER sent, UPTODATE awaited
  broadcast,
  over,
};
const char* to_string(LearnerPhase phase);

struct LearnerCoreStatus {
  LearnerPhase phase = LearnerPhase::connecting;
  std::int64_t epoch = 0;
  Zxid last_queued;  // logged, or on its way to the log
  Zxid last_durable;
  Zxid last_committed;  // as the leader said
  Zxid last_applied;
  std::optional<records::PacketType> sync;  // DIFF, TRUNC or SNAP
};

class Learner {
 public:
  Learner(LearnerOptions options, const LearnerStart& start, CommitLog& commit_log, base::Instant now);
  ~Learner();

  // ---- the connection to the leader -----------------------------------------------------------------------
  void on_connected(base::Instant now);
  // Packets come one by one while reading() says so; otherwise they wait in the connection.
  bool reading() const;
  void on_packet(const records::QuorumPacket& packet, base::Instant now);
  void on_progress(base::Instant now);  // bytes of a snapshot arrived
  void on_disconnected(std::string_view reason, base::Instant now);

  // ---- disk -----------------------------------------------------------------------------------------------
  void on_accepted_epoch_durable(std::int64_t epoch, base::Instant now);
  void on_current_epoch_durable(std::int64_t epoch, base::Instant now);
  void on_durable(Zxid zxid, base::Instant now);
  void on_truncated(Zxid zxid, base::Instant now);
  void on_snapshot_installed(Zxid zxid, base::Instant now);
  void on_log_full(base::Instant now);

  // ---- the owner's pipeline, from StartFollowing on -------------------------------------------------------
  void forward(const records::ForwardedRequest& request, const std::vector<jute::Id>& ids);
  void revalidate(const records::Touch& session);
  void answer_ping(Zxid zxid, const std::vector<records::Touch>& touches);

  // ---- time and effects -----------------------------------------------------------------------------------
  void on_deadline(base::Instant now);
  std::optional<base::Instant> next_deadline() const;
  bool has_effects() const;
  std::vector<LearnerEffect> take_effects();

  LearnerCoreStatus status() const;
  LearnerPhase phase() const { return phase_; }
  // Given to the log and not applied, in order: when following ends, they belong into the tree (once durable)
  // before the next role starts.
  const std::deque<TxnRef>& unapplied() const { return pending_; }

 private:
  using Instant = base::Instant;

  // What the owner is doing for it; nothing is read meanwhile.
  enum class Wait : std::uint8_t { none, accepted_epoch, truncation, snapshot };

  // What came behind TRUNC, until that is done.
  struct Held {
    records::PacketType type = records::PacketType::ping;
    Zxid zxid;
    std::optional<std::string> data;
  };

  // A batch on its way to the log.
  struct Unsynced {
    Zxid last;
    std::size_t bytes = 0;
  };

  void put(records::PacketType type, Zxid zxid, jute::BufferView data = std::nullopt);
  void abandon(std::string reason, bool silent = false);
  bool beats() const;
  std::optional<Instant> given_up_at() const;

  void on_leader_info(const records::QuorumPacket& packet, Instant now);
  void ack_epoch(std::int32_t current_epoch);
  void on_sync_choice(const records::QuorumPacket& packet);
  void truncate_before(const records::QuorumPacket& packet);
  void on_sync_packet(const records::QuorumPacket& packet);
  void on_broadcast_packet(const records::QuorumPacket& packet);
  void restart_from(Zxid zxid, Instant now);
  void on_proposal(Zxid zxid, jute::BufferView payload);
  void on_commit(Zxid zxid);
  void on_inform(Zxid zxid, jute::BufferView payload);
  void on_new_leader(const records::QuorumPacket& packet);
  void on_up_to_date();

  void settle();
  void flush_batch();
  void apply();
  void apply_through(Zxid through);
  void finish_new_leader();
  void ack_durable();

  LearnerOptions options_;
  LearnerStart start_;
  CommitLog& commit_log_;

  LearnerPhase phase_ = LearnerPhase::connecting;
  Wait wait_ = Wait::none;
  std::optional<Zxid> truncate_to_;  // TRUNC came, and is not done
  Held behind_cut_;
  Instant heard_;
  Instant retry_until_;
  std::optional<Instant> retry_at_;
  base::milliseconds silence_max_{0};  // agreed with the leader; 0: it knows no heartbeats
  Vigil vigil_;

  std::int64_t epoch_ = 0;      // of the leader
  std::int64_t challenge_ = 0;  // of the leader, to be given back in ACKEPOCH; 0: it gave none
  std::optional<records::PacketType> sync_;
  std::string config_;
  std::optional<Zxid> history_end_;  // of what NEWLEADER asks for; set while it is not acknowledged
  bool epoch_persisting_ = false;

  Zxid last_queued_;
  Zxid last_durable_;
  Zxid last_committed_;
  Zxid last_applied_;
  std::shared_ptr<TxnBatch> batch_;  // of this wake-up
  std::deque<TxnRef> pending_;       // given to the log, not applied
  std::deque<Unsynced> unsynced_;
  std::size_t unsynced_bytes_ = 0;
  std::size_t pending_bytes_ = 0;
  std::deque<Zxid> uncommitted_;
  std::deque<Zxid> to_ack_;
  std::deque<Zxid> syncs_;  // what must be applied before each Synced
  bool dirty_ = false;

  std::string out_;
  std::vector<LearnerEffect> effects_;
};

}  // namespace tandem::coord::zab
