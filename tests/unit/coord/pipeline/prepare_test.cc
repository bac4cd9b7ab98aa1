#include "tests/unit/coord/pipeline/pipeline_testing.h"

namespace tandem::coord::pipeline {

using jute::ACL;
using jute::ErrorCode;
using jute::OpCode;

namespace {

PipelineOptions with_quota() {
  PipelineOptions options;
  options.prepare.enforce_quota = true;
  return options;
}

std::string multi_of(const std::vector<std::pair<OpCode, std::string>>& ops) {
  std::string out;
  bytes::Writer writer(out);
  for (const auto& [type, body] : ops) {
    writer.i32(static_cast<std::int32_t>(type));
    writer.boolean(false);
    writer.i32(-1);
    writer.bytes(body);
  }
  writer.i32(-1);
  writer.boolean(true);
  writer.i32(-1);
  return out;
}

template <class Record>
std::pair<OpCode, std::string> op(OpCode type, const Record& record) {
  return {type, jute::encoded(record)};
}

std::vector<std::int32_t> multi_errors(const Reply& reply) {
  std::vector<std::int32_t> errors;
  bytes::Reader reader(reply.body);
  for (;;) {
    reader.i32();
    if (reader.boolean()) return errors;
    const std::int32_t err = reader.i32();
    CHECK(reader.i32() == err);
    errors.push_back(err);
  }
}

}  // namespace

TEST_CASE("create is refused by the first rule it breaks, in Apache's order") {
  TestServer server;
  TestClient client(server);
  const std::vector<ACL> nobody{{jute::perm::kRead, {"world", "anyone"}}};
  CHECK(client.create("/closed", 0, nobody) == ErrorCode::ok);
  CHECK(client.create("/eph", 1) == ErrorCode::ok);
  struct Row {
    const char* path;
    std::int32_t flags;
    std::vector<ACL> acl;
    ErrorCode err;
  };
  const std::vector<ACL> open = jute::open_acl();
  const Row rows[] = {
      {"no-slash", 7, {}, ErrorCode::bad_arguments},   // flags before all
      {"no-slash", 5, {}, ErrorCode::bad_arguments},   // a TTL mode without a TTL
      {"no-slash", 0, {}, ErrorCode::bad_arguments},   // path before ACL
      {"/a/b", 0, {}, ErrorCode::invalid_acl},         // ACL before parent
      {"/a//b", 0, open, ErrorCode::no_node},          // parent before the rest of the path
      {"/closed/b\x01", 0, open, ErrorCode::no_auth},  // permission before the rest of the path
      {"/b\x01", 0, open, ErrorCode::bad_arguments},   // path before existence
      {"/", 0, open, ErrorCode::node_exists},          //
      {"/eph", 0, open, ErrorCode::node_exists},       //
      {"/eph/x", 0, open, ErrorCode::no_children_for_ephemerals},
      {"/x/", 0, open, ErrorCode::no_node},
      {"/zookeeper/x", 0, open, ErrorCode::ok},
      {"/seq-", 2, open, ErrorCode::ok},
      {"/seq/", 2, open, ErrorCode::no_node},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path);
    const std::int64_t before = server.tree.last_zxid().value;
    CHECK(client.create(row.path, row.flags, row.acl) == row.err);
    CHECK(server.tree.last_zxid().value == before + 1);  // errors use up a zxid too
  }
  CHECK(server.tree.find("/seq-0000000002") != tree::kNoNode);
  CHECK(server.core.digest_mismatches() == 0);
}

