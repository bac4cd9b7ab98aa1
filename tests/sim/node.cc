#include "tests/sim/node.h"

#include <fmt/format.h>

#include "bytes/reader.h"
#include "tests/sim/client_frames.h"
#include "tests/sim/list_disk.h"
#include "tests/sim/store_disk.h"
#include "tests/sim/world.h"

namespace tandem::sim {

using coord::peer::Effect;
using coord::pipeline::LinkId;
using coord::records::PacketType;
namespace peer = coord::peer;
namespace zab = coord::zab;

namespace {

constexpr std::int64_t kWallStart = 1'700'000'000'000;
constexpr std::uint16_t kObserverMasterPort = 2191;

std::unique_ptr<NodeDisk> make_disk(World& world, int number, base::Random random) {
  const Options& options = world.options();
  const auto recent = static_cast<std::size_t>(options.commit_log_count);
  if (!options.real_disk)
    return std::make_unique<ListDisk>(world.scheduler(), random, options.mutant, recent,
                                      options.log_in_groups);
  StoreOptions store;
  store.recent = recent;
  store.others_suffice = options.voters >= 3 && !options.is_apache(number);
  store.snap_count = options.snap_count;
  store.preallocate_bytes = static_cast<std::uint64_t>(options.preallocate);
  store.log_bytes_max = static_cast<std::uint64_t>(options.log_bytes_max);
  store.lies.no_file_syncs = options.mutant == Mutant::no_file_syncs;
  store.lies.forgiven_syncs = options.mutant == Mutant::forgiven_syncs;
  store.lies.no_directory_syncs = options.mutant == Mutant::no_directory_syncs;
  return std::make_unique<StoreDisk>(world.scheduler(), random, options.mutant, store,
                                     [&world](const std::string& invariant, const std::string& text) {
                                       world.checker().violate(invariant, text);
                                     });
}

}  // namespace

Node::Node(World& world, int number, base::Random random)
    : world_(world),
      number_(number),
      apache_(world.options().is_apache(number)),
      random_(random),
      disk_(make_disk(world, number, random_.split())),
      mutation_(world.options().mutant, random_.split()) {}

Node::~Node() {
  disk_->let_go();
  learners_.clear();
}

coord::pipeline::Now Node::now() const {
  const Instant at = world_.scheduler().now();
  const auto ms = std::chrono::duration_cast<milliseconds>(at.time_since_epoch()).count();
  return {at, base::WallTime{kWallStart + ms + clock_off_.count()}};
}

std::uint64_t Node::digest_mismatches() const {
  return peer_->serving() == nullptr ? 0 : peer_->serving()->digest_mismatches();
}

bool Node::start() {
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
  made.seed = options.seed ^ (static_cast<std::uint64_t>(number_) << 56U) ^ (life_ << 40U);
  made.sync_quorum_verified = options.sync_verified;
  made.read_only = options.read_only;
  made.log_readable = options.log_readable;
  made.commit_log_count = static_cast<std::size_t>(options.commit_log_count);
  made.observer_master_port = options.observer_masters ? kObserverMasterPort : 0;
  made.observer_reconnect_delay = made.observer_election_delay = options.observer_delay;
  made.pipeline.local_sessions = made.pipeline.local_sessions_upgrading = options.local_sessions;
  made.pipeline.min_session_timeout_ms = static_cast<std::int32_t>(options.tick.count() * 2);
  made.pipeline.max_session_timeout_ms = static_cast<std::int32_t>(options.tick.count() * 20);
  auto start = disk_->open([this](const std::string& reason) { world_.process_ended(number_, reason); });
  if (!start) {
    disk_->crash(Crash::kill);
    world_.start_failed(number_, start.error());
    return false;
  }
  if (!options.real_disk) start->incomplete = disk_->vote_withheld();
  if (options.mutant == Mutant::damaged_votes) start->incomplete = false;
  world_.note(number_,
              fmt::format("starts at 0x{:x} from snapshot 0x{:x}, comparable from 0x{:x}, epochs {}/{}{}{}",
                          start->database.tree->last_zxid().value, disk_->snapshot_zxid().value,
                          disk_->comparable_from().value, start->accepted_epoch, start->current_epoch,
                          disk_->rotten() ? ", rotten" : "", start->incomplete ? ", without a vote" : ""));
  MemberStart whole{std::move(made), std::move(*start), authorizer_, *this, now()};
  world_.checker().has_log(*this);
  const ApacheOptions apache{options.apache_old, options.apache_quick_acks};
  peer_ = apache_ ? make_apache(std::move(whole), apache) : make_tandem(std::move(whole));
  run([&] { core().start(now()); });
  return true;
}

void Node::crash(Crash kind) {
  if (!up()) {
    if (kind == Crash::power) disk_->crash(kind);
    return;
  }
  world_.note(number_, kind == Crash::kill ? "is killed" : "loses power");
  ++life_;
  disk_->let_go();
  learners_.clear();
  peer_.reset();
  asleep_until_ = {};
  disk_->crash(kind);
  world_.network().leave(number_, kind == Crash::kill);
  election_.clear();
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

// What has arrived from the leader, as far as it is read; true when there was any.
bool Node::take_packets() {
  bool any = false;
  while (leader_ && core().reads_leader() && !leader_->decoder.in_snapshot()) {
    const auto packet = leader_->decoder.next();
    if (packet && !*packet) break;
    any = true;
    if (!packet) {
      core().on_leader_gone("damaged", now());
      break;
    }
    if ((*packet)->type == PacketType::leader_info) promised_ = (*packet)->zxid;
    core().on_leader_packet(**packet, now());
  }
  return any;
}

void Node::drive() {
  for (;;) {
    while (core().has_effects())
      for (const Effect& effect : core().take_effects()) perform(effect);
    if (leader_ && leader_->decoder.in_snapshot() && take_body()) continue;
    if (!take_packets()) break;
  }
  flush_clients();
  arm();
  world_.checker().look_at(*this);
}

Sessions Node::sessions() { return core().sessions().committed_timeouts(); }

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
  if (apache_) {  // it tries each once
    for (const auto id : value.voters)
      if (const int other = static_cast<int>(id.value); !election_.contains(other)) seek_one(other);
    return;
  }
  wanted_.clear();
  for (const auto id : value.voters) wanted_.insert(static_cast<int>(id.value));
  if (!std::exchange(seeking_, true)) seek();
}

void Node::act(const peer::OpenLearnerPort& value) {
  learner_port_ = true;
  port_of_master_ = value.for_observers;
  world_.scheduler().after(Duration{1}, mine([this] { core().on_learner_port(now()); }));
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
  seeks_master_ = !value.addresses.empty() && value.addresses.front().learner_port == kObserverMasterPort;
  const Duration most = apache_ ? options.tick * options.init_limit : Duration(value.connect_max);
  connect_leader(leader, now().at + most);
}

void Node::act(const peer::CloseLeader&) { close_leader(); }

void Node::act(const zab::SendToLeader& value) {
  world_.checker().acking(*this, value.bytes);
  if (leader_) world_.checker().touching(leader_->connection->number(), value.bytes);
  if (leader_) world_.network().send(leader_->connection, 0, {mutation_.to_leader(value.bytes), nullptr});
}

void Node::act(const zab::PersistAcceptedEpoch& value) {
  if (world_.options().mutant == Mutant::early_epoch) disk_->current_epoch(value.epoch, {});
  disk_->accepted_epoch(value.epoch,
                        mine([this, value] { core().on_accepted_epoch_durable(value.epoch, now()); }));
}

void Node::act(const zab::PersistCurrentEpoch& value) {
  disk_->current_epoch(value.epoch,
                       mine([this, value] { core().on_current_epoch_durable(value.epoch, now()); }));
}

void Node::act(const zab::Persist& value) {
  const bool own = leads();
  world_.checker().logs(*this, value.batch, own);
  disk_->persist(value.batch, mine([this, own, last = value.batch->last] {
                   if (own) world_.checker().counts(*this, last);
                   core().on_durable(last, now());
                 }));
  if (disk_->snapshot_due()) disk_->begin_snapshot(core().tree(), sessions());
}

void Node::act(const peer::DrainLog&) {
  disk_->drain(mine([this] { core().on_log_drained(now()); }));
}

void Node::act(const peer::WithholdVote& value) { disk_->withhold_vote(value.reason); }

void Node::act(const peer::RestoreVote&) { disk_->restore_vote(); }

void Node::act(const zab::Truncate& value) {
  world_.checker().cuts(*this, value.zxid);
  disk_->truncate(value.zxid, [this, life = life_](Zxid last, peer::Database database) {
    if (life != life_) return;
    world_.checker().has_log(*this);
    mine([this, last, held = std::make_shared<peer::Database>(std::move(database))] {
      core().on_truncated(last, std::move(*held), now());
    })();
  });
}

void Node::act(const zab::InstallSnapshot& value) {
  world_.checker().cuts(*this, value.zxid);
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
    std::string frame = client.in.substr(kLengthBytes, length);
    client.in.erase(0, kLengthBytes + length);
    if (mutation_.swallows(frame, client.out)) continue;
    mutation_.from_client(frame);
    if (client.answered && leads()) world_.checker().heard_on(*this, client.connection->number());
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

// The first answer has no header.
void Node::flush_clients() {
  for (auto& [key, client] : clients_) {
    if (client.out.empty()) continue;
    std::string out = std::exchange(client.out, {});
    if (std::exchange(client.answered, true)) out = mutation_.to_client(key, out);
    if (!out.empty()) world_.network().send(client.connection, 1, {out, nullptr});
  }
}

bool Node::leads() const { return peer_->status().leading && peer_->status().serving; }

std::uint64_t Node::fingerprint() const {
  std::uint64_t state = disk_->fingerprint();
  const auto mix = [&state](std::int64_t value) {
    state = (state ^ static_cast<std::uint64_t>(value)) * 0x100000001b3ULL;
  };
  mix(up() ? 1 : 0);
  if (!up()) return state;
  const peer::Status status = peer_->status();
  mix(static_cast<std::int64_t>(status.state));
  mix(status.serving ? 1 : 0);
  mix(status.last_zxid.value);
  mix(static_cast<std::int64_t>(tree().digest()));
  mix(status.election.vote.leader.value * 4 + static_cast<std::int64_t>(status.election.vote.state));
  mix(status.election.round);
  mix(status.current_epoch * 1000 + status.accepted_epoch);
  if (status.leading) {
    mix(static_cast<std::int64_t>(status.leading->phase));
    mix(status.leading->last_committed.value);
    for (const auto& learner : status.leading->learners)
      mix(learner.acked.value + static_cast<std::int64_t>(learner.state) * 100 + learner.server.value);
  }
  if (status.learning) {
    mix(static_cast<std::int64_t>(status.learning->phase));
    mix(status.learning->last_queued.value);
    mix(status.learning->last_durable.value);
    mix(status.learning->last_applied.value);
  }
  for (const int other : wanted_) mix(other);
  for (const auto& [other, link] : election_) mix(other + 100);
  return state;
}

}  // namespace tandem::sim
