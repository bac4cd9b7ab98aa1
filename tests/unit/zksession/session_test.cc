#include "zksession/session.h"

#include <doctest/doctest.h>

#include "jute/codec.h"

namespace tandem::zksession {

namespace {

using std::chrono::milliseconds;

// A session whose peer is the test.
struct World {
  explicit World(std::size_t hosts = 1, std::size_t max_in_flight = 0)
      : session(options(hosts, max_in_flight), base::Random(1)) {}

  static Options options(std::size_t hosts, std::size_t max_in_flight) {
    Options options;
    for (std::size_t i = 0; i < hosts; ++i) options.servers.hosts.push_back({"h" + std::to_string(i), 2181});
    options.session_timeout = milliseconds(9000);
    options.max_in_flight = max_in_flight;
    return options;
  }

  // Gathers effects; sent bytes are cut into frames.
  void collect() {
    for (Effect& effect : session.drain()) {
      if (auto* send = std::get_if<Send>(&effect)) {
        bytes::Reader reader(send->bytes);
        while (reader.remaining() > 0)
          frames.emplace_back(reader.bytes(static_cast<std::size_t>(reader.i32())));
      } else if (auto* done = std::get_if<Complete>(&effect)) {
        results.push_back(done->result);
      } else if (auto* event = std::get_if<Notify>(&effect)) {
        events.push_back(event->event);
      } else if (auto* connect = std::get_if<Connect>(&effect)) {
        connects.push_back(connect->host.name);
      }
    }
  }

  void run_until_connecting() {
    const std::size_t before = connects.size();
    for (int i = 0; i < 100 && connects.size() == before; ++i) {
      collect();
      if (connects.size() > before) break;
      now = std::max(now, *session.next_deadline());
      session.on_deadline(now);
    }
    REQUIRE_GT(connects.size(), before);
  }

  void establish(std::int64_t id = 77) {
    session.on_connected(now);
    const std::string response =
        jute::encoded(jute::ConnectResponse{0, 6000, jute::SessionId(id), std::string(16, 'p'), false, true});
    session.on_frame(response, now);
    collect();
  }

  void start() {
    session.start(now);
    collect();
    establish();
    frames.clear();
    events.clear();
  }

  void reply(std::int32_t xid, std::int64_t zxid, ErrorCode error, std::string_view body = {}) {
    std::string frame = jute::encoded(jute::ReplyHeader{xid, jute::Zxid(zxid), error});
    frame += body;
    session.on_frame(frame, now);
    collect();
  }

  jute::RequestHeader header(std::size_t i) { return *jute::decoded<jute::RequestHeader>(frames.at(i)); }

  void lose_connection() {
    session.on_disconnected(now);
    run_until_connecting();
  }

