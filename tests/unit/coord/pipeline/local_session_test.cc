#include "coord/session/password.h"
#include "tests/unit/coord/pipeline/ensemble_testing.h"

namespace tandem::coord::pipeline {

using jute::ErrorCode;
using jute::OpCode;

namespace {

PipelineOptions with_local_sessions(bool upgrading) {
  PipelineOptions options;
  options.local_sessions = true;
  options.local_sessions_upgrading = upgrading;
  return options;
}

}  // namespace

TEST_CASE("a local session needs no transaction, writes, and is known to its server alone") {
  TestEnsemble ensemble(2, with_local_sessions(true));
  const auto before = ensemble.leader().tree.last_zxid();
  TestClient client(ensemble.learner(1));
  TestClient at_leader(ensemble.leader());
  CHECK(ensemble.leader().tree.last_zxid() == before);
  CHECK(ensemble.learner(1).core.local_sessions().size() == 1);
  CHECK(client.create("/a") == ErrorCode::ok);
  CHECK(at_leader.set("/a", "x") == ErrorCode::ok);
  TestClient elsewhere(ensemble.learner(2), false);
  elsewhere.connect(client.session, client.password);
  ensemble.settle();
  CHECK(elsewhere.take_connect().timeout_ms == 0);
  TestClient again(ensemble.learner(1), false);
  again.connect(client.session, client.password);
  CHECK(again.take_connect().session_id == client.session);
  again.send_raw(OpCode::close_session, "");
  CHECK(again.take().err == ErrorCode::ok);
  CHECK(ensemble.learner(1).is_closed(again.link));
  CHECK(ensemble.learner(1).core.local_sessions().size() == 0);
  CHECK(ensemble.leader().tree.last_zxid() == records::make_zxid(1, 2));
}

TEST_CASE("an ephemeral makes a local session the ensemble's, on a learner and on the leader") {
  TestEnsemble ensemble(2, with_local_sessions(true));
  for (TestServer* server : {&ensemble.learner(1), &ensemble.leader()}) {
    TestClient client(*server);
    client.send(OpCode::create, jute::CreateRequest{"/e", std::nullopt, jute::open_acl(), 3});
    client.send(OpCode::exists, jute::PathWatchRequest{"/e0000000000", false});
    ensemble.settle();
    CHECK(client.take().err == ErrorCode::ok);
    client.take();
    CHECK(server->core.local_sessions().size() == 0);
    TestClient elsewhere(ensemble.learner(2), false);
    elsewhere.connect(client.session, client.password);
    ensemble.settle();
    CHECK(elsewhere.take_connect().session_id == client.session);
    elsewhere.send_raw(OpCode::close_session, "");
    ensemble.settle();
  }
  CHECK(ensemble.leader().tree.owners().ephemerals() == 0);
  CHECK(ensemble.leader().sessions.size() == 0);
  ensemble.check_equal();
}

TEST_CASE("without upgrading an ephemeral is refused in its turn") {
  TestEnsemble ensemble(1, with_local_sessions(false));
  TestClient client(ensemble.learner(1));
  client.send(OpCode::create, jute::CreateRequest{"/a", std::nullopt, jute::open_acl(), 0});
  client.send(OpCode::create, jute::CreateRequest{"/e", std::nullopt, jute::open_acl(), 1});
  ensemble.settle();
  CHECK(client.take().err == ErrorCode::ok);
  CHECK(client.take().err == ErrorCode::ephemeral_on_local_session);
}

TEST_CASE("a local session expires on its own server") {
  TestEnsemble ensemble(1, with_local_sessions(true));
  TestClient client(ensemble.learner(1));
  for (int i = 0; i < 12; ++i) ensemble.advance(1000);
  CHECK(ensemble.learner(1).is_closed(client.link));
  CHECK(ensemble.learner(1).core.local_sessions().size() == 0);
}

TEST_CASE("a read-only server answers reads of clients that agree to it, and nothing else") {
  PipelineOptions options;
  options.role = Role::read_only;
  TestServer server(options);
  server.sessions.commit(jute::SessionId(77), 10'000);
  TestClient refused(server, false);
  refused.connect();
  CHECK(server.is_closed(refused.link));
  TestClient client(server, false);
  client.read_only = true;
  client.connect();
  const jute::ConnectResponse response = client.take_connect();
  CHECK(response.read_only);
  CHECK(response.timeout_ms == 10'000);
  client.send(OpCode::get_children, jute::PathWatchRequest{"/", true});
  CHECK(client.take().err == ErrorCode::ok);
  CHECK(client.create("/a") == ErrorCode::not_read_only);
  client.send_raw(OpCode::sync, std::string("\0\0\0\1/", 5));
  CHECK(client.take().err == ErrorCode::not_read_only);
  client.send_raw(OpCode::multi, "");
  CHECK(client.take().err == ErrorCode::not_read_only);
  TestClient global(server, false);
  global.read_only = true;
  const session::Password password = session::password_of(jute::SessionId(77));
  global.connect(jute::SessionId(77), std::string(password.data(), password.size()));
  CHECK(server.is_closed(global.link));
  CHECK_FALSE(global.has_reply());
  client.send_raw(OpCode::close_session, "");
  CHECK(client.take().err == ErrorCode::ok);
  CHECK(server.is_closed(client.link));
  CHECK(server.batches.empty());
}

}  // namespace tandem::coord::pipeline
