// A simulated server: the real core of a member (coord/peer) with simulated disk and network instead of its
// shell. Performs effects, is killed and started again. Owned by the World.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "coord/auth/authorizer.h"
#include "coord/records/quorum_packet.h"
#include "tests/sim/member.h"
#include "tests/sim/mutations.h"
#include "tests/sim/node_disk.h"

namespace tandem::sim {

class World;

class Node final : public coord::pipeline::Outputs {
 public:
  Node(World& world, int number, base::Random random);
  ~Node() override;

  int number() const { return number_; }
  bool up() const { return peer_ != nullptr; }
  // For any server, after the next start too.
  bool votes() const { return disk_->current() > 0 && !disk_->vote_withheld(); }
  const Member& peer() const { return *peer_; }
  bool is_apache() const { return apache_; }
  const coord::tree::DataTree& tree() const { return peer_->tree(); }
  const NodeDisk& disk() const { return *disk_; }
  NodeDisk& disk() { return *disk_; }
  std::uint64_t digest_mismatches() const;
  Zxid promised() const { return promised_; }
  Instant asleep_until() const { return asleep_until_; }
  Instant time() const { return now().at; }
  std::uint64_t fingerprint() const;

  // False: what the disk has does not let it; the world was told.
  bool start();
  void crash(Crash kind);
  void pause(Duration time);
  // The clock that people set; time that passes is another one.
  void move_clock(milliseconds by) { clock_off_ += by; }
  // A message of an earlier connection comes again.
  void replay_notification(int from, const std::string& bytes);
  // What a server once said to a leader is said to this one, on a connection of its own.
  void replay_learner(const std::vector<std::string>& said, int from);
  // To learners as their leader, or to observers as a follower that serves them.
  bool listens(bool as_master) const { return up() && learner_port_ && port_of_master_ == as_master; }
  bool is_at_master() const { return seeks_master_; }                     // an observer, at a follower
  std::uint64_t served_by_masters() const { return served_by_masters_; }  // so often, as an observer

  // A client's connection, of which this is end 1; false: nobody is served.
  void accept_client(const ConnectionPtr& connection);
  void client_item(const ConnectionPtr& connection, Item item);
  void client_gone(const ConnectionPtr& connection);

  std::string& output(coord::pipeline::LinkId link) override;

 private:
  using Effect = coord::peer::Effect;
  using LearnerId = coord::zab::LearnerId;
  using LinkId = coord::pipeline::LinkId;

  struct ElectionLink {
    ConnectionPtr connection;
    int end = 0;
  };
  struct LearnerLink {
    ConnectionPtr connection;
    coord::records::QuorumPacketDecoder decoder{1U << 24};
    std::unique_ptr<BodySource> body;  // being sent
    std::string held;                  // what waits behind it
    std::shared_ptr<Zxid> mixed_until;
  };
  struct LeaderLink {
    ConnectionPtr connection;
    coord::records::QuorumPacketDecoder decoder{1U << 24};
    std::shared_ptr<const Snapshot> snapshot;  // arrived
    bool installing = false;                   // asked for
    bool taking = false;                       // its body
  };
  struct ClientLink {
    ConnectionPtr connection;
    LinkId link;
    std::string in;
    std::string out;
    bool choked = false;
    bool answered = false;  // its connect request
  };

  // Runs a verb now, and everything that comes of it.
  void run(const std::function<void()>& verb);
  // A callback of this life of the server: does nothing after a crash, waits while it is paused.
  std::function<void()> mine(std::function<void()> task);
  Member& core() { return *peer_; }
  coord::pipeline::Now now() const;
  bool take_packets();
  void drive();
  void arm();
  Sessions sessions();
  void perform(const Effect& effect);
  void act(const coord::election::Send& value);
  void act(const coord::peer::SeekVoters& value);
  void act(const coord::peer::OpenLearnerPort& value);
  void act(const coord::peer::CloseLearnerPort& value);
  void act(const coord::zab::SendToLearner& value);
  void act(const coord::zab::SendSnapshot& value);
  void act(const coord::zab::ReadLog& value);
  void act(const coord::zab::CloseLearner& value);
  void act(const coord::peer::ConnectLeader& value);
  void act(const coord::peer::CloseLeader& value);
  void act(const coord::zab::SendToLeader& value);
  void act(const coord::zab::PersistAcceptedEpoch& value);
  void act(const coord::zab::PersistCurrentEpoch& value);
  void act(const coord::zab::Persist& value);
  void act(const coord::peer::DrainLog& value);
  void act(const coord::peer::WithholdVote& value);
  void act(const coord::peer::RestoreVote& value);
  void act(const coord::zab::Truncate& value);
  void act(const coord::zab::InstallSnapshot& value);
  void act(const coord::pipeline::CloseLink& value);
  void act(const coord::pipeline::ResumeLink& value);
  void act(const coord::pipeline::AwaitOutput& value);
  void act(const coord::peer::Note& value);

  // node_links.cc
  void seek();
  void seek_one(int other);
  void open_election(int other);
  void adopt_election(int other, const ConnectionPtr& connection, int end);
  End election_end(int other, int end, const std::shared_ptr<ConnectionPtr>& connection);
  void send_notification(const coord::election::Send& send);
  void connect_leader(int leader, Instant give_up, int tries = 0);
  void open_leader(int leader);
  void accept_learner(const ConnectionPtr& connection, const std::shared_ptr<LearnerId>& id);
  void learner_item(LearnerId learner, const std::string& bytes);
  void forge_acks(LearnerId learner, const std::string& bytes);
  void send_snapshot(LearnerId learner, Zxid zxid);
  void send_piece(LearnerId learner);
  void read_log(LearnerId learner, Zxid from, Zxid through);
  void send_chunk(LearnerId learner, const std::shared_ptr<LogSource>& log);
  void send_to_learner(LearnerId learner, const std::string& bytes);
  void install_snapshot();
  void finish_install(bool end_snapshot);
  bool take_body();
  void close_leader();
  void close_learners();
  void flush_clients();
  void feed_client(ClientLink& client);
  bool leads() const;

  World& world_;
  int number_;
  bool apache_;  // a model of one
  base::Random random_;
  coord::auth::Authorizer authorizer_{coord::auth::AuthOptions{}};
  std::unique_ptr<NodeDisk> disk_;
  Mutation mutation_;
  std::unique_ptr<Member> peer_;
  std::uint64_t life_ = 0;
  Instant asleep_until_{};
  milliseconds clock_off_{0};
  Zxid promised_;
  std::optional<Instant> armed_;

  std::set<int> wanted_;
  bool seeking_ = false;
  std::map<int, ElectionLink> election_;
  bool learner_port_ = false;
  bool port_of_master_ = false;
  bool seeks_master_ = false;  // not its leader
  std::uint64_t served_by_masters_ = 0;
  std::map<LearnerId, LearnerLink> learners_;
  std::uint64_t leader_attempt_ = 0;
  std::optional<LeaderLink> leader_;
  std::map<std::uint64_t, ClientLink> clients_;  // by number of connection
  std::map<LinkId, std::uint64_t> links_;
};

}  // namespace tandem::sim
