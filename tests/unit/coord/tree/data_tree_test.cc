#include "coord/tree/data_tree.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/random.h"
#include "coord/tree/path.h"
#include "coord/tree/snapshot_view.h"
#include "tests/unit/coord/tree/tree_testing.h"

namespace tandem::coord::tree {

using jute::ErrorCode;
using jute::OpCode;

namespace {

// The digest from scratch, over what a snapshot would hold.
std::uint64_t counted_digest(DataTree& tree) {
  std::uint64_t digest = 0;
  SnapshotView view(tree);
  for (SnapshotNode node; view.next(node);)
    digest += DataTree::node_digest(node.path, DataTree::content_crc_of(node.path, node.data), node.stat);
  return digest;
}

}  // namespace

TEST_CASE("a fresh tree has Apache's five names and shows cversion -1 at the root") {
  TestTree t;
  CHECK(t.tree.node_count() == 5);
  CHECK(t.stat("/").cversion == -1);
  CHECK(t.stat("/").num_children == 1);
  CHECK(t.stat("/zookeeper").cversion == -2);
  CHECK(t.stat("/zookeeper/config").aversion == -1);
  CHECK(t.tree.acls().list(t.tree.acl(t.tree.find("/zookeeper/config")))[0].perms == jute::perm::kRead);
  CHECK(t.tree.digest() == counted_digest(t.tree));
  CHECK(t.tree.find("") == t.tree.find("/"));
  CHECK(t.tree.find("/zookeeper/") == kNoNode);
  CHECK(t.tree.find("zookeeper") == kNoNode);
  CHECK(t.tree.find("//zookeeper") == kNoNode);
}

TEST_CASE("stored cversion counts creations and clients see creations and deletions") {
  TestTree t;
  for (const char* path : {"/a", "/b", "/c", "/d"}) CHECK(t.create(path) == ErrorCode::ok);
  CHECK(t.stat("/").num_children == 5);
  CHECK(t.stat("/").cversion == 3);  // 4 * 2 - 5
  CHECK(t.stat("/").pzxid == jute::Zxid(4));
  CHECK(t.remove("/b") == ErrorCode::ok);
  CHECK(t.stat("/").cversion == 4);
  CHECK(t.stat("/").pzxid == jute::Zxid(5));
  CHECK(t.remove("/b") == ErrorCode::no_node);
  CHECK(t.create("/nope/x") == ErrorCode::no_node);
  CHECK(t.create("/a") == ErrorCode::node_exists);
}

TEST_CASE("data of any size is kept, null apart from empty") {
  TestTree t;
  CHECK(t.create("/a", "x") == ErrorCode::ok);
  const NodeId id = t.tree.find("/a");
  for (const std::size_t size : {0, 1, 7, 200, 600, 5000, 16000, 16384, 70000, 1'000'000, 3}) {
    const std::string data(size, static_cast<char>('a' + size % 26));
    CHECK(t.set("/a", data, 1) == ErrorCode::ok);
    CHECK(t.tree.data(id) == std::string_view(data));
    CHECK(t.tree.path(id) == "/a");
    CHECK(t.create("/a/child" + std::to_string(size)) == ErrorCode::ok);
  }
  CHECK(t.run(records::SetDataTxn{"/a", std::nullopt, 2}, OpCode::set_data) == ErrorCode::ok);
  CHECK_FALSE(t.tree.data(id).has_value());
  CHECK(t.tree.digest() == counted_digest(t.tree));
}

TEST_CASE("closing a session deletes the listed nodes and whatever else it owns") {
  TestTree t;
  CHECK(t.create("/e1", "", 0x99) == ErrorCode::ok);
  CHECK(t.create("/e2", "", 0x99) == ErrorCode::ok);
  CHECK(t.create("/other", "", 0x98) == ErrorCode::ok);
  CHECK(t.tree.ephemerals(jute::SessionId(0x99)) == std::vector<std::string>{"/e1", "/e2"});
  CHECK(t.stat("/e1").ephemeral_owner == 0x99);
  CHECK(t.run(records::CloseSessionTxn{{"/e1"}, true}, OpCode::close_session, 0x99) == ErrorCode::ok);
  CHECK(t.tree.find("/e1") == kNoNode);
  CHECK(t.tree.find("/e2") == kNoNode);
  CHECK(t.tree.find("/other") != kNoNode);
  CHECK(t.tree.owners().ephemerals() == 1);
  CHECK(t.tree.digest() == counted_digest(t.tree));
}

TEST_CASE("container and TTL nodes are candidates and hide their owner") {
  TestTree t;
  records::CreateContainerTxn container{"/c", std::string(), jute::open_acl(), 1};
  CHECK(t.run(container, OpCode::create_container) == ErrorCode::ok);
  records::CreateTTLTxn ttl{"/t", std::string(), jute::open_acl(), 2, 5000};
  CHECK(t.run(ttl, OpCode::create_ttl) == ErrorCode::ok);
  CHECK(t.stat("/c").ephemeral_owner == 0);
  CHECK(t.stat("/t").ephemeral_owner == 0);
  CHECK(t.tree.owners().containers() == std::vector<NodeId>{t.tree.find("/c")});
  CHECK(t.tree.owners().ttls() == std::vector<NodeId>{t.tree.find("/t")});
  CHECK(ttl_of_owner(t.tree.persisted_stat(t.tree.find("/t")).ephemeral_owner) == 5000);
  CHECK(t.remove("/t") == ErrorCode::ok);
  CHECK(t.tree.owners().ttls().empty());
}

TEST_CASE("quota statistics follow creations, changes and deletions") {
  TestTree t;
  for (const char* path : {"/q", "/q/a", "/zookeeper/quota/q"})
    CHECK(t.create(path, "12345") == ErrorCode::ok);
  CHECK(t.create("/zookeeper/quota/q/zookeeper_limits", "count=5,bytes=100") == ErrorCode::ok);
  CHECK(t.create("/zookeeper/quota/q/zookeeper_stats", "count=0,bytes=0") == ErrorCode::ok);
  const NodeId stats = t.tree.find("/zookeeper/quota/q/zookeeper_stats");
  CHECK(t.tree.data(stats) == "count=2,bytes=10");
  CHECK(t.create("/q/b", "123") == ErrorCode::ok);
  CHECK(t.tree.data(stats) == "count=3,bytes=13");
  CHECK(t.set("/q/b", "1", 1) == ErrorCode::ok);
  CHECK(t.tree.data(stats) == "count=3,bytes=11");
  CHECK(t.remove("/q/b") == ErrorCode::ok);
  CHECK(t.tree.data(stats) == "count=2,bytes=10");
  CHECK(t.create("/qq", "123") == ErrorCode::ok);
  CHECK(t.tree.data(stats) == "count=2,bytes=10");
  CHECK(t.tree.digest() == counted_digest(t.tree));
}

TEST_CASE("a failed multi is reported as OK before, the error, inconsistency behind") {
  TestTree t;
  records::MultiTxn multi;
  multi.txns.push_back({OpCode::error, records::encoded_body(records::ErrorTxn{0})});
  multi.txns.push_back({OpCode::error, records::encoded_body(records::ErrorTxn{-101})});
  multi.txns.push_back({OpCode::error, records::encoded_body(records::ErrorTxn{-2})});
  CHECK(t.run(multi, OpCode::multi) == ErrorCode::no_node);
  REQUIRE(t.result.multi.size() == 3);
  CHECK(t.result.multi[0].err == ErrorCode::ok);
  CHECK(t.result.multi[1].err == ErrorCode::no_node);
  CHECK(t.result.multi[2].err == ErrorCode::runtime_inconsistency);
}

TEST_CASE("truncated payloads are errors and change nothing") {
  TestTree t;
  records::CreateTxn txn{"/a", std::string("data"), jute::open_acl(), false, 1};
  const std::string whole = payload_of(1, txn, OpCode::create2);
  const std::uint64_t before = t.tree.digest();
  for (std::size_t size = 0; size < whole.size() - 4; ++size) {
    CHECK_FALSE(t.tree.apply(whole.substr(0, size), nullptr, t.result).has_value());
    CHECK(t.tree.digest() == before);
  }
}

}  // namespace tandem::coord::tree
