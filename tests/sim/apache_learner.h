// A model of Apache's Learner and Follower (3.9, or 3.5 where it differs on the wire), for mixed simulated
// ensembles: written from their rules, not from ours. What is its own: a connection that ends before
// LEADERINFO ends following; a COMMIT that fits no proposal ends it too, before UPTODATE by an exception;
// what is proposed is logged only after UPTODATE; a committed transaction is applied before its log is
// durable; only DIFF's zxids must follow each other. 3.5 logs and acknowledges all that came before
// NEWLEADER, the committed part too. Its disk is as good as ours: history, then epoch, then ACK. Judged by
// recorded conversations (apache_test.cc).
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coord/zab/learner.h"

namespace tandem::sim {

struct ApacheOptions {
  bool old = false;         // 3.5
  bool quick_acks = false;  // 3.5: its log is faster than its acknowledgement of NEWLEADER
};

class ApacheLearner {
 public:
  using Instant = base::Instant;
  using Zxid = jute::Zxid;
  using TxnRef = coord::records::TxnRef;
  using Packet = coord::records::QuorumPacket;
  using PacketType = coord::records::PacketType;

  ApacheLearner(const coord::zab::LearnerOptions& options, ApacheOptions apache,
                const coord::zab::LearnerStart& start, coord::zab::CommitLog& commit_log, Instant now);

  void on_connected(Instant now);
  bool reading() const;
  void on_packet(const Packet& packet, Instant now);
  void on_progress(Instant now) { heard_ = now; }
  void on_disconnected(std::string_view reason) { abandon(std::string(reason)); }

  void on_accepted_epoch_durable(std::int64_t epoch, Instant now);
  void on_current_epoch_durable(std::int64_t epoch, Instant now);
  void on_durable(Zxid zxid);
  void on_truncated(Zxid zxid, Instant now);
  void on_snapshot_installed(Zxid zxid, Instant now);

  void forward(const coord::records::ForwardedRequest& request, const std::vector<jute::Id>& ids);
  void revalidate(const coord::records::Touch& session);
  void answer_ping(Zxid zxid, const std::vector<coord::records::Touch>& touches);

  void on_deadline(Instant now);
  std::optional<Instant> next_deadline() const;
  std::vector<coord::zab::LearnerEffect> take_effects();
  // Logged and not applied.
  std::vector<TxnRef> unapplied() const;
  bool serving() const { return at_ == At::serving; }
  coord::zab::LearnerCoreStatus status() const;

 private:
  enum class At { connecting, leader_info, sync_choice, syncing, acknowledged, serving, over };
  enum class Busy { no, accepted_epoch, history, current_epoch, truncation, snapshot };

  void put(PacketType type, Zxid zxid, jute::BufferView data = std::nullopt);
  void abandon(std::string reason);
  void on_leader_info(const Packet& packet);
  void ack_epoch(std::int32_t current_epoch);
  void on_sync_choice(const Packet& packet);
  void on_sync_packet(const Packet& packet);
  void on_serving_packet(const Packet& packet);
  std::optional<TxnRef> txn_of(const Packet& packet);
  void queue(const Packet& packet);
  void commit_queued(Zxid zxid);
  void take_history();
  void on_up_to_date();
  void log(const std::vector<TxnRef>& txns);
  void commit(Zxid zxid);
  void apply(TxnRef txn);
  void ack_durable();

  coord::zab::LearnerOptions options_;
  ApacheOptions apache_;
  coord::zab::LearnerStart start_;
  coord::zab::CommitLog& commit_log_;
  At at_ = At::connecting;
  Busy busy_ = Busy::no;
  Instant heard_;
  std::int64_t epoch_ = 0;
  std::optional<PacketType> sync_;
  std::string config_;
  Zxid last_queued_;  // enforceContinuousProposal; what came before a session's REVALIDATE was answered
  std::deque<TxnRef> not_logged_;
  std::deque<Zxid> committed_;
  std::vector<TxnRef> history_;  // committed before NEWLEADER: applied when it is durable
  Zxid history_end_;
  std::deque<TxnRef> pending_;
  std::deque<Zxid> to_ack_;
  Zxid logged_;
  Zxid durable_;
  Zxid last_committed_;
  Zxid last_applied_;
  std::string out_;
  std::vector<coord::zab::LearnerEffect> effects_;
};

}  // namespace tandem::sim