  Session session;
  base::Instant now{std::chrono::seconds(100)};
  std::vector<std::string> frames, connects;
  std::vector<OpResult> results;
  std::vector<Event> events;
};

}  // namespace

TEST_CASE("the handshake asks for a session and takes what the server grants") {
  World world;
  world.session.start(world.now);
  world.collect();
  CHECK_EQ(world.connects.size(), 1);
  world.establish();
  REQUIRE_EQ(world.frames.size(), 1);
  CHECK_EQ(world.frames[0].size(), 45);
  CHECK_EQ(world.session.state(), State::connected);
  CHECK_EQ(world.session.id().value, 77);
  CHECK_EQ(world.session.negotiated_timeout(), milliseconds(6000));
  REQUIRE_EQ(world.events.size(), 1);
  CHECK_EQ(world.events[0].state, jute::KeeperState::sync_connected);
}

TEST_CASE("requests leave in order with rising xids and replies find them") {
  World world;
  world.start();
  world.session.submit(Op::exists("/a"), OnLoss::fail, world.now);
  world.session.submit(Op::remove("/b"), OnLoss::fail, world.now);
  world.collect();
  REQUIRE_EQ(world.frames.size(), 2);
  CHECK_EQ(world.header(0).xid, 1);
  CHECK_EQ(world.header(1).xid, 2);
  world.reply(1, 5, ErrorCode::no_node);
  world.reply(2, 6, ErrorCode::ok);
  REQUIRE_EQ(world.results.size(), 2);
  CHECK_EQ(world.results[0].error, ErrorCode::no_node);
  CHECK(world.results[1].ok());
}

TEST_CASE("no more requests are in flight than allowed") {
  World world(1, 2);
  world.start();
  for (int i = 0; i < 5; ++i) world.session.submit(Op::remove("/a"), OnLoss::fail, world.now);
  world.collect();
  CHECK_EQ(world.frames.size(), 2);
  world.reply(1, 1, ErrorCode::ok);
  CHECK_EQ(world.frames.size(), 3);
}

TEST_CASE("a lost connection fails requests unless they are to be retried") {
  World world(3);
  world.start();
  world.session.submit(Op::remove("/fail"), OnLoss::fail, world.now);
  world.session.submit(Op::remove("/retry"), OnLoss::retry, world.now);
  world.collect();
  world.frames.clear();
  world.lose_connection();
  REQUIRE_EQ(world.results.size(), 1);
  CHECK_EQ(world.results[0].error, ErrorCode::connection_loss);
  CHECK_EQ(world.events.back().state, jute::KeeperState::disconnected);
  world.establish();
  REQUIRE_EQ(world.frames.size(), 2);
  CHECK_EQ(jute::decoded<jute::ConnectRequest>(world.frames[0])->session_id.value, 77);
  CHECK_EQ(world.header(1).type, OpCode::remove);
  CHECK_NE(world.connects[0], world.connects[1]);
}

TEST_CASE("credentials and watches are there before the next request after a reconnect") {
  World world;
  world.start();
  world.session.add_auth("digest", "u:p", world.now);
  world.session.submit(Op::get_data("/w", true), OnLoss::fail, world.now);
  world.collect();
  world.reply(jute::xid::kAuth, 0, ErrorCode::ok);
  world.reply(1, 9, ErrorCode::ok, jute::encoded(jute::GetDataResponse{}));
  world.frames.clear();
  world.lose_connection();
  world.session.submit(Op::remove("/x"), OnLoss::retry, world.now);
  world.establish();
  REQUIRE_EQ(world.frames.size(), 4);
  CHECK_EQ(world.header(1).type, OpCode::auth);
  CHECK_EQ(world.header(2).type, OpCode::set_watches);
  const auto watches = jute::decoded<jute::SetWatches>(std::string_view(world.frames[2]).substr(8));
  CHECK_EQ(watches->relative_zxid.value, 9);
  CHECK(watches->data_watches == std::vector<std::string>{"/w"});
  CHECK_EQ(world.header(3).type, OpCode::remove);
}

TEST_CASE("persistent watches need the newer form") {
  World world;
  world.start();
  world.session.submit(Op::add_watch("/p", jute::AddWatchMode::persistent), OnLoss::fail, world.now);
  world.collect();
  world.reply(1, 3, ErrorCode::ok, jute::encoded(jute::ErrorResponse{}));
  world.frames.clear();
  world.lose_connection();
  world.establish();
  CHECK_EQ(world.header(1).type, OpCode::set_watches2);
}

TEST_CASE("an expired session fails everything and a new one starts clean") {
  World world;
  world.start();
  world.session.submit(Op::remove("/a"), OnLoss::retry, world.now);
  world.collect();
  world.lose_connection();
  world.session.on_connected(world.now);
  world.session.on_frame(
      jute::encoded(jute::ConnectResponse{0, 0, jute::SessionId(0), std::string(16, '\0')}), world.now);
  world.collect();
  CHECK_EQ(world.session.state(), State::expired);
  REQUIRE_EQ(world.results.size(), 1);
  CHECK_EQ(world.results[0].error, ErrorCode::session_expired);
  CHECK_EQ(world.events.back().state, jute::KeeperState::expired);
  CHECK_FALSE(world.session.next_deadline().has_value());
  world.frames.clear();
  world.session.start(world.now);
  world.establish(78);
  CHECK_EQ(jute::decoded<jute::ConnectRequest>(world.frames[0])->session_id.value, 0);
  CHECK_EQ(world.session.state(), State::connected);
}

TEST_CASE("an idle session pings after a third of its timeout and gives up on silence after two thirds") {
  World world;
  world.start();
  world.now = *world.session.next_deadline();
  world.session.on_deadline(world.now);
  world.collect();
  REQUIRE_EQ(world.frames.size(), 1);
  CHECK_EQ(world.header(0).xid, jute::xid::kPing);
  CHECK_EQ(world.now, base::Instant(std::chrono::seconds(102)));
  while (world.session.state() == State::connected) {
    world.now = *world.session.next_deadline();
    world.session.on_deadline(world.now);
  }
  CHECK_EQ(world.now, base::Instant(std::chrono::seconds(104)));
}

TEST_CASE("a host that accepts and says nothing has its share of the session's time, at most two thirds") {
  for (const auto& [hosts, patience] : {std::pair<std::size_t, int>{1, 6000}, {3, 3000}}) {
    World world(hosts);
    world.session.start(world.now);
    world.session.on_connected(world.now);
    world.collect();
    CHECK_EQ(*world.session.next_deadline() - world.now, milliseconds(patience));
    world.run_until_connecting();
    CHECK_EQ(world.connects.back() == world.connects.front(), hosts == 1);
  }
}

TEST_CASE("refused credentials end the session") {
  World world;
  world.start();
  world.session.add_auth("nope", "x", world.now);
  world.session.submit(Op::remove("/a"), OnLoss::retry, world.now);
  world.collect();
  world.reply(jute::xid::kAuth, 0, ErrorCode::auth_failed);
  CHECK_EQ(world.session.state(), State::auth_failed);
  CHECK_EQ(world.results.at(0).error, ErrorCode::auth_failed);
}

TEST_CASE("close tells the server and waits for its answer") {
  World world;
  world.start();
  world.session.close(world.now);
  world.collect();
  CHECK_EQ(world.header(0).type, OpCode::close_session);
  world.reply(world.header(0).xid, 10, ErrorCode::ok);
  CHECK_EQ(world.session.state(), State::closed);
}

TEST_CASE("an event of a watch that was forgotten is dropped") {
  World world;
  world.start();
  const std::string body = jute::encoded(
      jute::WatcherEvent{jute::EventType::node_data_changed, jute::KeeperState::sync_connected, "/a"});
  world.reply(jute::xid::kNotification, 4, ErrorCode::ok, body);
  CHECK(world.events.empty());
  world.session.submit(Op::get_data("/a", true), OnLoss::fail, world.now);
  world.reply(1, 5, ErrorCode::ok, jute::encoded(jute::GetDataResponse{}));
  world.reply(jute::xid::kNotification, 6, ErrorCode::ok, body);
  REQUIRE_EQ(world.events.size(), 1);
  CHECK_EQ(world.events[0].zxid.value, 6);
}

TEST_CASE("a reply out of order drops the connection") {
  World world;
  world.start();
  world.session.submit(Op::remove("/a"), OnLoss::fail, world.now);
  world.reply(9, 5, ErrorCode::ok);
  CHECK_EQ(world.results.at(0).error, ErrorCode::connection_loss);
  CHECK_EQ(world.session.state(), State::connecting);
}

}  // namespace tandem::zksession
