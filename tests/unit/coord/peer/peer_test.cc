#include "coord/peer/peer.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "bytes/writer.h"
#include "jute/codec.h"
#include "jute/proto.h"

namespace tandem::coord::peer {
namespace {

using records::PacketType;
using std::chrono::milliseconds;

quorum::QuorumConfig servers(int count) {
  std::string text;
  for (int id = 1; id <= count; ++id) text += fmt::format("server.{}=h{}:1:2\n", id, id);
  return *quorum::QuorumConfig::parse(text);
}

Database database_at(Zxid zxid) {
  Database database;
  database.tree = std::make_unique<tree::DataTree>(tree::TreeOptions{});
  database.tree->set_last_zxid(zxid);
  return database;
}

std::string connect_frame(bool read_only) {
  jute::ConnectRequest request;
  request.timeout_ms = 10000;
  request.passwd = std::string(jute::kPasswordBytes, '\0');
  request.read_only = read_only;
  request.has_read_only = true;
  std::string frame;
  jute::encode(frame, request);
  return frame;
}

// One member; the test plays the disk, the clock and the others. What is asked of the disk is done at once
// unless `stuck`.
struct Stage : pipeline::Outputs {
  explicit Stage(int self, int count, PeerOptions options = {}, PeerStart start = {database_at({}), 0, 0}) {
    options.self = ServerId(self);
    options.config = servers(count);
    peer = std::make_unique<Peer>(std::move(options), std::move(start), authorizer, *this, now());
    peer->start(now());
    run();
  }

  Now now() const { return {at, base::WallTime{1'700'000'000'000}}; }
  std::string& output(LinkId link) override { return outputs[link.value]; }

  void run() {
    while (peer->has_effects())
      for (const Effect& effect : peer->take_effects()) perform(effect);
  }
  void perform(const Effect& effect) {
    lines.push_back(printed(effect));
    if (stuck) return;
    if (const auto* accepted = std::get_if<zab::PersistAcceptedEpoch>(&effect))
      peer->on_accepted_epoch_durable(accepted->epoch, now());
    if (const auto* current = std::get_if<zab::PersistCurrentEpoch>(&effect))
      peer->on_current_epoch_durable(current->epoch, now());
    if (const auto* persist = std::get_if<zab::Persist>(&effect))
      peer->on_durable(persist->batch->last, now());
    if (std::holds_alternative<DrainLog>(effect)) peer->on_log_drained(now());
  }
  void pass(base::Duration by) {
    const base::Instant end = at + by;
    while (peer->next_deadline() && *peer->next_deadline() <= end) {
      at = std::max(at, *peer->next_deadline());
      peer->on_deadline(now());
      run();
    }
    at = end;
  }
  void hear(int from, election::ServerState state, int leader, Zxid zxid = {}, std::int64_t round = 1,
            std::int64_t epoch = 0, const std::string& config = {}) {
    election::Notification notification;
    notification.config = config;
    notification.vote = election::Vote{ServerId(leader), zxid, epoch, round, state, 2};
    peer->on_notification(ServerId(from), notification, now());
    run();
  }
  LinkId connect(bool read_only) {
    const LinkId link = peer->open_link("10.0.0.9", 5, now());
    if (link.value == 0) return link;
    peer->on_frame(link, connect_frame(read_only), now());
    run();
    return link;
  }
  bool said(std::string_view line) const {
    return std::any_of(lines.begin(), lines.end(), [line](const std::string& one) { return one == line; });
  }
  std::size_t sent_to(int server) const {
    const std::string start = fmt::format("send to {}:", server);
    return static_cast<std::size_t>(std::count_if(
        lines.begin(), lines.end(), [&](const std::string& line) { return line.starts_with(start); }));
  }
  pipeline::Role role() { return peer->serving()->role(); }

