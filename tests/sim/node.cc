#include "tests/sim/node.h"

#include <fmt/format.h>

#include "bytes/reader.h"
#include "tests/sim/world.h"

namespace tandem::sim {

using coord::peer::Effect;
using coord::peer::Peer;
using coord::pipeline::LinkId;
namespace peer = coord::peer;
namespace zab = coord::zab;

namespace {

constexpr std::int64_t kWallStart = 1'700'000'000'000;
constexpr std::size_t kLengthBytes = 4;

}  // namespace

Node::Node(World& world, int number, base::Random random)
    : world_(world),
      number_(number),
      random_(random),
      disk_(world.scheduler(), random_.split(), world.options().mutant) {}

Node::~Node() = default;

coord::pipeline::Now Node::now() const {
  const Instant at = world_.scheduler().now();
  const auto ms = std::chrono::duration_cast<milliseconds>(at.time_since_epoch()).count();
  return {at, base::WallTime{kWallStart + ms}};
}

std::uint64_t Node::digest_mismatches() const {
  return peer_->serving() == nullptr ? 0 : peer_->serving()->digest_mismatches();
}

void Node::start() {
  ENSURE(!up());
  ++life_;
  armed_.reset();
  const Options& options = world_.options();
  peer::PeerOptions made;
  made.self = coord::quorum::ServerId(number_);
  made.config = world_.config(number_);
  made.tick = options.tick;
  made.init_limit = options.init_limit;
  made.sync_limit = options.sync_limit;
  made.silence_max = options.silence;
  made.read_only = options.read_only;
  made.log_readable = options.log_readable;
  made.commit_log_count = static_cast<std::size_t>(options.commit_log_count);
  made.pipeline.min_session_timeout_ms = static_cast<std::int32_t>(options.tick.count() * 2);
  made.pipeline.max_session_timeout_ms = static_cast<std::int32_t>(options.tick.count() * 20);
  peer::PeerStart start;
  start.database = disk_.database(made.commit_log_count);
  start.accepted_epoch = disk_.accepted();
  start.current_epoch = disk_.current();
  world_.note(number_, fmt::format("starts at 0x{:x}, epochs {}/{}", start.database.tree->last_zxid().value,
                                   start.accepted_epoch, start.current_epoch));
  peer_ = std::make_unique<Peer>(std::move(made), std::move(start), authorizer_, *this, now());
  run([&] { core().start(now()); });
}

void Node::crash(Crash kind) {
  if (!up()) return;
  world_.note(number_, kind == Crash::kill ? "is killed" : "loses power");
  ++life_;
  peer_.reset();
  asleep_until_ = {};
  disk_.crash(kind);
  world_.network().leave(number_, kind == Crash::kill);
  election_.clear();
  learners_.clear();
  leader_.reset();
  clients_.clear();
  links_.clear();
  wanted_.clear();
  seeking_ = false;
  learner_port_ = false;
  ++leader_attempt_;
}

void Node::pause(Duration time) {
  world_.note(number_, "pauses");
  asleep_until_ = world_.scheduler().now() + time;
}

void Node::run(const std::function<void()>& verb) {
  if (!up()) return;
  verb();
  drive();
}

std::function<void()> Node::mine(std::function<void()> task) {
  return [this, life = life_, task = std::move(task)] {
    if (life != life_ || !up()) return;
    if (asleep_until_ > world_.scheduler().now()) return world_.scheduler().at(asleep_until_, mine(task));
    run(task);
  };
}

void Node::drive() {
  for (;;) {
    while (core().has_effects())
      for (const Effect& effect : core().take_effects()) perform(effect);
    if (!leader_ || !core().reads_leader() || leader_->decoder.in_snapshot()) break;
    const auto packet = leader_->decoder.next();
    if (!packet) {
      core().on_leader_gone("damaged", now());
    } else if (*packet) {
      if ((*packet)->type == coord::records::PacketType::leader_info) promised_ = (*packet)->zxid;
      core().on_leader_packet(**packet, now());
    } else {
      break;
    }
  }
  flush_clients();
  arm();
  world_.checker().look_at(*this);
}

void Node::arm() {
  const auto deadline = core().next_deadline();
  if (!deadline || (armed_ && *armed_ <= *deadline)) return;
  armed_ = *deadline;
  world_.scheduler().at(*deadline, mine([this] {
    armed_.reset();
    core().on_deadline(now());
  }));
}

void Node::perform(const Effect& effect) {
  if (world_.verbose()) world_.note(number_, peer::printed(effect));
  std::visit([this](const auto& value) { act(value); }, effect);
}

void Node::act(const coord::election::Send& value) { send_notification(value); }

void Node::act(const peer::SeekVoters& value) {
  wanted_.clear();
  for (const auto id : value.voters) wanted_.insert(static_cast<int>(id.value));
  if (!std::exchange(seeking_, true)) seek();
}

void Node::act(const peer::OpenLearnerPort&) {
  learner_port_ = true;
  world_.scheduler().after(Duration{1}, mine([this] { core().on_learner_port({}, now()); }));
}

void Node::act(const peer::CloseLearnerPort&) { close_learners(); }

void Node::act(const zab::SendToLearner& value) { send_to_learner(value.to, value.bytes); }

void Node::act(const zab::SendSnapshot& value) { send_snapshot(value.to, value.zxid); }

void Node::act(const zab::ReadLog& value) { read_log(value.to, value.from, value.through); }

void Node::act(const zab::CloseLearner& value) {
  const auto it = learners_.find(value.learner);
  if (it == learners_.end()) return;
  world_.network().close(it->second.connection, 1);
  learners_.erase(it);
}

void Node::act(const peer::ConnectLeader& value) {
  const Options& options = world_.options();
  const int leader = static_cast<int>(value.leader.value);
  ++leader_attempt_;
  connect_leader(leader, now().at + options.tick * options.init_limit);
}

void Node::act(const peer::CloseLeader&) { close_leader(); }

void Node::act(const zab::SendToLeader& value) {
  world_.checker().acking(*this, value.bytes);
  if (leader_) world_.network().send(leader_->connection, 0, {value.bytes, nullptr});
}

void Node::act(const zab::PersistAcceptedEpoch& value) {
  if (world_.options().mutant == Mutant::early_epoch) disk_.current_epoch(value.epoch, {});
  disk_.accepted_epoch(value.epoch,
                       mine([this, value] { core().on_accepted_epoch_durable(value.epoch, now()); }));
}

void Node::act(const zab::PersistCurrentEpoch& value) {
  disk_.current_epoch(value.epoch,
                      mine([this, value] { core().on_current_epoch_durable(value.epoch, now()); }));
}

void Node::act(const zab::Persist& value) {
  disk_.persist(value.batch, mine([this, last = value.batch->last] { core().on_durable(last, now()); }));
}

void Node::act(const peer::DrainLog&) {
  disk_.drain(mine([this] { core().on_log_drained(now()); }));
}

void Node::act(const zab::Truncate& value) {
  disk_.truncate(value.zxid, mine([this, value] {
                   auto database = disk_.database(64, value.zxid);
                   core().on_truncated(value.zxid, std::move(database), now());
                 }));
}

void Node::act(const zab::InstallSnapshot&) {
  if (leader_) leader_->installing = true;
  install_snapshot();
}

void Node::act(const coord::pipeline::CloseLink& value) {
  const auto it = links_.find(value.link);
  if (it == links_.end()) return;
  flush_clients();
  world_.network().close(clients_.at(it->second).connection, 1);
  clients_.erase(it->second);
  links_.erase(it);
  world_.scheduler().after(Duration{1},
                           mine([this, link = value.link] { core().on_link_closed(link, now()); }));
}

void Node::act(const coord::pipeline::ResumeLink& value) {
  world_.scheduler().after(Duration{1}, mine([this, link = value.link] {
                             if (const auto it = links_.find(link); it != links_.end())
                               feed_client(clients_.at(it->second));
                           }));
}

void Node::act(const coord::pipeline::AwaitOutput& value) {
  world_.scheduler().after(milliseconds(1), mine([this, link = value.link] {
                             if (links_.contains(link)) core().on_output_drained(link, now());
                           }));
}

void Node::act(const peer::Note& value) { world_.note(number_, value.text); }

// ---- clients ----------------------------------------------------------------------------------------------

void Node::accept_client(const ConnectionPtr& connection) {
  mine([this, connection] {
    if (!connection->is_open(1)) return;
    const LinkId link = core().open_link(fmt::format("10.0.1.{}", number_), 1000, now());
    if (link.value == 0) return world_.network().close(connection, 1);
    clients_[connection->number()] = ClientLink{connection, link, {}, {}};
    links_[link] = connection->number();
  })();
}

void Node::client_item(const ConnectionPtr& connection, Item item) {
  mine([this, connection, bytes = std::move(item.bytes)] {
    const auto it = clients_.find(connection->number());
    if (it == clients_.end()) return;
    it->second.in += bytes;
    feed_client(it->second);
  })();
}

void Node::feed_client(ClientLink& client) {
  while (client.in.size() >= kLengthBytes && !core().is_choked(client.link)) {
    bytes::Reader reader(client.in);
    const auto length = static_cast<std::size_t>(reader.i32());
    if (client.in.size() < kLengthBytes + length) return;
    const std::string frame = client.in.substr(kLengthBytes, length);
    client.in.erase(0, kLengthBytes + length);
    core().on_frame(client.link, frame, now());
  }
}

void Node::client_gone(const ConnectionPtr& connection) {
  mine([this, connection] {
    const auto it = clients_.find(connection->number());
    if (it == clients_.end()) return;
    const LinkId link = it->second.link;
    clients_.erase(it);
    links_.erase(link);
    core().on_link_closed(link, now());
  })();
}

std::string& Node::output(LinkId link) { return clients_.at(links_.at(link)).out; }

void Node::flush_clients() {
  for (auto& [key, client] : clients_)
    if (!client.out.empty())
      world_.network().send(client.connection, 1, {std::exchange(client.out, {}), nullptr});
}

}  // namespace tandem::sim
