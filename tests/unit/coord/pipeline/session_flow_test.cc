#include "coord/session/password.h"
#include "tests/unit/coord/pipeline/pipeline_testing.h"

namespace tandem::coord::pipeline {

using jute::ErrorCode;
using jute::OpCode;
using jute::SessionId;

TEST_CASE("an old client that sends no readOnly flag gets none") {
  TestServer server;
  TestClient client(server, false);
  jute::ConnectRequest request;
  request.timeout_ms = 1;
  request.passwd = std::string(16, '\0');
  request.has_read_only = false;
  const std::string bytes = jute::encoded(request);
  CHECK(bytes.size() == 44);
  server.frame(client.link, bytes);
  server.sync();
  CHECK(client.output().size() == 4 + 36);
  bytes::Reader reader(client.output());
  reader.i64();
  CHECK(reader.i32() == 6000);  // the shortest timeout there is
}

TEST_CASE("a client that has seen more than the server is closed without a word") {
  TestServer server;
  TestClient client(server, false);
  client.connect({}, "", 77);
  CHECK(server.is_closed(client.link));
  CHECK_FALSE(client.has_reply());
}

TEST_CASE("a session is found again with its password, on another connection only") {
  TestServer server;
  TestClient first(server);
  CHECK(first.create("/e", 1) == ErrorCode::ok);
  TestClient second(server, false);
  second.connect(first.session, first.password);
  CHECK(second.take_connect().session_id == first.session);
  CHECK(server.is_closed(first.link));
  CHECK(second.get("/e").err == ErrorCode::ok);

  TestClient thief(server, false);
  thief.connect(first.session, std::string(16, 'x'));
  CHECK(thief.take_connect().timeout_ms == 0);
  CHECK(server.is_closed(thief.link));
  CHECK_FALSE(server.is_closed(second.link));
}

TEST_CASE("an unknown session is told that it is gone") {
  TestServer server;
  TestClient client(server, false);
  const session::Password password = session::password_of(SessionId(5));
  client.connect(SessionId(5), std::string(password.data(), password.size()));
  CHECK(client.output().size() == 41);
  const jute::ConnectResponse response = client.take_connect();
  CHECK(response.timeout_ms == 0);
  CHECK(response.session_id == SessionId(0));
  CHECK(response.passwd == std::string(16, '\0'));
}

TEST_CASE("closing a session deletes its ephemerals, also those still on their way") {
  TestServer server;
  TestClient client(server);
  TestClient watcher(server);
  CHECK(client.create("/e1", 1) == ErrorCode::ok);
  CHECK(watcher.get("/e1", true).err == ErrorCode::ok);
  client.send(OpCode::create, jute::CreateRequest{"/e2", std::nullopt, jute::open_acl(), 1});
  client.send(OpCode::remove, jute::DeleteRequest{"/e1", -1});
  client.send(OpCode::create, jute::CreateRequest{"/e1", std::nullopt, jute::open_acl(), 1});
  client.send_raw(OpCode::close_session, "");
  server.sync();
  for (int i = 0; i < 4; ++i) CHECK(client.take().err == ErrorCode::ok);
  CHECK(server.is_closed(client.link));
  CHECK(server.tree.find("/e1") == tree::kNoNode);
  CHECK(server.tree.find("/e2") == tree::kNoNode);
  CHECK(watcher.take_event() == "NodeDeleted /e1");
  CHECK(server.sessions.size() == 1);
  CHECK(server.core.digest_mismatches() == 0);
}

TEST_CASE("a silent session expires by a transaction and its connection ends") {
  TestServer server;
  TestClient silent(server);
  TestClient alive(server);
  CHECK(silent.create("/e", 1) == ErrorCode::ok);
  for (int i = 0; i < 12; ++i) {
    server.advance(1000);
    alive.send_raw(OpCode::ping, "");
    alive.take();
  }
  CHECK(server.tree.find("/e") != tree::kNoNode);  // not before it is durable
  server.sync();
  CHECK(server.tree.find("/e") == tree::kNoNode);
  CHECK(server.is_closed(silent.link));
  CHECK_FALSE(server.is_closed(alive.link));
}

TEST_CASE("failed authentication is told and ends the connection, success adds ids up to a limit") {
  TestServer server;
  TestClient client(server);
  const auto auth = [&](const std::string& scheme, const std::string& data) {
    std::string body;
    bytes::Writer writer(body);
    writer.i32(0);
    for (const std::string& part : {scheme, data}) {
      writer.i32(static_cast<std::int32_t>(part.size()));
      writer.bytes(part);
    }
    client.send_raw(OpCode::auth, body);
    return client.take();
  };
  CHECK(auth("digest", "user:password").err == ErrorCode::ok);
  CHECK(auth("digest", "user:password").err == ErrorCode::ok);
  client.send_raw(OpCode::who_am_i, "");
  const auto who = jute::decoded<jute::WhoAmIResponse>(client.take().body);
  REQUIRE(who->client_info.size() == 2);
  CHECK(who->client_info[0].user == "user");
  for (int i = 0; i < 14; ++i) CHECK(auth("digest", "u" + std::to_string(i) + ":p").err == ErrorCode::ok);
  const Reply refused = auth("digest", "one:toomany");
  CHECK(refused.err == ErrorCode::auth_failed);
  CHECK(refused.zxid == 0);
  CHECK(server.is_closed(client.link));
}

TEST_CASE("containers go after their last child, TTL nodes after their time, both by the reaper") {
  TestServer server;
  TestClient client(server);
  const auto container = jute::CreateRequest{"/c", std::nullopt, jute::open_acl(), 4};
  CHECK(client.call(OpCode::create_container, container).err == ErrorCode::ok);
  const auto unused = jute::CreateRequest{"/unused", std::nullopt, jute::open_acl(), 4};
  CHECK(client.call(OpCode::create_container, unused).err == ErrorCode::ok);
  const auto ttl = jute::CreateTTLRequest{"/t", std::nullopt, jute::open_acl(), 5, 5000};
  CHECK(client.call(OpCode::create_ttl, ttl).err == ErrorCode::ok);
  CHECK(client.create("/c/x") == ErrorCode::ok);
  CHECK(client.remove("/c/x") == ErrorCode::ok);
  for (int i = 0; i < 61; ++i) {
    server.advance(1000);
    client.send_raw(OpCode::ping, "");
    client.take();
  }
  server.advance(10);  // the second deletion keeps its distance
  server.sync();
  CHECK(server.tree.find("/c") == tree::kNoNode);
  CHECK(server.tree.find("/t") == tree::kNoNode);
  CHECK(server.tree.find("/unused") != tree::kNoNode);
  CHECK(server.core.digest_mismatches() == 0);
}

}  // namespace tandem::coord::pipeline
