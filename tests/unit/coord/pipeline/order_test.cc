#include "tests/unit/coord/pipeline/pipeline_testing.h"

namespace tandem::coord::pipeline {

using jute::ErrorCode;
using jute::OpCode;

TEST_CASE("nothing is said before it is durable") {
  TestServer server;
  TestClient client(server);
  client.send(OpCode::create, jute::CreateRequest{"/a", std::string("1"), jute::open_acl(), 0});
  CHECK_FALSE(client.has_reply());
  CHECK(server.tree.find("/a") == tree::kNoNode);
  server.sync();
  CHECK(client.take().err == ErrorCode::ok);
}

TEST_CASE("reads wait behind the session's own writes while other sessions go on") {
  TestServer server;
  TestClient writer(server);
  TestClient other(server);
  CHECK(writer.create("/a") == ErrorCode::ok);
  writer.send(OpCode::set_data, jute::SetDataRequest{"/a", std::string("new"), -1});
  writer.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
  CHECK_FALSE(writer.has_reply());
  other.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
  CHECK(other.data_of(other.take()) == "data");
  server.sync();
  CHECK(writer.take().xid == writer.xid - 1);
  CHECK(writer.data_of(writer.take()) == "new");
}

TEST_CASE("a read between two writes sees the first and not the second") {
  TestServer server;
  TestClient client(server);
  CHECK(client.create("/a") == ErrorCode::ok);
  client.send(OpCode::set_data, jute::SetDataRequest{"/a", std::string("1"), -1});
  client.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
  client.send(OpCode::set_data, jute::SetDataRequest{"/a", std::string("2"), 1});
  client.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
  CHECK(server.batches.size() == 2);  // both are on their way at once
  server.sync();
  CHECK(client.take().err == ErrorCode::ok);
  CHECK(client.data_of(client.take()) == "1");
  CHECK(client.take().err == ErrorCode::ok);
  CHECK(client.data_of(client.take()) == "2");
}

TEST_CASE("an event leaves before the reply that shows the change") {
  TestServer server;
  TestClient watcher(server);
  TestClient writer(server);
  CHECK(writer.create("/a") == ErrorCode::ok);
  CHECK(watcher.get("/a", true).err == ErrorCode::ok);
  writer.send(OpCode::set_data, jute::SetDataRequest{"/a", std::string("new"), -1});
  watcher.send(OpCode::create, jute::CreateRequest{"/b", std::nullopt, jute::open_acl(), 0});
  watcher.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
  server.sync();
  CHECK(watcher.take_event() == "NodeDataChanged /a");
  CHECK(watcher.take().err == ErrorCode::ok);
  CHECK(watcher.data_of(watcher.take()) == "new");
}

TEST_CASE("what was asked before the session's end is answered, what comes behind it is not") {
  TestServer server;
  TestClient client(server);
  client.send(OpCode::create, jute::CreateRequest{"/a", std::string("1"), jute::open_acl(), 0});
  client.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
  const std::int32_t last = client.send_raw(OpCode::close_session, "");
  client.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
  server.sync();
  CHECK(client.take().err == ErrorCode::ok);
  CHECK(client.data_of(client.take()) == "1");
  CHECK(client.take().xid == last);
  CHECK_FALSE(client.has_reply());
  CHECK(server.is_closed(client.link));
}

TEST_CASE("a write that does not parse fails in its turn and uses no transaction") {
  TestServer server;
  TestClient client(server);
  const std::int64_t before = server.tree.last_zxid().value;
  client.send(OpCode::create, jute::CreateRequest{"/a", std::nullopt, jute::open_acl(), 0});
  client.send_raw(OpCode::set_data, "\x7f");
  server.sync();
  CHECK(client.take().err == ErrorCode::ok);
  CHECK(client.take().err == ErrorCode::marshalling_error);
  CHECK(server.tree.last_zxid().value == before + 1);
}

TEST_CASE("unknown and internal operations get UNIMPLEMENTED with zxid -1, and the end") {
  for (const int type : {99, 13, 20, -10, -1, 0}) {
    TestServer server;
    TestClient client(server);
    client.send_raw(static_cast<OpCode>(type), "");
    const Reply reply = client.take();
    CHECK(reply.zxid == -1);
    CHECK(reply.err == ErrorCode::unimplemented);
    CHECK(server.is_closed(client.link));
  }
}

TEST_CASE("a client that pipelines without end is choked and resumed") {
  TestServer server;
  TestClient client(server);
  CHECK(client.create("/a") == ErrorCode::ok);
  client.send(OpCode::set_data, jute::SetDataRequest{"/a", std::string("x"), -1});
  int sent = 0;
  server.resumed.clear();
  while (!server.core.is_choked(client.link) && sent < 100'000) {
    client.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
    ++sent;
  }
  CHECK(sent < 100'000);
  CHECK(server.resumed.empty());
  server.sync();
  CHECK(server.resumed == std::vector<LinkId>{client.link});
  for (int i = 0; i < sent + 1; ++i) client.take();
}

TEST_CASE("replies that nobody reads stop the answers to what waits") {
  TestServer server;
  TestClient client(server);
  CHECK(client.create("/a") == ErrorCode::ok);
  CHECK(client.set("/a", std::string(500'000, 'x')) == ErrorCode::ok);
  client.send(OpCode::set_data, jute::SetDataRequest{"/b", std::nullopt, -1});
  for (int i = 0; i < 100; ++i) client.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
  server.sync();
  CHECK(client.output().size() < 2'000'000);
  CHECK(client.take().err == ErrorCode::no_node);
  int taken = 0;
  for (; taken < 100; ++taken) {
    if (!client.has_reply()) server.core.on_output_drained(client.link, server.now());
    CHECK(client.take().err == ErrorCode::ok);
  }
  CHECK_FALSE(client.has_reply());
}

TEST_CASE("replies that nobody reads keep their order when writes are among them") {
  TestServer server;
  TestClient client(server);
  CHECK(client.create("/a") == ErrorCode::ok);
  CHECK(client.set("/a", std::string(500'000, 'x')) == ErrorCode::ok);
  const std::int32_t before = client.xid;
  client.send(OpCode::set_data, jute::SetDataRequest{"/none", std::nullopt, -1});
  for (int i = 0; i < 10; ++i) client.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
  client.send(OpCode::set_data, jute::SetDataRequest{"/none", std::nullopt, -1});
  client.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
  server.sync();
  client.send(OpCode::remove, jute::DeleteRequest{"/none", -1});
  client.send_raw(OpCode::set_data, "\x7f");
  client.send(OpCode::exists, jute::PathWatchRequest{"/a", false});
  for (std::int32_t xid = before + 1; xid <= client.xid; ++xid) {
    if (!client.has_reply()) server.core.on_output_drained(client.link, server.now());
    server.settle();
    server.sync();
    CHECK(client.take().xid == xid);
  }
  CHECK_FALSE(client.has_reply());
}

TEST_CASE("frames that came before the session was there are answered in order") {
  TestServer server;
  TestClient client(server, false);
  client.connect();
  client.send(OpCode::create, jute::CreateRequest{"/a", std::string("1"), jute::open_acl(), 0});
  client.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
  client.send_raw(OpCode::set_data, "\x7f");
  client.send(OpCode::set_data, jute::SetDataRequest{"/a", std::string("2"), -1});
  client.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
  server.sync();
  client.take_connect();
  CHECK(client.take().err == ErrorCode::ok);
  CHECK(client.data_of(client.take()) == "1");
  CHECK(client.take().err == ErrorCode::marshalling_error);
  CHECK(client.take().err == ErrorCode::ok);
  CHECK(client.data_of(client.take()) == "2");
}

TEST_CASE("a multiRead that would answer with gigabytes fails") {
  TestServer server;
  TestClient client(server);
  CHECK(client.create("/a") == ErrorCode::ok);
  CHECK(client.set("/a", std::string(500'000, 'x')) == ErrorCode::ok);
  std::string body;
  bytes::Writer writer(body);
  for (int i = 0; i < 1000; ++i) {
    writer.i32(static_cast<std::int32_t>(OpCode::get_data));
    writer.boolean(false);
    writer.i32(-1);
    writer.bytes(jute::encoded(jute::PathWatchRequest{"/a", false}));
  }
  writer.i32(-1);
  writer.boolean(true);
  writer.i32(-1);
  client.send_raw(OpCode::multi_read, body);
  const Reply reply = client.take();
  CHECK(reply.err == ErrorCode::marshalling_error);
  CHECK(reply.body.empty());
}

TEST_CASE("without space for the log writes fail, reads go on and no session expires") {
  TestServer server;
  TestClient client(server);
  CHECK(client.create("/a") == ErrorCode::ok);
  client.send(OpCode::set_data, jute::SetDataRequest{"/a", std::string("lost"), -1});
  client.send(OpCode::get_data, jute::PathWatchRequest{"/a", false});
  TestClient late(server, false);
  late.connect();
  const std::int64_t before = server.tree.last_zxid().value;
  server.batches.clear();
  server.core.on_log_full(server.now());
  server.settle();
  CHECK(client.take().err == ErrorCode::system_error);
  CHECK(client.data_of(client.take()) == "data");
  CHECK(server.is_closed(late.link));
  CHECK(server.sessions.size() == 1);
  client.send(OpCode::remove, jute::DeleteRequest{"/a", -1});
  CHECK(client.take().err == ErrorCode::system_error);
  server.advance(100'000);
  CHECK(server.batches.empty());
  server.core.on_log_space(server.now());
  server.advance(1);
  CHECK(client.set("/a", "again", 0) == ErrorCode::ok);  // the version of what was lost does not count
  CHECK(server.tree.last_zxid().value == before + 1);
}

}  // namespace tandem::coord::pipeline