TEST_CASE("delete, setData, setACL and check are refused in Apache's order") {
  TestServer server;
  TestClient client(server);
  const std::vector<ACL> read_only{{jute::perm::kRead, {"world", "anyone"}}};
  CHECK(client.create("/p") == ErrorCode::ok);
  CHECK(client.create("/p/c", 0, read_only) == ErrorCode::ok);
  CHECK(client.create("/q", 0, {{jute::perm::kRead | jute::perm::kCreate, {"world", "anyone"}}}) ==
        ErrorCode::ok);
  CHECK(client.create("/q/c") == ErrorCode::ok);
  CHECK(client.remove("p") == ErrorCode::bad_arguments);
  for (const char* special : {"/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"})
    CHECK(client.remove(special) == ErrorCode::bad_arguments);
  CHECK(client.remove("/none/c") == ErrorCode::no_node);
  CHECK(client.remove("/q/none") == ErrorCode::no_auth);  // the parent's permission before existence
  CHECK(client.remove("/p", 3) == ErrorCode::bad_version);
  CHECK(client.remove("/p") == ErrorCode::not_empty);
  CHECK(client.remove("/p/c") == ErrorCode::ok);  // its own ACL says nothing about deletion
  CHECK(client.set("/p/", "x") == ErrorCode::bad_arguments);
  CHECK(client.set("/none", "x") == ErrorCode::no_node);
  CHECK(client.set("/q", "x", 9) == ErrorCode::no_auth);
  CHECK(client.set("/p", "x", 9) == ErrorCode::bad_version);
  CHECK(client.set("/p", "x", 0) == ErrorCode::ok);
  const auto set_acl = [&](const std::string& path, const std::vector<ACL>& acl, std::int32_t version) {
    return client.call(OpCode::set_acl, jute::SetACLRequest{path, acl, version}).err;
  };
  CHECK(set_acl("/none", {}, -1) == ErrorCode::invalid_acl);
  CHECK(set_acl("/none", jute::open_acl(), -1) == ErrorCode::no_node);
  CHECK(set_acl("/q", jute::open_acl(), -1) == ErrorCode::no_auth);
  CHECK(set_acl("/p", jute::open_acl(), 4) == ErrorCode::bad_version);
  CHECK(set_acl("/p", read_only, 0) == ErrorCode::ok);
  CHECK(set_acl("/p", read_only, -1) == ErrorCode::no_auth);
  jute::ReconfigRequest reconfig;
  CHECK(client.call(OpCode::reconfig, reconfig).err == ErrorCode::reconfig_disabled);
  CHECK(server.core.digest_mismatches() == 0);
}

TEST_CASE("a request is judged by what was proposed before it, durable or not") {
  TestServer server;
  TestClient client(server);
  client.send(OpCode::create, jute::CreateRequest{"/a", std::nullopt, jute::open_acl(), 0});
  client.send(OpCode::create, jute::CreateRequest{"/a/b", std::nullopt, jute::open_acl(), 0});
  client.send(OpCode::remove, jute::DeleteRequest{"/a", -1});
  client.send(OpCode::create, jute::CreateRequest{"/a/s", std::nullopt, jute::open_acl(), 2});
  client.send(OpCode::set_data, jute::SetDataRequest{"/a", std::string("x"), 0});
  client.send(OpCode::set_data, jute::SetDataRequest{"/a", std::string("y"), 0});
  client.send(OpCode::set_acl, jute::SetACLRequest{"/a", {{jute::perm::kRead, {"world", "anyone"}}}, -1});
  client.send(OpCode::set_data, jute::SetDataRequest{"/a", std::string("z"), -1});
  server.sync();
  const ErrorCode expected[] = {ErrorCode::ok, ErrorCode::ok,     ErrorCode::not_empty,
                                ErrorCode::ok, ErrorCode::ok,     ErrorCode::bad_version,
                                ErrorCode::ok, ErrorCode::no_auth};
  for (const ErrorCode err : expected) CHECK(client.take().err == err);
  CHECK(server.tree.find("/a/s0000000001") != tree::kNoNode);
  CHECK(server.core.digest_mismatches() == 0);
}

TEST_CASE("a multi that fails changes nothing, not even for what is judged after it") {
  TestServer server;
  TestClient client(server);
  CHECK(client.create("/a") == ErrorCode::ok);
  const std::string failing =
      multi_of({op(OpCode::create, jute::CreateRequest{"/m", std::nullopt, jute::open_acl(), 0}),
                op(OpCode::set_data, jute::SetDataRequest{"/a", std::string("m"), 0}),
                op(OpCode::check, jute::CheckVersionRequest{"/a", 0}),
                op(OpCode::remove, jute::DeleteRequest{"/a", -1})});
  client.send(OpCode::set_data, jute::SetDataRequest{"/a", std::string("before"), 0});
  client.send_raw(OpCode::multi, failing);
  client.send(OpCode::set_data, jute::SetDataRequest{"/a", std::string("after"), 1});
  client.send(OpCode::create, jute::CreateRequest{"/m", std::nullopt, jute::open_acl(), 0});
  server.sync();
  CHECK(client.take().err == ErrorCode::ok);
  const Reply multi = client.take();
  CHECK(multi.err == ErrorCode::ok);  // its errors are inside
  CHECK(multi_errors(multi) == std::vector<std::int32_t>{0, -103, -2, -2});
  CHECK(client.take().err == ErrorCode::ok);
  CHECK(client.take().err == ErrorCode::ok);
  CHECK(server.core.digest_mismatches() == 0);
}

