// A member of an ensemble: recovers the tree, then wires the core of a peer to the client port, the election
// port, the learner port or the leader, the log and snapshot threads and the epoch files. Performs what the
// core says and tells it what happened; makes no decision that a core could make. Owned by main, on the
// loop's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "coord/auth/authorizer.h"
#include "coord/peer/peer.h"
#include "coord/server/config.h"
#include "coord/server/parts.h"
#include "coord/server/store.h"
#include "coord/shell/client_port.h"
#include "coord/shell/election_port.h"
#include "coord/shell/four_letter.h"
#include "coord/shell/leader_link.h"
#include "coord/shell/learner_port.h"
#include "coord/shell/snapshot_transfer.h"
#include "coord/storage/epoch_files.h"
#include "coord/storage/log_range.h"
#include "coord/storage/set_aside.h"
#include "fs/disk.h"
#include "logging/logger.h"
#include "net/executors.h"
#include "net/loop.h"
#include "net/timer.h"

namespace tandem::coord::server {

class Member final : private StoreEvents,
                     private pipeline::Outputs,
                     private shell::ClientEvents,
                     private shell::ElectionEvents,
                     private shell::LearnerPortEvents,
                     private shell::LeaderLinkEvents {
 public:
  Member(const Config& config, net::Loop& loop, fs::Disk& disk, logging::Logger logger, base::Random random);
  ~Member() override;

  // Recovers, opens the ports and begins the first election.
  std::optional<StartFailure> start(const ProcessFacts& process);
  // Writes what was proposed and closes everything.
  void stop();

 private:
  // ---- start ----------------------------------------------------------------------------------------------
  base::Result<peer::Database> recover();
  bool others_suffice() const;
  base::Status build_peer();
  peer::PeerOptions peer_options() const;
  base::Status open_client_port(const ProcessFacts& process);
  base::Status open_election_port();
  void try_election_port();
  std::vector<std::pair<std::string, std::string>> monitor_values() const;
  std::string ensemble_conf() const;
  bool serves_read_only() const;

  // ---- the core's turn ------------------------------------------------------------------------------------
  peer::Now now();
  void turn_later();
  void end_turn();
  void look_at_digests();
  void on_timer();

  void perform(const peer::Effect& effect);
  void open_learner_port(const peer::OpenLearnerPort& effect);
  void send_snapshot(const zab::SendSnapshot& effect);
  void read_log(const zab::ReadLog& effect);
  void feed_logs();
  void connect_leader(const peer::ConnectLeader& effect);
  void persist(const records::TxnBatch& batch);
  void persist_epoch(bool accepted, std::int64_t epoch);
  void withhold_vote(const peer::WithholdVote& effect);
  void restore_vote();
  void drain_log();
  void truncate(const zab::Truncate& effect);
  void begin_intake(const zab::InstallSnapshot& effect);
  base::Status finish_intake();
  [[noreturn]] void fail(ExitCode code, const base::Error& error);

  // ---- what the shells tell -------------------------------------------------------------------------------
  void on_durable(jute::Zxid last) override;
  void on_log_full(const base::Error& error) override;
  void on_log_space() override {}
  void leave_for_space(const base::Error& error);
  void look_for_space();
  base::Result<peer::PeerStart> load();

  std::string& output(pipeline::LinkId link) override { return clients_.output(link); }

  net::Loop& loop() override { return loop_; }
  pipeline::LinkId open_link(net::Connection& connection) override;
  void on_frame(pipeline::LinkId link, std::string_view frame, net::Connection& connection) override;
  void on_frames_end() override { now_known_ = false; }
  void on_closed(pipeline::LinkId link) override;

  void on_notification(quorum::ServerId from, const election::Notification& notification) override;
  void on_election_link(quorum::ServerId peer, election::Link link) override;

  std::uint64_t on_learner_open(const std::string& address) override;
  void on_learner_packet(std::uint64_t learner, const records::QuorumPacket& packet) override;
  void on_learner_packets_end() override { now_known_ = false; }
  void on_learner_progress(std::uint64_t learner, bool snapshot_sent) override;
  void on_learner_gone(std::uint64_t learner) override;

  void on_leader_connected() override;
  void on_leader_packet(const records::QuorumPacket& packet) override;
  void on_leader_packets_end() override { now_known_ = false; }
  void on_leader_part() override { peer_->on_leader_progress(now()); }
  bool wants_leader_packets() override { return peer_->reads_leader(); }
  base::Result<bool> on_leader_snapshot(std::string_view& bytes) override;
  void on_leader_gone(const base::Error& reason) override;

  // A learner's part of the log, and how far it is read.
  struct LogReading {
    std::unique_ptr<storage::LogRange> range;
    jute::Zxid through;
  };

  const Config& config_;
  net::Loop& loop_;
  fs::Disk& disk_;
  logging::Logger logger_;
  auth::Authorizer authorizer_;
  Store store_;
  std::uint64_t seed_;  // of the core's random delays

  shell::ClientTable clients_;
  std::unique_ptr<peer::Peer> peer_;
  std::unique_ptr<shell::FourLetterWords> words_;
  std::unique_ptr<shell::ClientPort> client_port_;
  std::unique_ptr<shell::ElectionPort> election_port_;
  std::unique_ptr<shell::LearnerPort> learner_port_;
  std::unique_ptr<shell::LeaderLink> leader_link_;
  std::unique_ptr<shell::SnapshotIntake> intake_;
  std::map<std::uint64_t, LogReading> log_readings_;  // by learner
  net::Timer timer_;
  net::Timer log_timer_;  // runs while parts of the log are being sent
  net::Timer election_port_timer_;
  net::Timer space_timer_;          // runs while the disk is full
  std::uint64_t digests_told_ = 0;  // of Pipeline::digest_mismatches
  base::Instant next_digest_line_{};
  int election_port_tries_ = 0;
  bool disk_full_ = false;
  peer::Now now_;
  bool now_known_ = false;
  bool turn_scheduled_ = false;
  bool in_turn_ = false;
};

}  // namespace tandem::coord::server
