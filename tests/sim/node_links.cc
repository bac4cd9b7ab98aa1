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
constexpr Duration kApacheAgain = milliseconds(100);  // leaderConnectDelayDuringRetryMs
constexpr int kApacheTries = 5;
constexpr int kTries = 20;
constexpr std::size_t kItemsKept = 60;  // of a learner's connection, to be said again

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
      world_.remember_notification({other, number_, {item.bytes}});
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
  mutation_.notification(notification);
  const auto looking = coord::election::ServerState::looking;
  if (send.notification.vote.state == looking && peer_->status().state == looking)
    world_.checker().votes(*this, notification.vote);
  world_.network().send(it->second.connection, it->second.end, {encode(notification), nullptr});
}

// ---- the leader of this server ----------------------------------------------------------------------------

// Who refuses is asked again, ours for a second, Apache's so many times; who does not answer is given up at
// last.
void Node::connect_leader(int leader, Instant give_up, int tries) {
  const std::uint64_t attempt = leader_attempt_;
  const auto still = [this, attempt] { return attempt == leader_attempt_; };
  const auto try_once = [this, leader, give_up, tries, still] {
    if (!still()) return;
    const Network& network = world_.network();
    const Node& peer = world_.node(leader);
    const bool reached = network.reaches(number_, leader) && network.reaches(leader, number_);
    if (reached && peer.listens(seeks_master_)) return open_leader(leader);
    const int tries_max = seeks_master_ ? 0 : apache_ ? kApacheTries : kTries;
    if (reached && tries == tries_max) return core().on_leader_gone("refused", now());
    if (!reached && now().at >= give_up) return core().on_leader_unreachable(now());
    world_.scheduler().after(reached && apache_ ? kApacheAgain : kConnectAgain,
                             mine([this, leader, give_up, still, next = tries + (reached ? 1 : 0)] {
                               if (still()) connect_leader(leader, give_up, next);
                             }));
  };
  world_.scheduler().after(world_.network().delay(), mine(try_once));
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
      if (leader_->taking) disk_->abort_install();
      leader_.reset();
      core().on_leader_gone(reason, now());
    })();
  };
  auto id = std::make_shared<LearnerId>();
  End theirs;
  theirs.host = leader;
  if (seeks_master_) ++served_by_masters_;
  const auto said = seeks_master_ ? std::make_shared<Said>() : world_.remember_conversation(number_, leader);
  theirs.on_item = [&peer, id, said, life = peer.life_](Item item) {
    if (said->items.size() < kItemsKept) said->items.push_back(item.bytes);
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

void Node::replay_notification(int from, const std::string& bytes) {
  mine([this, from, bytes] {
    const auto notification = coord::election::decode_notification(bytes);
    core().on_notification(ServerId(from), *notification, now());
  })();
}

// Of requests the protocol promises nothing when they come twice: they are left out.
void Node::replay_learner(const std::vector<std::string>& said, int from) {
  End theirs;
  auto id = std::make_shared<LearnerId>();
  theirs.host = number_;
  theirs.on_item = [this, id, life = life_](Item item) {
    if (life == life_) run([&] { learner_item(*id, item.bytes); });
  };
  theirs.on_gone = [this, id, life = life_](const std::string&) {
    if (life != life_) return;
    mine([this, id] {
      if (learners_.erase(*id) != 0) core().on_learner_gone(*id, now());
    })();
  };
  End ours;
  ours.host = from;
  ours.on_item = [](const Item&) {};
  ours.on_gone = [](const std::string&) {};
  const ConnectionPtr connection = world_.network().connect(std::move(ours), std::move(theirs));
  mine([this, connection, id] { accept_learner(connection, id); })();
  coord::records::QuorumPacketDecoder decoder(1U << 24);
  for (const std::string& bytes : said) {
    std::string kept;
    decoder.feed(bytes);
    for (auto packet = decoder.next(); packet && *packet; packet = decoder.next()) {
      if ((*packet)->type != PacketType::request && (*packet)->type != PacketType::revalidate)
        coord::records::put_packet(kept, **packet);
    }
    if (!kept.empty()) world_.network().send(connection, 0, {kept, nullptr});
  }
  world_.scheduler().after(milliseconds(random_.between(20, 3000)),
                           [this, connection] { world_.network().close(connection, 0); });
}

void Node::close_leader() {
  ++leader_attempt_;
  if (leader_) world_.network().close(leader_->connection, 0);
  if (leader_ && leader_->taking) disk_->abort_install();
  leader_.reset();
}

// The snapshot in the stream and the core's wish for it come in any order.
void Node::install_snapshot() {
  if (!leader_ || !leader_->installing || !leader_->snapshot) return;
  leader_->installing = false;
  const auto snapshot = std::exchange(leader_->snapshot, nullptr);
  disk_->begin_install(snapshot);
  leader_->taking = snapshot->has_body;
  if (!snapshot->has_body) finish_install(true);
}

void Node::finish_install(bool end_snapshot) {
  const std::uint64_t attempt = leader_attempt_;
  disk_->finish_install(
      [this, life = life_, attempt, end_snapshot](Zxid zxid, coord::peer::Database database) {
        if (life != life_) return;
        world_.checker().has_log(*this);
        mine([this, attempt, end_snapshot, zxid,
              held = std::make_shared<coord::peer::Database>(std::move(database))] {
          if (end_snapshot && leader_ && attempt == leader_attempt_) leader_->decoder.end_snapshot();
          core().on_snapshot_installed(zxid, std::move(*held), now());
        })();
      });
}

// What has arrived of it; true when something changed.
bool Node::take_body() {
  if (!leader_->taking) return false;
  std::string_view bytes = leader_->decoder.raw();
  if (bytes.empty()) return false;
  const std::size_t before = bytes.size();
  const auto whole = disk_->take(bytes);
  if (!whole) {
    leader_->taking = false;
    disk_->abort_install();
    core().on_leader_gone(whole.error().context, now());
    return true;
  }
  leader_->decoder.consume_raw(before - bytes.size());
  if (!*whole) {
    core().on_leader_progress(now());
    return bytes.size() < before && core().has_effects();
  }
  leader_->taking = false;
  leader_->decoder.end_snapshot();
  finish_install(false);
  return true;
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
    if ((*packet)->type == PacketType::ping) world_.checker().touched(*this, it->second.connection->number());
    core().on_learner_packet(learner, **packet, now());
  }
}