TEST_CASE("a multi sees its own operations") {
  TestServer server;
  TestClient client(server);
  const std::string whole =
      multi_of({op(OpCode::create, jute::CreateRequest{"/m", std::nullopt, jute::open_acl(), 0}),
                op(OpCode::create2, jute::CreateRequest{"/m/e", std::nullopt, jute::open_acl(), 1}),
                op(OpCode::set_data, jute::SetDataRequest{"/m", std::string("x"), 0}),
                op(OpCode::check, jute::CheckVersionRequest{"/m", 1}),
                op(OpCode::remove, jute::DeleteRequest{"/m/e", 0})});
  client.send_raw(OpCode::multi, whole);
  server.sync();
  CHECK(client.take().err == ErrorCode::ok);
  CHECK(server.tree.stat(server.tree.find("/m")).version == 1);
  CHECK(server.tree.child_count(server.tree.find("/m")) == 0);
  CHECK(server.tree.owners().ephemerals() == 0);
  client.send_raw(OpCode::multi, multi_of({op(OpCode::get_data, jute::PathWatchRequest{"/m", false})}));
  server.sync();
  CHECK(client.take().err == ErrorCode::marshalling_error);
  CHECK(server.core.digest_mismatches() == 0);
}

TEST_CASE("hard quotas refuse, soft ones do not") {
  TestServer server(with_quota());
  TestClient client(server);
  for (const char* path : {"/q", "/zookeeper/quota/q"}) CHECK(client.create(path) == ErrorCode::ok);
  const auto put = [&](const std::string& name, const std::string& text) {
    const std::string path = "/zookeeper/quota/q/" + name;
    return client.call(OpCode::create, jute::CreateRequest{path, text, jute::open_acl(), 0}).err;
  };
  CHECK(put("zookeeper_limits", "count=1,bytes=1=;byteHardLimit=20;countHardLimit=3") == ErrorCode::ok);
  CHECK(put("zookeeper_stats", "count=0,bytes=0") == ErrorCode::ok);
  CHECK(client.create("/q/a") == ErrorCode::ok);
  CHECK(client.create("/q/b") == ErrorCode::ok);
  CHECK(client.create("/q/c") == ErrorCode::quota_exceeded);
  CHECK(client.set("/q/a", std::string(30, 'x')) == ErrorCode::quota_exceeded);
  CHECK(client.set("/q/a", "xx") == ErrorCode::ok);
  CHECK(client.create("/other") == ErrorCode::ok);
}

TEST_CASE("no session owns more ephemerals than the transaction of its end can list") {
  PipelineOptions options;
  options.prepare.txn_bytes_max = 2000;
  TestServer server(options);
  TestClient client(server);
  int made = 0;
  while (client.create("/e" + std::string(100, 'e') + std::to_string(made), 1) == ErrorCode::ok) ++made;
  CHECK(made == 18);
  CHECK(client.create("/plain" + std::string(100, 'p')) == ErrorCode::ok);
  CHECK(client.create("/large" + std::string(2000, 'p')) == ErrorCode::marshalling_error);
  client.send_raw(OpCode::close_session, "");
  server.sync();
  CHECK(server.tree.owners().ephemerals() == 0);
  for (const auto& batch : server.log)
    batch->for_each([](std::string_view payload) { CHECK(payload.size() <= 2000 + 12); });
}

TEST_CASE("random clients leave log and tree in agreement") {
  base::Random random(17);
  TestServer server;
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(std::make_unique<TestClient>(server));
  const auto path = [&] {
    std::string out;
    for (std::uint64_t depth = 1 + random.below(3); depth > 0; --depth)
      out += "/" + std::string(1, static_cast<char>('a' + random.below(4)));
    return out;
  };
  for (int i = 0; i < 4000; ++i) {
    TestClient& client = *clients[random.below(clients.size())];
    const auto flags = static_cast<std::int32_t>(random.below(4));
    const auto version = static_cast<std::int32_t>(random.below(3)) - 1;
    switch (random.below(5)) {
      case 0:
      case 1:
        client.send(OpCode::create2, jute::CreateRequest{path(), std::string("d"), jute::open_acl(), flags});
        break;
      case 2:
        client.send(OpCode::remove, jute::DeleteRequest{path(), version});
        break;
      case 3:
        client.send(OpCode::set_data, jute::SetDataRequest{path(), std::string("s"), version});
        break;
      default:
        client.send_raw(
            OpCode::multi,
            multi_of({op(OpCode::create, jute::CreateRequest{path(), std::nullopt, jute::open_acl(), 2}),
                      op(OpCode::remove, jute::DeleteRequest{path(), -1})}));
    }
    if (random.chance(0.2)) server.sync();
  }
  server.sync();
  CHECK(server.core.digest_mismatches() == 0);
  tree::DataTree replayed(server.tree.options());
  tree::ApplyResult result;
  for (const auto& batch : server.log) {
    batch->for_each([&](std::string_view payload) {
      REQUIRE(replayed.apply(payload, nullptr, result).has_value());
      CHECK_FALSE(result.digest_mismatch);
    });
  }
  CHECK(replayed.digest() == server.tree.digest());
  CHECK(replayed.node_count() == server.tree.node_count());
}

}  // namespace tandem::coord::pipeline