  base::Instant at{std::chrono::seconds(100)};
  auth::Authorizer authorizer{auth::AuthOptions{}};
  std::map<std::uint64_t, std::string> outputs;
  std::vector<std::string> lines;
  bool stuck = false;
  std::unique_ptr<Peer> peer;
};

PeerOptions reconfig_enabled() {
  PeerOptions options;
  options.pipeline.prepare.reconfig_enabled = true;
  return options;
}

PeerOptions read_only() {
  PeerOptions options;
  options.read_only = true;
  return options;
}

// Follows server 3 of three, in sync with it.
void follow(Stage& stage, std::int32_t silence_ms, const std::string& config = "server.1=h1:1:2\nversion=0") {
  stage.hear(2, ServerState::looking, 3);
  stage.hear(3, ServerState::looking, 3);
  REQUIRE(stage.said("connect to leader 3"));
  const auto packet = [&stage](PacketType type, Zxid zxid, jute::BufferView data = std::nullopt) {
    stage.peer->on_leader_packet(records::QuorumPacket{type, zxid, data, std::nullopt, 0}, stage.now());
    stage.run();
  };
  const Zxid epoch = records::make_zxid(1, 0);
  stage.peer->on_leader_connected(stage.now());
  std::string info = records::encode_i32(records::kProtocolVersion);
  if (silence_ms != 0) records::put_extension(info, {.silence_ms = silence_ms, .challenge = 0});
  packet(PacketType::leader_info, epoch, info);
  packet(PacketType::diff, Zxid(0));
  packet(PacketType::new_leader, epoch, config);
  packet(PacketType::up_to_date, Zxid(-1));
  REQUIRE(stage.peer->serving() != nullptr);
  REQUIRE(stage.role() == pipeline::Role::follower);
}

// A transaction of nobody's: a session with this number begins.
std::string new_session(Zxid zxid) {
  records::TxnHeader header;
  header.client_id = jute::SessionId(zxid.value);
  header.zxid = zxid;
  header.type = jute::OpCode::create_session;
  std::string payload;
  records::encode_payload(payload, header, records::CreateSessionTxn{4000}, nullptr);
  return payload;
}

void propose(Stage& stage, Zxid zxid) {
  const std::string payload = new_session(zxid);
  stage.peer->on_leader_packet(records::QuorumPacket{PacketType::proposal, zxid, payload, std::nullopt, 0},
                               stage.now());
}

void commit(Stage& stage, Zxid zxid) {
  stage.peer->on_leader_packet(records::QuorumPacket{PacketType::commit, zxid, std::nullopt, std::nullopt, 0},
                               stage.now());
}

// What one read of a learner's connection brings.
void wake(Stage& stage, LearnerId learner, const std::string& packets) {
  records::QuorumPacketDecoder decoder(packets.size());
  decoder.feed(packets);
  for (auto packet = decoder.next(); packet && *packet; packet = decoder.next())
    stage.peer->on_learner_packet(learner, **packet, stage.now());
  stage.run();
}

// Leads three; server 2 is in sync.
LearnerId lead(Stage& stage) {
  stage.hear(2, ServerState::looking, 3);
  stage.hear(1, ServerState::looking, 3);
  const LearnerId learner = stage.peer->on_learner_open(stage.now());
  REQUIRE(learner.value != 0);
  std::string info;
  records::put_packet(info, PacketType::follower_info, Zxid(0),
                      records::encode_learner_info({2, records::kProtocolVersion, 0}));
  wake(stage, learner, info);
  std::string epoch;
  records::put_packet(epoch, PacketType::ack_epoch, Zxid(0), records::encode_i32(0));
  wake(stage, learner, epoch);
  std::string in_sync;
  records::put_packet(in_sync, PacketType::ack, records::make_zxid(1, 0));
  wake(stage, learner, in_sync);
  REQUIRE(stage.peer->serving() != nullptr);
  return learner;
}

}  // namespace

TEST_CASE("one voter alone leads as soon as its epochs are durable, and takes no snapshot for it") {
  Stage stage(1, 1);
  REQUIRE(stage.peer->serving() != nullptr);
  CHECK(stage.role() == pipeline::Role::leader);
  CHECK(stage.said("PersistAcceptedEpoch 1"));
  CHECK(stage.said("PersistCurrentEpoch 1"));
  CHECK(stage.connect(false).value != 0);
  CHECK(stage.said("Persist 0x100000001"));
}

TEST_CASE("a leader that does not serve takes no client, and a follower does") {
  PeerOptions options;
  options.leader_serves = false;
  Stage leader(3, 3, options);
  lead(leader);
  CHECK(leader.connect(false).value == 0);
  Stage follower(1, 3, options);
  follow(follower, 0);
  CHECK(follower.connect(false).value != 0);
}

TEST_CASE("without a leader nobody is served") {
  Stage stage(1, 3);
  stage.pass(std::chrono::seconds(30));
  CHECK(stage.peer->serving() == nullptr);
  CHECK(stage.connect(true).value == 0);
}

TEST_CASE("a member in read-only mode serves those who agree to it, after a grace period") {
  Stage stage(1, 3, read_only());
  stage.pass(milliseconds(1999));
  CHECK(stage.peer->serving() == nullptr);
  stage.pass(milliseconds(1));
  REQUIRE(stage.peer->serving() != nullptr);
  CHECK(stage.role() == pipeline::Role::read_only);
  CHECK(!stage.peer->status().serving);
  CHECK(stage.peer->status().state == ServerState::looking);
  const LinkId other = stage.connect(false);
  CHECK(stage.said(fmt::format("close link {}", other)));
  const LinkId agreeing = stage.connect(true);
  CHECK(!stage.outputs[agreeing.value].empty());
  CHECK(stage.peer->tree().last_zxid() == Zxid(0));  // the vote stays what it is
}

TEST_CASE("read-only clients are sent away when a leader is found") {
  Stage stage(1, 3, read_only());
  stage.pass(std::chrono::seconds(5));
  const LinkId link = stage.connect(true);
  follow(stage, 0);
  CHECK(stage.said(fmt::format("close link {}", link)));
  CHECK(stage.peer->status().serving);
  const LinkId next = stage.connect(false);
  CHECK(next > link);  // never given twice
}

TEST_CASE("nobody waits for the vote of a leader that fell silent") {
  PeerOptions options;
  options.silence_max = milliseconds(600);
  Stage follower(1, 3, options);
  follow(follower, 600);
  follower.pass(milliseconds(700));
  CHECK(follower.peer->serving() == nullptr);
  CHECK(follower.peer->status().state == ServerState::looking);
  // Server 3 does not say anything any more; 1 and 2 are all that can be reached.
  follower.lines.clear();
  follower.hear(2, ServerState::looking, 2, {}, 2, 1);
  CHECK(follower.said("connect to leader 2"));
}

TEST_CASE("a leader whose disk is full leaves, says nothing, and comes back with what its disk has") {
  Stage stage(1, 1);
  stage.connect(false);
  stage.stuck = true;
  stage.connect(false);
  const Zxid lost = records::make_zxid(1, 2);
  CHECK(stage.said("Persist 0x100000002"));
  stage.peer->on_disk_full(stage.now());
  stage.run();
  CHECK(stage.said("drain log"));
  stage.peer->on_log_lost(stage.now());
  stage.run();
  CHECK(stage.peer->serving() == nullptr);
  stage.pass(std::chrono::minutes(5));
  CHECK(stage.peer->serving() == nullptr);

  stage.stuck = false;
  stage.peer->on_reloaded(PeerStart{database_at(records::make_zxid(1, 1)), 1, 1}, stage.now());
  stage.run();
  REQUIRE(stage.peer->serving() != nullptr);
  CHECK(stage.peer->tree().last_zxid() == records::make_zxid(2, 0));
  CHECK(stage.peer->status().election.vote.zxid < lost);
}

TEST_CASE("a member without space answers no election") {
  Stage stage(1, 3);
  follow(stage, 0);
  stage.stuck = true;
  stage.peer->on_disk_full(stage.now());
  stage.run();
  stage.peer->on_log_lost(stage.now());
  stage.run();
  stage.lines.clear();
  stage.hear(2, ServerState::looking, 2, {}, 7);
  CHECK(stage.sent_to(2) == 0);
  stage.stuck = false;
  stage.peer->on_reloaded(PeerStart{database_at(Zxid(0)), 1, 1}, stage.now());
  stage.run();
  stage.hear(2, ServerState::looking, 2, {}, 7);
  CHECK(stage.sent_to(2) > 0);
}

TEST_CASE("a member that finds itself empty beside a history gives no vote until it has all of it, durably") {
  Stage stage(1, 3);
  const Zxid old = records::make_zxid(1, 7);
  stage.hear(2, ServerState::following, 3, old, 4, 1);
  stage.hear(3, ServerState::leading, 3, old, 4, 1);
  REQUIRE(stage.said("withhold the vote: it was empty when the others had a history"));
  REQUIRE(stage.said("connect to leader 3"));
  CHECK(stage.peer->status().incomplete);
  const auto packet = [&stage](PacketType type, Zxid zxid, jute::BufferView data = std::nullopt) {
    stage.peer->on_leader_packet(records::QuorumPacket{type, zxid, data, std::nullopt, 0}, stage.now());
    stage.run();
  };
  const Zxid epoch = records::make_zxid(2, 0);
  stage.peer->on_leader_connected(stage.now());
  stage.run();
  packet(PacketType::leader_info, epoch, records::encode_i32(records::kProtocolVersion));
  packet(PacketType::snap, old);
  stage.peer->on_snapshot_installed(old, database_at(old), stage.now());
  stage.run();
  packet(PacketType::new_leader, epoch, "server.1=h1:1:2\nversion=0");
  CHECK(!stage.said("restore the vote"));
  packet(PacketType::up_to_date, Zxid(-1));
  CHECK(stage.said("restore the vote"));
  CHECK(!stage.peer->status().incomplete);
}

TEST_CASE(
    "a member that may have lost something looks for a leader without a vote, and promises none an epoch") {
  PeerStart start{database_at(records::make_zxid(1, 3)), 1, 1};
  start.incomplete = true;
  Stage stage(1, 3, {}, std::move(start));
  stage.hear(2, ServerState::looking, 2, records::make_zxid(1, 2), 1, 1);
  CHECK(!stage.said("connect to leader 2"));
  CHECK(stage.peer->status().state == ServerState::looking);
  stage.hear(3, ServerState::following, 2, records::make_zxid(1, 2), 1, 1);
  stage.hear(2, ServerState::leading, 2, records::make_zxid(1, 2), 1, 1);
  REQUIRE(stage.said("connect to leader 2"));
  stage.peer->on_leader_connected(stage.now());
  stage.run();
  const std::string version = records::encode_i32(records::kProtocolVersion);
  stage.peer->on_leader_packet(
      records::QuorumPacket{PacketType::leader_info, records::make_zxid(2, 0), version, std::nullopt, 0},
      stage.now());
  stage.run();
  std::string refusal;
  records::put_packet(refusal, PacketType::ack_epoch, records::make_zxid(1, 3), records::encode_i32(-1));
  CHECK(stage.said(zab::printed(zab::LearnerEffect(zab::SendToLeader{refusal}))));
}

TEST_CASE("who was elected and does not answer is not elected again at once, though its votes come") {
  Stage stage(1, 3);
  stage.hear(2, ServerState::looking, 3);
  stage.hear(3, ServerState::looking, 3);
  REQUIRE(stage.said("connect to leader 3"));
  stage.peer->on_leader_unreachable("timed out", stage.now());
  stage.run();
  stage.pass(milliseconds(150));
  stage.lines.clear();
  stage.hear(3, ServerState::looking, 3, {}, 2);
  stage.hear(2, ServerState::looking, 2, {}, 2);
  CHECK(stage.said("connect to leader 2"));
}

TEST_CASE("who did not answer is elected after a while, when there is nobody else") {
  const Zxid last = records::make_zxid(1, 1);
  Stage stage(1, 3, {}, PeerStart{database_at(last), 1, 1});
  stage.hear(2, ServerState::looking, 3, last, 1, 1);
  stage.hear(3, ServerState::looking, 3, last, 1, 1);
  REQUIRE(stage.said("connect to leader 3"));
  stage.peer->on_leader_unreachable("timed out", stage.now());
  stage.run();
  stage.pass(milliseconds(150));
  stage.lines.clear();
  stage.hear(3, ServerState::looking, 3, last, 2, 1);
  CHECK(!stage.said("connect to leader 3"));
  stage.pass(milliseconds(4000));
  const std::int64_t round = stage.peer->status().election.round;
  CHECK(round > 2);
  stage.hear(3, ServerState::looking, 3, last, round, 1);
  stage.pass(milliseconds(300));
  CHECK(stage.said("connect to leader 3"));
}

TEST_CASE("proposals that came together are logged together, and what is committed of them is applied") {
  Stage stage(1, 3);
  follow(stage, 0);
  stage.lines.clear();
  propose(stage, records::make_zxid(1, 1));
  propose(stage, records::make_zxid(1, 2));
  propose(stage, records::make_zxid(1, 3));
  commit(stage, records::make_zxid(1, 1));
  stage.run();
  CHECK(stage.said("Persist 0x100000001..0x100000003"));
  CHECK(stage.said("Send: ACK 0x100000001, ACK 0x100000002, ACK 0x100000003"));
  CHECK(stage.peer->tree().last_zxid() == records::make_zxid(1, 1));
}

TEST_CASE("what a leader said in the same moment as it went is logged, and applied if it was committed") {
  Stage stage(1, 3);
  follow(stage, 0);
  propose(stage, records::make_zxid(1, 1));
  commit(stage, records::make_zxid(1, 1));
  propose(stage, records::make_zxid(1, 2));
  stage.peer->on_leader_gone("reset", stage.now());
  stage.run();
  CHECK(stage.said("Persist 0x100000001..0x100000002"));
  CHECK(stage.peer->status().last_zxid == records::make_zxid(1, 2));  // its vote counts what it logged
}

TEST_CASE("requests of a learner that came together are proposed together, also when it goes") {
  Stage stage(3, 3);
  const LearnerId learner = lead(stage);
  std::string requests;
  for (int i = 1; i <= 3; ++i)
    records::put_request(requests, {jute::SessionId(i), 0, jute::OpCode::create_session, {"\0\0\x10\0", 4}},
                         {});
  stage.lines.clear();
  SUBCASE("it stays") { wake(stage, learner, requests); }
  SUBCASE("it goes") {
    records::QuorumPacketDecoder decoder(requests.size());
    decoder.feed(requests);
    for (auto packet = decoder.next(); packet && *packet; packet = decoder.next())
      stage.peer->on_learner_packet(learner, **packet, stage.now());
    stage.peer->on_learner_gone(learner, stage.now());
    stage.run();
  }
  CHECK(stage.said("Persist 0x100000001..0x100000003"));
}

TEST_CASE("where reconfig is enabled, the first leader's epoch is the version of the configuration") {
  Stage stage(3, 3, reconfig_enabled());
  lead(stage);
  const Zxid epoch = records::make_zxid(1, 0);
  CHECK(stage.peer->config().version() == epoch.value);
  const LearnerId apache = stage.peer->on_learner_open(stage.now());
  std::string info;
  records::put_packet(info, PacketType::follower_info, Zxid(0),
                      records::encode_learner_info({1, records::kProtocolVersion, epoch.value}));
  stage.lines.clear();
  wake(stage, apache, info);
  CHECK(stage.lines.front().starts_with("note"));  // its introduction, no farewell
  CHECK(std::none_of(stage.lines.begin(), stage.lines.end(),
                     [](const std::string& line) { return line.starts_with("CloseLearner"); }));

  Stage disabled(3, 3);
  lead(disabled);
  CHECK(disabled.peer->config().version() == 0);
}

TEST_CASE("where reconfig is enabled, members that others know by a later version are taken for the same") {
  const Zxid epoch = records::make_zxid(1, 0);
  quorum::QuorumConfig later = servers(3);
  later.set_version(epoch.value);
  Stage stage(1, 3, reconfig_enabled());
  SUBCASE("by a vote") { stage.hear(2, ServerState::looking, 3, {}, 1, 0, later.text()); }
  SUBCASE("by NEWLEADER") { follow(stage, 0, later.text()); }
  CHECK(stage.peer->config().version() == epoch.value);
}

}  // namespace tandem::coord::peer
