#include "tests/sim/client.h"

#include <fmt/format.h>

#include "bytes/reader.h"
#include "bytes/writer.h"
#include "tests/sim/client_frames.h"
#include "tests/sim/node.h"
#include "tests/sim/world.h"

namespace tandem::sim {

using jute::ErrorCode;
using jute::OpCode;
namespace zk = zksession;

namespace {

constexpr int kClientHosts = 100;  // numbers of hosts from here on are clients'
constexpr int kKeys = 4;
constexpr int kOwner = 1;      // the client that alone may read kSecret
constexpr int kScattered = 2;  // clients that do not join a crowd
constexpr int kCrowdTries = 3;
constexpr double kCloses = 0.02;
constexpr std::uint64_t kConditional = 4;  // one of so many writes is on the condition of a version
constexpr const char* kShared = "/s";
constexpr const char* kSecret = "/s/x";
constexpr std::int32_t kNoSuchVersion = 1 << 30;
constexpr auto kWatchMode = jute::AddWatchMode::persistent_recursive;
constexpr std::size_t kReplyHeaderBytes = 16;
constexpr std::int32_t kEventXid = -1;

// Where there is a crowd, all but a few clients know one server, and another one for when it is down.
zk::Options session_options(const World& world, int client) {
  zk::Options options;
  const int servers = const_cast<World&>(world).node_count();
  const auto add = [&options](int number) {
    options.servers.hosts.push_back({fmt::format("n{}", number), static_cast<std::uint16_t>(number)});
  };
  const int crowded = const_cast<World&>(world).options().crowded;
  if (crowded != 0 && client > kScattered) {
    for (int i = 0; i < kCrowdTries; ++i) add(crowded);
    add(crowded % servers + 1);
  } else {
    for (int number = 1; number <= servers; ++number) add(number);
  }
  options.session_timeout = const_cast<World&>(world).options().session_timeout;
  return options;
}

bool came_from_server(ErrorCode error) {
  return error != ErrorCode::connection_loss && error != ErrorCode::session_expired &&
         error != ErrorCode::operation_timeout;
}

}  // namespace

Client::Client(World& world, Told& told, int number, base::Random random)
    : world_(world),
      told_(told),
      number_(number),
      random_(random),
      session_(std::make_unique<zk::Session>(session_options(world, number), random_.split())) {
  if (number_ != kOwner) hidden_.hide(kSecret);
}

void Client::start() {
  session_->start(world_.scheduler().now());
  if (number_ == kOwner) session_->add_auth("digest", "owner:secret", world_.scheduler().now());
  drive();
  next_soon();
}

void Client::probe() {
  probing_ = true;
  served_ = false;
}

std::string Client::text() const {
  return fmt::format("client {}, {}, {} requests under way, {} answered, connection {}", number_,
                     to_string(session_->state()), asked_.size(), operations_,
                     connection_ ? connection_->number() : 0);
}

void Client::stop() {
  stopped_ = true;
  if (connection_) world_.network().close(connection_, 0);
  connection_.reset();
}

void Client::violate(const std::string& invariant, const std::string& text) {
  world_.checker().violate(invariant, fmt::format("client {}: {}", number_, text));
}

void Client::drive() {
  if (stopped_) return;
  for (auto effects = session_->drain(); !effects.empty(); effects = session_->drain())
    for (const zk::Effect& effect : effects) perform(effect);
  arm();
}

void Client::arm() {
  const auto deadline = session_->next_deadline();
  if (!deadline || (armed_ && *armed_ <= *deadline)) return;
  armed_ = *deadline;
  world_.scheduler().at(*deadline, [this] {
    armed_.reset();
    if (stopped_) return;
    session_->on_deadline(world_.scheduler().now());
    drive();
  });
}

void Client::perform(const zk::Effect& effect) {
  if (const auto* value = std::get_if<zk::Connect>(&effect)) {
    connect(value->host);
  } else if (std::holds_alternative<zk::Disconnect>(effect)) {
    if (connection_) world_.network().close(connection_, 0);
    connection_.reset();
  } else if (const auto* send = std::get_if<zk::Send>(&effect)) {
    for (const std::string_view frame : frames_of(send->bytes))
      if (const auto xid = xid_of(frame); xid > 0) {
        order_.sent(xid);
        if (op_of(frame) == OpCode::close_session) closing_ = xid;
      }
    if (connection_) world_.network().send(connection_, 0, {renumbered(send->bytes), nullptr});
  } else if (const auto* complete = std::get_if<zk::Complete>(&effect)) {
    const auto it = asked_.find(complete->id);
    if (it == asked_.end()) return;
    const Asked asked = std::move(it->second);
    asked_.erase(it);
    finished(asked, complete->result);
  } else if (const auto* changed = std::get_if<zk::StateChanged>(&effect)) {
    if (changed->state == zk::State::connected && connection_) {
      world_.checker().bind(connection_->number(), session_->id().value);
      judge("S5", world_.checker().resumed(session_->id().value, world_.node(server_)));
    }
    if (changed->state != zk::State::expired && changed->state != zk::State::closed) return;
    forget_session();
    session_->start(world_.scheduler().now());
  }
}

void Client::forget_session() {
  view_ = {};
  watches_.session_over();
  ephemerals_.clear();
}

void Client::connect(const zk::Host& host) {
  if (connection_) world_.network().close(connection_, 0);
  connection_.reset();
  in_.clear();
  const int number = host.port;
  const auto failed = [this] {
    if (stopped_ || connection_) return;
    session_->on_disconnected(world_.scheduler().now());
    drive();
  };
  const auto reached = [this, number, failed] {
    if (stopped_ || connection_) return;
    Node& node = world_.node(number);
    if (!node.up()) return failed();
    auto held = std::make_shared<ConnectionPtr>();
    End ours{kClientHosts + number_,
             [this, held](Item item) { this->item((*held)->number(), std::move(item)); },
             [this, held, failed](const std::string&) {
               if (!connection_ || connection_ != *held) return;
               connection_.reset();
               failed();
             }};
    End theirs{number, [&node, held](Item item) { node.client_item(*held, std::move(item)); },
               [&node, held](const std::string&) { node.client_gone(*held); }};
    connection_ = *held = world_.network().connect(std::move(ours), std::move(theirs));
    order_.connected();
    events_.connected();
    unnumbered_ = -1;
    closing_.reset();
    server_ = number;
    world_.checker().bind(connection_->number(), session_->id().value);
    node.accept_client(connection_);
    session_->on_connected(world_.scheduler().now());
    drive();
  };
  world_.scheduler().after(world_.network().delay(), reached);
}

void Client::item(std::uint64_t connection, Item item) {
  if (stopped_ || !connection_ || connection_->number() != connection) return;
  in_ += item.bytes;
  while (in_.size() >= kLengthBytes) {
    bytes::Reader reader(in_);
    const auto length = static_cast<std::size_t>(reader.i32());
    if (in_.size() < kLengthBytes + length) break;
    std::string frame = in_.substr(kLengthBytes, length);
    in_.erase(0, kLengthBytes + length);
    bytes::Reader header(frame);
    std::int32_t xid = header.i32();
    if (xid > 0 && unnumbered_ > 0) bytes::Writer(frame).patch_i32(0, xid += unnumbered_);
    const std::int64_t zxid = header.i64();
    const bool ok = header.i32() == 0;
    if (xid > 0) judge("S1", order_.replied(xid));
    if (xid > 0 && xid == closing_ && ok) session_closed(zxid);
    if (xid == kEventXid) on_event(frame, zxid);
    if (xid > 0) events_.replied(zxid);
    session_->on_frame(frame, world_.scheduler().now());
    drive();
    if (!connection_ || connection_->number() != connection) return;
  }
}

// As some clients do (kazoo): the first request of a connection is 1.
std::string Client::renumbered(std::string_view frames) {
  std::string out;
  for (const std::string_view frame : frames_of(frames)) {
    const std::size_t at = out.size() + kLengthBytes;
    out += frame;
    const std::int32_t xid = xid_of(frame);
    if (xid <= 0 || !world_.options().renumbers) continue;
    if (unnumbered_ < 0) unnumbered_ = xid - 1;
    bytes::Writer(out).patch_i32(at, xid - unnumbered_);
  }
  return out;
}

// ---- workload ---------------------------------------------------------------------------------------------

std::string Client::key() { return fmt::format("/k{}", random_.below(kKeys)); }

void Client::next_soon() {
  const auto mean = static_cast<std::uint64_t>(world_.options().think.count());
  world_.scheduler().after(milliseconds(1 + random_.below(2 * mean)), [this] {
    if (stopped_) return;
    next();
    drive();
  });
}

void Client::next() {
  if (session_->state() != zk::State::connected && !probing_) return next_soon();
  const std::string value = fmt::format("{}:{}", number_, ++value_);
  if (operations_max() > 0) {
    if (!wrote_all()) submit(Op::create(fmt::format("/w{}", value_), value));
    return;
  }
  if (probing_ && !watches_.waiting().empty() && random_.chance(0.5))
    return submit(Op::get_data(watches_.waiting().begin()->first));
  if (world_.options().closes && !probing_ && random_.chance(kCloses)) return close_session(value);
  if (world_.options().crowded != 0 && !probing_ && random_.chance(0.5)) return synced_reads(value);
  const std::uint64_t kind = probing_ ? 0 : random_.below(100);
  if (kind < 30) return submit(set(key(), value));
  if (kind < 53) return submit(Op::get_data(key(), random_.chance(0.3)));
  if (kind < 56) return submit(number_ == kOwner ? owners_op(value) : Op::add_watch(kShared, kWatchMode));
  if (kind < 65) {
    const std::string path = key();
    const auto began = told_.syncs.begin(path);
    submit(Op::sync(path));
    return submit(Op::get_data(path), began);
  }
  if (kind < 75) return submit(multi("m" + value));
  if (kind < 85) return submit(ephemeral(value));
  if (kind < 92 && !ephemerals_.empty()) return submit(Op::remove(*ephemerals_.begin()));
  submit(Op::create(random_.chance(0.1) ? "/e" : key(), value));
}

// Now and then on the condition that nobody has changed it since this client heard of it.
Client::Op Client::set(const std::string& path, const std::string& value) const {
  const auto known = versions_.find(path);
  const bool conditional = !probing_ && value_ % kConditional == 0 && known != versions_.end();
  return Op::set_data(path, value, conditional ? known->second : zk::kAnyVersion);
}

// One sync for two nodes, perhaps with a write before the second.
void Client::synced_reads(const std::string& value) {
  const std::string first = key();
  const std::string second = key();
  const auto of_first = told_.syncs.begin(first);
  const auto of_second = told_.syncs.begin(second);
  submit(Op::sync(first));
  submit(Op::get_data(first, random_.chance(0.3)), of_first);
  if (random_.chance(0.3)) submit(Op::set_data(key(), value));
  submit(Op::get_data(second), of_second);
}

// Perhaps right behind a request that makes a node of the session.
void Client::close_session(const std::string& value) {
  if (random_.chance(0.5)) submit(ephemeral(value));
  session_->close(world_.scheduler().now());
  if (asked_.empty()) next_soon();
}

// Its nodes are gone for all who ask from now on. The end of a local session is no transaction.
void Client::session_closed(std::int64_t zxid) {
  if (world_.options().local_sessions) return;
  world_.checker().acknowledged(jute::Zxid(zxid), fmt::format("client {} ends its session", number_));
  told_.syncs.acknowledged(zxid);
}

Client::Op Client::ephemeral(const std::string& value) const {
  return Op::create(fmt::format("/e/c{}-", number_), value, jute::CreateMode::ephemeral_sequential);
}

Client::Op Client::multi(const std::string& value) {
  told_.multis.asked(value);
  const std::int32_t version = random_.chance(0.2) ? kNoSuchVersion : zk::kAnyVersion;
  return Op::multi({Op::set_data("/k0", value), Op::set_data("/k1", value), Op::check("/k2", version)});
}

// Changes below a node that others watch, of which they may not hear.
Client::Op Client::owners_op(const std::string& value) {
  const std::vector<jute::ACL> mine = {{jute::perm::kAll, {"auth", ""}}};
  switch (random_.below(4)) {
    case 0:
      return Op::create(kShared, value);
    case 1:
      return Op::remove(kSecret);
    case 2:
      return Op::set_data(kSecret, value);
    default:
      return Op::create(kSecret, value, jute::CreateMode::persistent, mine);
  }
}

// As it comes from the server: the session's core would forgive one that nobody waits for.
void Client::on_event(std::string_view frame, std::int64_t zxid) {
  bytes::Reader reader(frame);
  reader.skip(kReplyHeaderBytes + 2 * kLengthBytes);  // type and state
  const auto length = static_cast<std::size_t>(reader.i32());
  const std::string path(frame.substr(frame.size() - length));
  judge("W1", events_.event(path, zxid));
  judge("W3", hidden_.event(path));
  if (!path.starts_with(kShared)) judge("W2", watches_.fired(path));
}

void Client::judge(const char* invariant, const Finding& finding) {
  if (finding) violate(invariant, *finding);
}

std::uint64_t Client::operations_max() const {
  return static_cast<std::uint64_t>(world_.options().operations_max);
}

std::uint64_t Client::fingerprint() const {
  return (static_cast<std::uint64_t>(session_->state()) * 1000 + asked_.size()) * 1000 + written_;
}

void Client::submit(Op op, std::optional<SyncedReads::Began> sync) {
  const auto id = session_->submit(op, zk::OnLoss::fail, world_.scheduler().now());
  asked_[id] = {std::move(op), sync};
}

void Client::finished(const Asked& asked, const OpResult& result) {
  ++operations_;
  world_.checker().mix(static_cast<std::uint64_t>(result.zxid.value) * 31 +
                       static_cast<std::uint64_t>(result.error));
  if (came_from_server(result.error)) judge("S2", view_.replied(asked.op.path, result.zxid.value));
  if (asked.op.code == OpCode::multi && came_from_server(result.error) && !result.ok())
    told_.multis.failed(asked.op.ops.front().data.value_or(""));
  if (asked_.empty()) next_soon();
  // A write that fails for want of its node went through a quorum all the same.
  if (probing_ && asked.op.code == OpCode::set_data) served_ = served_ || came_from_server(result.error);
  if (asked.op.code == OpCode::sync) synced_ = result.ok();
  if (asked.sync && synced_ && came_from_server(result.error)) check_synced(asked, result);
  if (!result.ok()) return;
  if (asked.op.code == OpCode::create) ++written_;
  switch (asked.op.code) {
    case OpCode::get_data:
      check_read(asked, result);
      break;
    case OpCode::set_data:
      if (asked.op.path != kSecret)  // which is made anew, with versions from the start
        check_write(asked.op, result);
      break;
    case OpCode::multi:
      judge("M1", told_.multis.succeeded(asked.op.ops.front().data.value_or(""), result.zxid.value));
      for (std::size_t i = 0; i + 1 < asked.op.ops.size(); ++i) {
        OpResult one = result.results.at(i);
        one.zxid = result.zxid;
        check_write(asked.op.ops[i], one);
      }
      break;
    case OpCode::remove:
      ephemerals_.erase(asked.op.path);
      break;
    default:
      if (result.path.empty() || !result.path.starts_with("/e/")) break;
      ephemerals_.insert(result.path);
      judge("S6", told_.numbers.created(result.path, result.stat.czxid.value));
  }
  const OpCode code = asked.op.code;
  if (code == OpCode::get_data || code == OpCode::sync || code == OpCode::add_watch) return;
  world_.checker().acknowledged(result.zxid, fmt::format("client {} {}", number_, asked.op.path));
  told_.syncs.acknowledged(result.zxid.value);
}

// Apache's sync does not ask a quorum whether the leader still leads.
void Client::check_synced(const Asked& asked, const OpResult& result) {
  const bool verified = world_.options().sync_verified && world_.options().apache == 0;
  const std::int64_t mzxid = result.ok() ? result.stat.mzxid.value : 0;
  judge("S-sync", SyncedReads::read(asked.op.path, *asked.sync, result.zxid.value, mzxid, verified));
}

void Client::check_read(const Asked& asked, const OpResult& result) {
  const std::string& path = asked.op.path;
  const std::int64_t mzxid = result.stat.mzxid.value;
  judge("S3", view_.read(path, mzxid));
  judge("W1", watches_.read(path, mzxid));
  if (asked.op.watch) watches_.left(path, mzxid);
  judge("M1", told_.multis.read(result.data.value_or(""), mzxid));
  versions_[path] = result.stat.version;
  judge("Z2", told_.values.read(path, result.stat.version, result.data.value_or("")));
}

void Client::check_write(const Op& op, const OpResult& result) {
  judge("Z2", told_.values.wrote(op.path, result.stat.version, op.data.value_or("")));
  judge("S7", follows_version(op.path, op.version, result.stat.version, zk::kAnyVersion));
  view_.wrote(op.path, result.stat.mzxid.value);
  told_.syncs.wrote(op.path, result.stat.mzxid.value);
  versions_[op.path] = result.stat.version;
}

}  // namespace tandem::sim