void Node::send_to_learner(LearnerId learner, const std::string& packets) {
  const auto it = learners_.find(learner);
  if (it == learners_.end()) return;
  const std::string bytes = mutation_.to_learner(it->second.connection->number(), packets);
  if (world_.options().mutant == Mutant::acks_without_data) forge_acks(learner, bytes);
  if (it->second.body != nullptr) {
    it->second.held += bytes;
    return;
  }
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

// The tree is what SendSnapshot promises only now; the history that led to it goes along, for the checker or
// in place of the tree.
void Node::send_snapshot(LearnerId learner, Zxid zxid) {
  const auto it = learners_.find(learner);
  if (it == learners_.end()) return;
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->zxid = zxid;
  for (const TxnRef& txn : disk_->given())
    if (txn.zxid <= tree().last_zxid()) snapshot->history.push_back(txn);
  it->second.body = disk_->read_tree(core().tree(), sessions());
  snapshot->has_body = it->second.body != nullptr;
  it->second.mixed_until = snapshot->mixed_until;
  world_.network().send(it->second.connection, 1, {{}, snapshot});
  if (snapshot->has_body) return send_piece(learner);
  world_.scheduler().after(world_.network().delay(), mine([this, learner] {
                             if (learners_.contains(learner)) core().on_snapshot_sent(learner, now());
                           }));
}

void Node::send_piece(LearnerId learner) {
  const auto it = learners_.find(learner);
  if (it == learners_.end() || it->second.body == nullptr) return;
  std::string piece;
  const bool more = it->second.body->next(piece);
  if (!more) {
    it->second.body.reset();
    *it->second.mixed_until = tree().last_zxid();
    piece += std::exchange(it->second.held, {});
  }
  world_.network().send(it->second.connection, 1, {piece, nullptr});
  world_.scheduler().after(world_.network().delay(), mine([this, learner, more] {
                             if (!learners_.contains(learner)) return;
                             core().on_learner_progress(learner, now());
                             more ? send_piece(learner) : core().on_snapshot_sent(learner, now());
                           }));
}

void Node::read_log(LearnerId learner, Zxid from, Zxid through) {
  send_chunk(learner, disk_->read_log(from, through));
}

void Node::send_chunk(LearnerId learner, const std::shared_ptr<LogSource>& log) {
  zab::LogChunk chunk;
  chunk.available = false;
  chunk.last = true;
  if (log != nullptr) chunk = log->next();
  world_.scheduler().after(world_.network().delay(), mine([this, learner, chunk, log] {
                             if (!learners_.contains(learner)) return;
                             core().on_log_chunk(learner, chunk, now());
                             if (!chunk.last) send_chunk(learner, log);
                           }));
}

void Node::close_learners() {
  learner_port_ = false;
  for (auto& [id, link] : learners_) world_.network().close(link.connection, 1);
  learners_.clear();
}

}  // namespace tandem::sim
