// A model of Apache's Leader and LearnerHandler (3.9), for mixed simulated ensembles: written from their
// rules, not from ours. What is its own: a learner that is ahead is closed and the leader waits on; learners
// of one number are not told apart; a learner is counted as in sync by ticks; no epoch of a later one makes
// it step down; no heartbeats. Speaks in the effects of coord/zab. Its disk is as good as ours. Judged by
// recorded conversations (apache_test.cc).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coord/zab/leader.h"

namespace tandem::sim {

class ApacheLeader {
 public:
  using Instant = base::Instant;
  using ServerId = coord::quorum::ServerId;
  using LearnerId = coord::zab::LearnerId;
  using Zxid = jute::Zxid;
  using TxnRef = coord::records::TxnRef;
  using Packet = coord::records::QuorumPacket;
  using PacketType = coord::records::PacketType;

  ApacheLeader(const coord::zab::LeaderOptions& options, const coord::zab::LeaderStart& start,
               const coord::quorum::QuorumConfig& config, coord::zab::CommitLog& commit_log, Instant now);

  LearnerId open_learner(Instant now);
  void on_packet(LearnerId learner, const Packet& packet, Instant now);
  void on_closed(LearnerId learner) { handlers_.erase(learner); }
  void on_log_chunk(LearnerId learner, coord::zab::LogChunk chunk, Instant now);
  void on_snapshot_sent(LearnerId learner, Instant now);

  void on_accepted_epoch_durable(std::int64_t epoch, Instant now);
  void on_current_epoch_durable(std::int64_t epoch, Instant now);
  void on_durable(Zxid zxid);

  void propose(const std::shared_ptr<const coord::records::TxnBatch>& batch, Instant now);
  void answer_sync(LearnerId learner);
  void revalidated(LearnerId learner, jute::SessionId session, bool valid);
  void dismiss(LearnerId learner, const std::string& reason);
  void step_down(std::string reason);

  void on_deadline(Instant now);
  std::optional<Instant> next_deadline() const;
  std::vector<coord::zab::LeaderEffect> take_effects();
  const std::deque<TxnRef>& outstanding() const { return outstanding_; }
  coord::zab::LeaderStatus status() const;

 private:
  enum class Phase { epoch, epoch_acks, new_leader_acks, broadcast, over };
  enum class At {
    introducing,
    wait_epoch,
    ack_epoch,
    wait_epoch_acks,
    reading_log,
    sending_snapshot,
    ack_new_leader,
    wait_new_leader_acks,
    serving
  };
  struct Handler {
    LearnerId id;
    ServerId sid;
    bool observer = false;
    At at = At::introducing;
    Instant heard;     // the socket's read timeout runs from here
    Instant wait_end;  // of a wait for others
    std::int64_t deadline_tick = 0;
    Zxid last_zxid;
    bool forwarding = false;
    bool sending = false;
    std::vector<TxnRef> read;
    bool whole = true;
    bool op_sent = false;
    bool limit_started = false;
    std::optional<std::pair<Zxid, Instant>> watched;
    std::optional<std::pair<Zxid, Instant>> next_watched;
    std::string out;
  };

  Handler* find(LearnerId id);
  void put(Handler& handler, PacketType type, Zxid zxid, jute::BufferView data = std::nullopt);
  void put_proposal(Handler& handler, const TxnRef& txn, Instant now);
  void close(LearnerId id, const std::string& reason);
  bool is_participant(ServerId sid) const { return config_.is_voter(sid); }

  void introduce(Handler& handler, const Packet& packet, Instant now);
  void give_epoch(Handler& handler, Instant now);
  void check_epoch(Instant now);
  void on_ack_epoch(Handler& handler, const Packet& packet, Instant now);
  void check_epoch_acks(Instant now);
  void sync_follower(Handler& handler, Instant now);
  Zxid queue_committed(Handler& handler, const std::vector<TxnRef>& txns, Zxid from, std::optional<Zxid> max,
                       Zxid last_committed, Instant now);
  void start_forwarding(Handler& handler, Zxid last_seen, bool snapshot, Instant now);
  void begin_sending(Handler& handler, Instant now);
  void on_new_leader_ack(Handler& handler, const Packet& packet, Instant now);
  void check_new_leader_acks(Instant now);
  void up_to_date(Handler& handler);
  void on_serving_packet(Handler& handler, const Packet& packet);
  void process_ack(ServerId sid, Zxid zxid);
  void half_tick(Instant now);
  std::optional<Instant> ends(const Handler& handler) const;
  Zxid processed() const { return phase_ == Phase::broadcast ? last_committed_ : start_.last_zxid; }
  std::vector<TxnRef> committed_log() const { return {commit_log_.txns().begin(), commit_log_.txns().end()}; }

  coord::zab::LeaderOptions options_;
  coord::zab::LeaderStart start_;
  const coord::quorum::QuorumConfig& config_;
  coord::zab::CommitLog& commit_log_;
  Phase phase_ = Phase::epoch;
  Instant phase_end_;
  std::int64_t epoch_;
  bool epoch_chosen_ = false;
  bool epoch_durable_ = false;
  coord::quorum::ServerSet connecting_;
  coord::quorum::ServerSet electing_;
  coord::quorum::ServerSet new_leader_acks_;
  Zxid last_proposed_;
  Zxid last_committed_;
  std::deque<TxnRef> outstanding_;
  std::map<Zxid, coord::quorum::ServerSet> acks_;
  std::int64_t tick_ = 0;
  bool skip_tick_ = true;
  Instant next_half_;
  std::uint64_t next_id_ = 1;
  std::map<LearnerId, Handler> handlers_;
  std::vector<coord::zab::LeaderEffect> effects_;
};

}  // namespace tandem::sim
