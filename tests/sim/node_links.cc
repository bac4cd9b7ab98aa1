// A simulated server's connections to the others: elections, its learners, its leader.
#include <algorithm>

#include "coord/election/notification.h"
#include "tests/sim/node.h"
#include "tests/sim/world.h"

namespace tandem::sim {

namespace zab = coord::zab;
using coord::quorum::ServerId;
using coord::records::PacketType;

namespace {

constexpr Duration kSeekAgain = milliseconds(100);
constexpr Duration kConnectAgain = milliseconds(50);
constexpr std::size_t kChunk = 20;  // transactions of an answer to ReadLog
constexpr double kDropped = 0.02;   // of the mutant that loses proposals

}  // namespace

// ---- elections --------------------------------------------------------------------------------------------

void Node::seek() {
  if (wanted_.empty()) {
    seeking_ = false;
    return;
  }
  for (const int other : wanted_)
    if (!election_.contains(other)) seek_one(other);
  world_.scheduler().after(kSeekAgain, mine([this] { seek(); }));
}

void Node::seek_one(int other) {
  world_.scheduler().after(
      world_.network().delay(), mine([this, other] {
        if (election_.contains(other)) return;
        if (!world_.network().reaches(number_, other) || !world_.network().reaches(other, number_)) return;
        if (world_.node(other).up()) return open_election(other);
        core().on_election_link(ServerId(other), coord::election::Link::down, now());
      }));
}

End Node::election_end(int other, int end, const std::shared_ptr<ConnectionPtr>& connection) {
  End made;
  made.host = number_;
  made.on_item = [this, other, end, connection, life = life_](Item item) {
    if (life != life_) return;
    const auto it = election_.find(other);
    // One that another has taken the place of.
    if (it == election_.end() || it->second.connection != *connection)
      return world_.network().close(*connection, end);
    run([&] {
      const auto notification = coord::election::decode_notification(item.bytes);
      ENSURE(notification.has_value());
      core().on_notification(ServerId(other), *notification, now());
    });
  };
  made.on_gone = [this, other, connection, life = life_](const std::string&) {
    if (life != life_) return;
    mine([this, other, connection] {
      const auto it = election_.find(other);
      if (it == election_.end() || it->second.connection != *connection) return;
      election_.erase(it);
      core().on_election_link(ServerId(other), coord::election::Link::down, now());
    })();
  };
  return made;
}

void Node::open_election(int other) {
  Node& peer = world_.node(other);
  auto held = std::make_shared<ConnectionPtr>();
  *held = world_.network().connect(election_end(other, 0, held), peer.election_end(number_, 1, held));
  adopt_election(other, *held, 0);
  peer.mine([&peer, number = number_, connection = *held] { peer.adopt_election(number, connection, 1); })();
}

void Node::adopt_election(int other, const ConnectionPtr& connection, int end) {
  if (!connection->is_open(end)) return;  // lost while this server was paused
  if (const auto old = election_.find(other); old != election_.end())
    world_.network().close(old->second.connection, old->second.end);
  election_[other] = {connection, end};
  core().on_election_link(ServerId(other), coord::election::Link::up, now());
}

void Node::send_notification(const coord::election::Send& send) {
  const auto it = election_.find(static_cast<int>(send.to.value));
  if (it == election_.end()) return;
  auto notification = send.notification;
  if (world_.options().mutant == Mutant::blind_votes) {
    notification.vote.zxid = Zxid(0);
    notification.vote.peer_epoch = 0;
  }
  world_.network().send(it->second.connection, it->second.end, {encode(notification), nullptr});
}

// ---- the leader of this server ----------------------------------------------------------------------------

void Node::connect_leader(int leader, Instant give_up) {
  const std::uint64_t attempt = leader_attempt_;
  world_.scheduler().after(world_.network().delay(), mine([this, leader, give_up, attempt] {
                             if (attempt != leader_attempt_) return;
                             const Network& network = world_.network();
                             Node& peer = world_.node(leader);
                             const bool reached =
                                 network.reaches(number_, leader) && network.reaches(leader, number_);
                             if (reached && peer.up() && peer.learner_port_) return open_leader(leader);
                             if (now().at >= give_up)
                               return core().on_leader_gone("not connected in time", now());
                             world_.scheduler().after(kConnectAgain, mine([this, leader, give_up, attempt] {
                                                        if (attempt == leader_attempt_)
                                                          connect_leader(leader, give_up);
                                                      }));
                           }));
}

void Node::open_leader(int leader) {
  Node& peer = world_.node(leader);
  const std::uint64_t attempt = leader_attempt_;
  End ours;
  ours.host = number_;
  ours.on_item = [this, attempt](Item item) {
    if (attempt != leader_attempt_ || !leader_) return;
    run([&] {
      if (item.snapshot) {
        leader_->snapshot = item.snapshot;
        install_snapshot();
      } else {
        leader_->decoder.feed(item.bytes);
      }
    });
  };
  ours.on_gone = [this, attempt](const std::string& reason) {
    mine([this, attempt, reason] {
      if (attempt != leader_attempt_ || !leader_) return;
      leader_.reset();
      core().on_leader_gone(reason, now());
    })();
  };
  auto id = std::make_shared<LearnerId>();
  End theirs;
  theirs.host = leader;
  theirs.on_item = [&peer, id, life = peer.life_](Item item) {
    if (life == peer.life_) peer.run([&] { peer.learner_item(*id, item.bytes); });
  };
  theirs.on_gone = [&peer, id, life = peer.life_](const std::string&) {
    if (life != peer.life_) return;
    peer.mine([&peer, id] {
      if (peer.learners_.erase(*id) != 0) peer.core().on_learner_gone(*id, peer.now());
    })();
  };
  const ConnectionPtr connection = world_.network().connect(std::move(ours), std::move(theirs));
  leader_.emplace();
  leader_->connection = connection;
  peer.mine([&peer, connection, id] { peer.accept_learner(connection, id); })();
  core().on_leader_connected(now());
}

void Node::close_leader() {
  ++leader_attempt_;
  if (leader_) world_.network().close(leader_->connection, 0);
  leader_.reset();
}

// The snapshot in the stream and the core's wish for it come in any order.
void Node::install_snapshot() {
  if (!leader_ || !leader_->installing || !leader_->snapshot) return;
  leader_->installing = false;
  const auto snapshot = std::exchange(leader_->snapshot, nullptr);
  const std::uint64_t attempt = leader_attempt_;
  disk_.install(snapshot, mine([this, snapshot, attempt] {
                  if (leader_ && attempt == leader_attempt_) leader_->decoder.end_snapshot();
                  core().on_snapshot_installed(
                      snapshot->zxid, replay(snapshot->history, snapshot->zxid, 1, snapshot->zxid), now());
                }));
}

// ---- the learners of this server --------------------------------------------------------------------------

void Node::accept_learner(const ConnectionPtr& connection, const std::shared_ptr<LearnerId>& id) {
  if (!connection->is_open(1)) return;
  if (!learner_port_) return world_.network().close(connection, 1);
  *id = core().on_learner_open(now());
  if (id->value == 0) return world_.network().close(connection, 1);
  learners_[*id].connection = connection;
}

void Node::learner_item(LearnerId learner, const std::string& bytes) {
  const auto it = learners_.find(learner);
  if (it == learners_.end()) return;
  auto& decoder = it->second.decoder;
  decoder.feed(bytes);
  while (up() && learners_.contains(learner)) {
    const auto packet = decoder.next();
    ENSURE(packet.has_value());
    if (!*packet) return;
    core().on_learner_packet(learner, **packet, now());
  }
}

void Node::send_to_learner(LearnerId learner, const std::string& bytes) {
  const auto it = learners_.find(learner);
  if (it == learners_.end()) return;
  const Mutant mutant = world_.options().mutant;
  const bool proposal = bytes.size() > 4 && bytes[3] == static_cast<char>(PacketType::proposal);
  if (proposal && mutant == Mutant::dropped_proposal && random_.chance(kDropped)) return;
  if (proposal && mutant == Mutant::acks_without_data) forge_acks(learner, bytes);
  world_.network().send(it->second.connection, 1, {bytes, nullptr});
}

void Node::forge_acks(LearnerId learner, const std::string& bytes) {
  coord::records::QuorumPacketDecoder decoder(1U << 24);
  decoder.feed(bytes);
  for (auto packet = decoder.next(); packet && *packet; packet = decoder.next()) {
    if ((*packet)->type != PacketType::proposal) continue;
    std::string ack;
    coord::records::put_packet(ack, PacketType::ack, (*packet)->zxid);
    world_.scheduler().after(Duration{1}, mine([this, learner, ack] { learner_item(learner, ack); }));
  }
}

// The tree is what SendSnapshot promises only now; the history that led to it is what is sent.
void Node::send_snapshot(LearnerId learner, Zxid zxid) {
  const auto it = learners_.find(learner);
  if (it == learners_.end()) return;
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->zxid = zxid;
  for (const TxnRef& txn : disk_.given())
    if (txn.zxid <= tree().last_zxid()) snapshot->history.push_back(txn);
  world_.network().send(it->second.connection, 1, {{}, snapshot});
  world_.scheduler().after(world_.network().delay(), mine([this, learner] {
                             if (learners_.contains(learner)) core().on_snapshot_sent(learner, now());
                           }));
}

// `behind`: the chunks before ended with it; without, the answer starts at or before `from`.
void Node::read_log(LearnerId learner, Zxid from, Zxid through, bool behind) {
  const auto history = disk_.given();
  auto first = std::upper_bound(history.begin(), history.end(), from,
                                [](Zxid zxid, const TxnRef& txn) { return zxid < txn.zxid; });
  zab::LogChunk chunk;
  if (!behind && (first == history.begin() || std::prev(first)->zxid < disk_.log_floor())) {
    chunk.available = false;
    chunk.last = true;
  } else {
    if (!behind) --first;
    while (first != history.end() && first->zxid <= through && chunk.txns.size() < kChunk)
      chunk.txns.push_back(*first++);
    chunk.last = first == history.end() || first->zxid > through;
  }
  const Zxid next = chunk.txns.empty() ? from : chunk.txns.back().zxid;
  world_.scheduler().after(world_.network().delay(), mine([this, learner, chunk, next, through] {
                             if (!learners_.contains(learner)) return;
                             core().on_log_chunk(learner, chunk, now());
                             if (!chunk.last) read_log(learner, next, through, true);
                           }));
}

void Node::close_learners() {
  learner_port_ = false;
  for (auto& [id, link] : learners_) world_.network().close(link.connection, 1);
  learners_.clear();
}

}  // namespace tandem::sim
