#include "tests/unit/coord/pipeline/ensemble_testing.h"

#include "base/random.h"

namespace tandem::coord::pipeline {

using jute::ErrorCode;
using jute::OpCode;

namespace {

std::string sync_body(const std::string& path) {
  return jute::encoded(jute::DeleteRequest{path, 0}).substr(0, 4 + path.size());
}

}  // namespace

TEST_CASE("clients of every member write, and all members hold the same") {
  TestEnsemble ensemble;
  TestClient first(ensemble.learner(1));
  TestClient second(ensemble.learner(2));
  TestClient third(ensemble.leader());
  CHECK(first.create("/a") == ErrorCode::ok);
  CHECK(second.set("/a", "two") == ErrorCode::ok);
  CHECK(third.create("/b", 1) == ErrorCode::ok);
  CHECK(first.create("/a") == ErrorCode::node_exists);
  CHECK(first.data_of(first.get("/a")) == "two");
  CHECK(second.create("/b/c") == ErrorCode::no_children_for_ephemerals);
  ensemble.check_equal();
  CHECK(ensemble.learner(1).sessions.size() == 3);
}

TEST_CASE("a learner's reads wait behind the session's forwarded writes, other sessions go on") {
  TestEnsemble ensemble;
  TestServer& server = ensemble.learner(1);
  TestClient writer(server);
  TestClient other(server);
  CHECK(writer.create("/a") == ErrorCode::ok);
  writer.send(OpCode::set_data, jute::SetDataRequest{"/a", std::string("new"), -1});
  writer.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
  ensemble.commit();
  CHECK_FALSE(writer.has_reply());
  other.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
  CHECK(other.data_of(other.take()) == "data");
  ensemble.settle();
  CHECK(writer.take().xid == writer.xid - 1);
  CHECK(writer.data_of(writer.take()) == "new");
}

TEST_CASE("on a learner an event leaves before the reply that shows the change") {
  TestEnsemble ensemble;
  TestClient watcher(ensemble.learner(1));
  TestClient writer(ensemble.learner(2));
  CHECK(writer.create("/a") == ErrorCode::ok);
  CHECK(watcher.get("/a", true).err == ErrorCode::ok);
  writer.send(OpCode::set_data, jute::SetDataRequest{"/a", std::string("new"), -1});
  watcher.send(OpCode::create, jute::CreateRequest{"/b", std::nullopt, jute::open_acl(), 0});
  watcher.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
  ensemble.settle();
  CHECK(watcher.take_event() == "NodeDataChanged /a");
  CHECK(watcher.take().err == ErrorCode::ok);
  CHECK(watcher.data_of(watcher.take()) == "new");
}

TEST_CASE("requests that do not parse are refused where the client is, in their turn, and never forwarded") {
  TestEnsemble ensemble(1);
  TestClient client(ensemble.learner(1));
  const std::int64_t before = ensemble.leader().tree.last_zxid().value;
  client.send(OpCode::create, jute::CreateRequest{"/a", std::nullopt, jute::open_acl(), 0});
  client.send_raw(OpCode::set_data, "\x7f");
  client.send_raw(OpCode::multi, "\x01");
  client.send_raw(OpCode::create_ttl,
                  jute::encoded(jute::CreateTTLRequest{"/t", {}, jute::open_acl(), 0, 1}));
  client.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
  ensemble.settle();
  CHECK(client.take().err == ErrorCode::ok);
  CHECK(client.take().err == ErrorCode::marshalling_error);
  CHECK(client.take().err == ErrorCode::marshalling_error);
  CHECK(client.take().err == ErrorCode::bad_arguments);
  CHECK(client.take().err == ErrorCode::ok);
  CHECK(ensemble.leader().tree.last_zxid().value == before + 1);
}

TEST_CASE(
    "what a learner forwards although it cannot be read becomes an error, so that nobody waits for ever") {
  TestEnsemble ensemble(1);
  Pipeline& core = ensemble.leader().core;
  core.on_request(LearnerId(1), {jute::SessionId(5), 9, OpCode::set_data, "\x7f"}, {},
                  ensemble.leader().now());
  core.on_request(LearnerId(1), {jute::SessionId(5), 10, OpCode::check, ""}, {}, ensemble.leader().now());
  core.on_request(LearnerId(1), {jute::SessionId(5), 11, OpCode::get_data, ""}, {}, ensemble.leader().now());
  core.on_request(LearnerId(1), {jute::SessionId(5), 0, OpCode::create_session, "x"}, {},
                  ensemble.leader().now());
  ensemble.leader().settle();
  ensemble.settle();
  CHECK(ensemble.leader().tree.last_zxid() == records::make_zxid(1, 4));
  CHECK(ensemble.leader().sessions.size() == 0);
  ensemble.check_equal();
}

TEST_CASE("a session moves to another server, and what the old one still forwards is refused") {
  TestEnsemble ensemble;
  TestClient here(ensemble.learner(1));
  CHECK(here.create("/e", 1) == ErrorCode::ok);
  ensemble.holds_requests = true;
  here.send(OpCode::create, jute::CreateRequest{"/late", std::nullopt, jute::open_acl(), 0});
  auto late = std::exchange(ensemble.requests, {});
  ensemble.holds_requests = false;

  TestClient there(ensemble.learner(2), false);
  there.connect(here.session, here.password);
  CHECK_FALSE(there.has_reply());
  there.send(OpCode::get_data, jute::PathWatchRequest{"/e", true});  // waits for the leader's word
  ensemble.settle();
  CHECK(there.take_connect().session_id == here.session);
  CHECK(there.data_of(there.take()) == "data");

  ensemble.requests = std::move(late);
  ensemble.send_requests();
  ensemble.settle();
  CHECK(ensemble.leader().tree.find("/late") == tree::kNoNode);
  CHECK_FALSE(here.has_reply());
  CHECK(ensemble.learner(1).is_closed(here.link));
  there.send(OpCode::set_data, jute::SetDataRequest{"/e", std::string("still mine"), -1});
  ensemble.settle();
  CHECK(there.take_event() == "NodeDataChanged /e");
  CHECK(there.take().err == ErrorCode::ok);
}

TEST_CASE("a session moves to the leader and back") {
  TestEnsemble ensemble;
  TestClient first(ensemble.learner(1));
  TestClient second(ensemble.leader(), false);
  second.connect(first.session, first.password);
  CHECK(second.take_connect().session_id == first.session);
  CHECK(second.create("/a") == ErrorCode::ok);
  CHECK(first.send(OpCode::create, jute::CreateRequest{"/b", {}, jute::open_acl(), 0}) > 0);
  ensemble.settle();
  CHECK(ensemble.learner(1).is_closed(first.link));
  TestClient third(ensemble.learner(1), false);
  third.connect(first.session, first.password, ensemble.leader().tree.last_zxid().value);
  ensemble.settle();
  CHECK(third.take_connect().session_id == first.session);
  CHECK(third.create("/b") == ErrorCode::ok);
}

TEST_CASE("a learner asks the leader whether a session lives, and says no for wrong passwords itself") {
  TestEnsemble ensemble(1);
  TestClient client(ensemble.learner(1));
  TestClient thief(ensemble.learner(1), false);
  thief.connect(client.session, std::string(16, 'x'));
  CHECK(thief.take_connect().timeout_ms == 0);
  CHECK_FALSE(ensemble.learner(1).is_closed(client.link));
  client.send_raw(OpCode::close_session, "");
  ensemble.settle();
  client.take();
  TestClient late(ensemble.learner(1), false);
  late.connect(client.session, client.password);
  ensemble.settle();
  CHECK(late.take_connect().timeout_ms == 0);
  CHECK(ensemble.learner(1).is_closed(late.link));
}

TEST_CASE("a learner that is behind what the client has seen does not serve it") {
  TestEnsemble ensemble;
  TestClient client(ensemble.learner(1));
  ensemble.deaf.insert(2);
  CHECK(client.create("/a") == ErrorCode::ok);
  TestClient there(ensemble.learner(2), false);
  there.connect(client.session, client.password, ensemble.learner(1).tree.last_zxid().value);
  CHECK(ensemble.learner(2).is_closed(there.link));
  CHECK_FALSE(there.has_reply());
}

TEST_CASE("a session lives as long as its learner reports it, then the leader alone expires it") {
  TestEnsemble ensemble;
  TestClient silent(ensemble.learner(1));
  TestClient alive(ensemble.learner(2));
  TestClient watcher(ensemble.learner(2));
  CHECK(silent.create("/e", 1) == ErrorCode::ok);
  CHECK(watcher.get("/e", true).err == ErrorCode::ok);
  for (int i = 0; i < 12; ++i) {
    for (TestClient* client : {&alive, &watcher}) {
      client->send_raw(OpCode::ping, "");
      client->take();
    }
    ensemble.advance(1000);
  }
  CHECK(ensemble.learner(1).core.take_effects().empty());
  CHECK(ensemble.learner(1).tree.find("/e") != tree::kNoNode);
  ensemble.settle();
  CHECK(ensemble.learner(1).is_closed(silent.link));
  CHECK_FALSE(ensemble.learner(2).is_closed(alive.link));
  CHECK(watcher.take_event() == "NodeDeleted /e");
  CHECK(ensemble.learner(2).sessions.size() == 2);
  ensemble.check_equal();
}

TEST_CASE("closing a session through a learner deletes its ephemerals everywhere and answers first") {
  TestEnsemble ensemble;
  TestClient client(ensemble.learner(1));
  CHECK(client.create("/e1", 1) == ErrorCode::ok);
  client.send(OpCode::create, jute::CreateRequest{"/e2", std::nullopt, jute::open_acl(), 1});
  const std::int32_t last = client.send_raw(OpCode::close_session, "");
  client.send(OpCode::get_data, jute::PathWatchRequest{"/e1", false});
  ensemble.settle();
  CHECK(client.take().err == ErrorCode::ok);
  CHECK(client.take().xid == last);
  CHECK_FALSE(client.has_reply());
  CHECK(ensemble.learner(1).is_closed(client.link));
  CHECK(ensemble.learner(2).tree.owners().ephemerals() == 0);
  ensemble.check_equal();
}

TEST_CASE("sync on a learner is answered behind what the leader had proposed, reads behind it see that") {
  TestEnsemble ensemble;
  TestClient writer(ensemble.leader());
  TestClient reader(ensemble.learner(1));
  CHECK(writer.create("/a") == ErrorCode::ok);
  writer.send(OpCode::set_data, jute::SetDataRequest{"/a", std::string("new"), -1});
  reader.send_raw(OpCode::sync, sync_body("/a"));
  reader.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
  CHECK(ensemble.leader().core.pending_syncs() == 1);
  ensemble.deliver(1);
  CHECK_FALSE(reader.has_reply());
  ensemble.settle();
  const Reply synced = reader.take();
  CHECK(synced.xid == reader.xid - 1);
  CHECK(synced.body == sync_body("/a"));
  CHECK(reader.data_of(reader.take()) == "new");
}

TEST_CASE("a sync that has to be verified waits for a quorum, and nothing of its learner overtakes it") {
  PipelineOptions options;
  options.sync_quorum_verified = true;
  TestEnsemble ensemble(1, options);
  for (TestServer* server : {&ensemble.learner(1), &ensemble.leader()}) {
    ensemble.confirms = true;
    TestClient client(*server);
    ensemble.confirms = false;
    const std::int32_t first = client.send_raw(OpCode::sync, sync_body("/a"));
    client.send(OpCode::create, jute::CreateRequest{"/a", std::string("x"), jute::open_acl(), 2});
    client.send(OpCode::exists, jute::PathWatchRequest{"/a", false});
    ensemble.settle();
    CHECK_FALSE(client.has_reply());
    REQUIRE(ensemble.rounds.size() == 1);
    ensemble.confirms = true;
    ensemble.settle();
    CHECK(client.take().xid == first);
    CHECK(client.take().xid == first + 1);
    CHECK(client.take().xid == first + 2);
  }
  ensemble.check_equal();
}

TEST_CASE("what came behind a sync is committed behind its answer, though no quorum is asked") {
  TestEnsemble ensemble(1);
  TestClient writer(ensemble.leader());
  TestClient first(ensemble.learner(1));
  TestClient second(ensemble.learner(1));
  TestClient third(ensemble.learner(1));
  CHECK(writer.create("/a") == ErrorCode::ok);
  const auto set = [](const char* value) { return jute::SetDataRequest{"/a", std::string(value), -1}; };
  writer.send(OpCode::set_data, set("1"));
  const std::int32_t sync = first.send_raw(OpCode::sync, sync_body("/a"));
  second.send(OpCode::set_data, set("2"));
  third.send_raw(OpCode::sync, sync_body("/a"));
  third.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
  ensemble.settle();
  REQUIRE_FALSE(ensemble.learner(1).is_closed(first.link));
  CHECK(first.take().xid == sync);
  CHECK(second.take().err == ErrorCode::ok);
  CHECK(third.take().xid == third.xid - 1);
  CHECK(third.data_of(third.take()) == "2");
}

TEST_CASE("the end of a role closes every link, and what was not committed is not answered") {
  TestEnsemble ensemble(1);
  TestClient local(ensemble.leader());
  TestClient remote(ensemble.learner(1));
  local.send(OpCode::create, jute::CreateRequest{"/a", std::nullopt, jute::open_acl(), 0});
  remote.send(OpCode::create, jute::CreateRequest{"/b", std::nullopt, jute::open_acl(), 0});
  ensemble.leader().core.end();
  ensemble.leader().settle();
  ensemble.learner(1).core.end();
  ensemble.learner(1).settle();
  CHECK(ensemble.leader().is_closed(local.link));
  CHECK(ensemble.learner(1).is_closed(remote.link));
  CHECK_FALSE(local.has_reply());
  CHECK_FALSE(remote.has_reply());
  CHECK(ensemble.leader().core.next_link() > 1);
}

TEST_CASE("a new leader gives every session its whole timeout and knows no owner") {
  TestServer server;
  TestClient client(server);
  CHECK(client.create("/e", 1) == ErrorCode::ok);
  server.clock.advance(base::milliseconds(9'000));
  PipelineOptions options;
  options.role = Role::leader;
  server.tree.set_last_zxid(records::make_zxid(2, 0));
  Pipeline leader(options, server.tree, server.sessions, server.authorizer, server, server.now());
  CHECK(*leader.next_deadline() > server.now().at + base::milliseconds(9'000));
  leader.on_request(LearnerId(3),
                    {client.session, 7, OpCode::remove, jute::encoded(jute::DeleteRequest{"/e", -1})}, {},
                    server.now());
  const auto effects = leader.take_effects();
  REQUIRE(effects.size() == 1);
  leader.on_committed(std::get<Persist>(effects[0]).batch->last, server.now());
  CHECK(server.tree.find("/e") == tree::kNoNode);
  CHECK(server.tree.last_zxid() == records::make_zxid(2, 1));
}

TEST_CASE("an epoch without numbers left proposes nothing more and says so") {
  PipelineOptions options;
  options.role = Role::leader;
  TestServer server;
  server.tree.set_last_zxid(records::make_zxid(1, UINT32_MAX - 2));
  Pipeline leader(options, server.tree, server.sessions, server.authorizer, server, server.now());
  for (int i = 0; i < 3; ++i)
    leader.on_request(LearnerId(1),
                      {jute::SessionId(9), i, OpCode::create_session, std::string("\0\0\x20\0", 4)}, {},
                      server.now());
  const auto effects = leader.take_effects();
  REQUIRE(effects.size() == 2);
  CHECK(std::holds_alternative<EpochExhausted>(effects[0]));
  CHECK(std::get<Persist>(effects[1]).batch->sizes.size() == 1);
}

TEST_CASE("a request that the leader let fall ends its client's connection and holds up nobody") {
  TestEnsemble ensemble(1);
  TestClient unlucky(ensemble.learner(1));
  TestClient other(ensemble.learner(1));
  ensemble.holds_requests = true;
  unlucky.send(OpCode::create, jute::CreateRequest{"/lost", std::nullopt, jute::open_acl(), 0});
  ensemble.requests.clear();
  ensemble.holds_requests = false;
  CHECK(other.create("/a") == ErrorCode::ok);
  CHECK(ensemble.learner(1).is_closed(unlucky.link));
}

TEST_CASE("what a session asked for elsewhere answers nothing here, though it has the same number") {
  TestEnsemble ensemble;
  TestClient client(ensemble.learner(1));
  CHECK(client.create("/a") == ErrorCode::ok);
  ensemble.settle();
  const auto set = [](const char* value) { return jute::SetDataRequest{"/a", std::string(value), -1}; };
  client.send(OpCode::set_data, set("old"));
  TestClient moved(ensemble.learner(2), false);
  moved.connect(client.session, client.password);
  ensemble.deliver(2);
  CHECK(moved.take_connect().timeout_ms == 10000);
  moved.xid = client.xid - 1;  // it numbers its requests anew
  moved.send(OpCode::set_data, set("new"));
  ensemble.commit();
  ensemble.deliver(2, 1);
  CHECK_FALSE(moved.has_reply());
  ensemble.settle();
  CHECK(moved.take().err == ErrorCode::ok);
  CHECK(moved.data_of(moved.get("/a")) == "new");
}

TEST_CASE("a sync is not answered by the failure of another request with its number") {
  TestEnsemble ensemble;
  TestClient client(ensemble.learner(1));
  TestClient writer(ensemble.learner(1));
  CHECK(client.create("/a") == ErrorCode::ok);
  ensemble.settle();
  ensemble.holds_requests = true;
  client.send(OpCode::remove, jute::DeleteRequest{"/a", -1});
  const auto late = std::exchange(ensemble.requests, {});
  ensemble.holds_requests = false;
  TestClient moved(ensemble.learner(2), false);
  moved.connect(client.session, client.password);
  ensemble.deliver(2);
  CHECK(moved.take_connect().timeout_ms == 10000);
  writer.send(OpCode::set_data, jute::SetDataRequest{"/a", std::string("new"), -1});
  moved.xid = client.xid - 1;
  ensemble.requests = late;
  ensemble.send_requests();  // the session has moved: an error
  moved.send_raw(OpCode::sync, sync_body("/a"));
  ensemble.commit();
  ensemble.deliver(2, 2);
  CHECK_FALSE(moved.has_reply());
  ensemble.settle();
  CHECK(moved.take().xid == moved.xid);
  CHECK_FALSE(moved.has_reply());
}

TEST_CASE("what the leader still holds of a connection before is no answer to what comes on the next one") {
  PipelineOptions options;
  options.sync_quorum_verified = true;
  TestEnsemble ensemble(1, options);
  TestClient other(ensemble.learner(1));
  TestClient client(ensemble.learner(1));
  CHECK(client.create("/a") == ErrorCode::ok);
  const auto set = [](const char* value) { return jute::SetDataRequest{"/a", std::string(value), -1}; };
  ensemble.confirms = false;
  other.send_raw(OpCode::sync, sync_body("/a"));
  client.send(OpCode::set_data, set("early"));  // waits at the leader behind the sync
  TestClient away(ensemble.leader(), false);
  away.connect(client.session, client.password);
  CHECK(away.take_connect().session_id == client.session);
  away.xid = client.xid - 1;
  away.send(OpCode::set_data, set("away"));
  TestClient back(ensemble.learner(1), false);
  back.connect(client.session, client.password);
  back.xid = client.xid - 1;
  back.send(OpCode::set_data, set("back"));
  ensemble.settle();
  CHECK_FALSE(ensemble.learner(1).is_closed(other.link));
  CHECK_FALSE(back.has_reply());  // the leader has not said yet that the session is here
  ensemble.confirms = true;
  ensemble.settle();
  CHECK(other.take().xid == other.xid);
  CHECK(back.take_connect().session_id == client.session);
  const Reply reply = back.take();
  CHECK(reply.err == ErrorCode::ok);
  CHECK(reply.zxid == ensemble.leader().tree.last_zxid().value);
  CHECK(back.data_of(back.get("/a")) == "back");
}

TEST_CASE("what a leader has taken before it gives a session to a learner is proposed before it says so") {
  TestEnsemble ensemble(1);
  TestClient client(ensemble.leader());
  std::string frame;
  bytes::Writer writer(frame);
  writer.i32(1);
  writer.i32(static_cast<std::int32_t>(OpCode::create));
  writer.bytes(jute::encoded(jute::CreateRequest{"/a", std::nullopt, jute::open_acl(), 0}));
  Pipeline& leader = ensemble.leader().core;
  leader.on_frame(client.link, frame, ensemble.leader().now());
  leader.on_revalidate(LearnerId(1), client.session, 10000, ensemble.leader().now());
  const auto effects = leader.take_effects();
  REQUIRE(effects.size() == 2);
  CHECK(std::holds_alternative<Persist>(effects[0]));
  CHECK(std::holds_alternative<AnswerRevalidate>(effects[1]));
}

TEST_CASE("a session that comes twice is here when the leader has answered about the second time") {
  TestEnsemble ensemble;
  TestClient client(ensemble.learner(1));
  CHECK(client.create("/a") == ErrorCode::ok);
  const auto set = [](const char* value) { return jute::SetDataRequest{"/a", std::string(value), -1}; };
  TestClient first(ensemble.learner(2), false);
  first.connect(client.session, client.password);
  TestClient between(ensemble.learner(1), false);
  between.connect(client.session, client.password);
  ensemble.deliver(1);
  CHECK(between.take_connect().session_id == client.session);
  between.send(OpCode::set_data, set("between"));
  TestClient second(ensemble.learner(2), false);
  second.connect(client.session, client.password);
  ensemble.deliver(2, 1);
  CHECK_FALSE(second.has_reply());
  ensemble.deliver(2, 1);
  CHECK(second.take_connect().session_id == client.session);
  second.send(OpCode::set_data, set("second"));
  ensemble.commit();
  ensemble.deliver(2, 1);
  CHECK_FALSE(second.has_reply());
  ensemble.settle();
  CHECK(second.take().err == ErrorCode::ok);
  CHECK(second.data_of(second.get("/a")) == "second");
}

TEST_CASE("random clients of all members, with moves and lagging learners, agree in the end") {
  base::Random random(4711);
  TestEnsemble ensemble;
  std::vector<std::unique_ptr<TestClient>> clients;
  const auto member = [&](std::uint64_t i) -> TestServer& {
    return i == 0 ? ensemble.leader() : ensemble.learner(i);
  };
  for (std::uint64_t i = 0; i < 6; ++i) clients.push_back(std::make_unique<TestClient>(member(i % 3)));
  for (int i = 0; i < 4000; ++i) {
    std::unique_ptr<TestClient>& client = clients[random.below(clients.size())];
    const std::string path = "/" + std::string(1, static_cast<char>('a' + random.below(6)));
    switch (random.below(8)) {
      case 0:
      case 1:
        client->send(OpCode::create2, jute::CreateRequest{path, std::string("d"), jute::open_acl(),
                                                          static_cast<std::int32_t>(random.below(4))});
        break;
      case 2:
        client->send(OpCode::remove, jute::DeleteRequest{path, -1});
        break;
      case 3:
      case 4:
        client->send(OpCode::set_data, jute::SetDataRequest{path, std::string("s"), -1});
        break;
      case 5:
        client->send_raw(OpCode::sync, sync_body(path));
        break;
      case 6:
        client->send(OpCode::get_data, jute::PathWatchRequest{path, true});
        break;
      default: {
        if (!random.chance(0.1)) break;
        auto moved = std::make_unique<TestClient>(member(random.below(3)), false);
        ensemble.settle();
        moved->connect(client->session, client->password);
        ensemble.settle();
        CHECK(moved->take_connect().session_id == client->session);
        moved->xid = client->xid;
        client = std::move(moved);
      }
    }
    if (random.chance(0.2)) ensemble.commit();
    ensemble.deliver(1 + random.below(2), random.below(4));
  }
  ensemble.settle();
  ensemble.check_equal();
  for (const auto& client : clients) {
    std::int32_t last = 0;
    while (client->has_reply()) {
      const Reply reply = client->take();
      if (reply.xid == jute::xid::kNotification) continue;
      CHECK(reply.xid > last);
      last = reply.xid;
    }
    CHECK((last == client->xid || last == 0));
  }
}

}  // namespace tandem::coord::pipeline
