// The property that disk and replication rest on: whatever a snapshot catches of a tree that changes while it
// is read, replaying the transactions from its zxid on gives the tree that the transactions gave; twice too.
#include <doctest/doctest.h>

#include <memory>

#include "base/random.h"
#include "coord/tree/snapshot_view.h"
#include "jute/codec.h"
#include "tests/unit/coord/tree/tree_testing.h"

namespace tandem::coord::tree {

using jute::OpCode;

namespace {

std::unique_ptr<DataTree> fresh_tree() {
  return std::make_unique<DataTree>(TreeOptions{.extended_types = true, .digest = true, .hash_seed = 3});
}

// Transactions as a leader makes them: judged against the tree, so that they apply.
class Writer {
 public:
  Writer(DataTree& tree, base::Random& random) : tree_(tree), random_(random) {}

  std::string next() {
    ++zxid_;
    for (;;) {
      if (auto body = attempt()) {
        std::string payload = payload_of(zxid_, std::move(body->body), body->type, body->session);
        ApplyResult result;
        REQUIRE(tree_.apply(payload, nullptr, result).has_value());
        CHECK(result.op.err == jute::ErrorCode::ok);
        return payload;
      }
    }
  }
  std::int64_t zxid() const { return zxid_; }

 private:
  struct Made {
    OpCode type;
    records::Txn body;
    std::int64_t session;
  };

  std::string random_path() {
    std::string path;
    const auto depth = 1 + random_.below(3);
    for (std::uint64_t i = 0; i < depth; ++i)
      path += "/" + std::string(1, static_cast<char>('a' + random_.below(5)));
    return path;
  }
  std::vector<jute::ACL> random_acl() {
    return {jute::ACL{static_cast<std::int32_t>(random_.below(32)), {"world", "anyone"}}};
  }
  std::int32_t next_cversion(const std::string& path) {
    const NodeId parent = tree_.find(path.substr(0, path.rfind('/')));
    return tree_.persisted_stat(parent).cversion + 1;
  }

  std::optional<Made> create(const std::string& path, std::int64_t session) {
    const NodeId parent = tree_.find(path.substr(0, path.rfind('/')));
    if (tree_.find(path) != kNoNode || parent == kNoNode ||
        tree_.owner_kind(tree_.persisted_stat(parent).ephemeral_owner) == OwnerKind::session)
      return std::nullopt;
    const std::string data(random_.below(300), static_cast<char>('a' + random_.below(26)));
    const std::int32_t cversion = next_cversion(path);
    if (random_.chance(0.1))
      return Made{OpCode::create_container, records::CreateContainerTxn{path, data, random_acl(), cversion},
                  session};
    const bool ephemeral = random_.chance(0.2);
    const OpCode type = random_.chance(0.5) ? OpCode::create : OpCode::create2;
    return Made{type, records::CreateTxn{path, data, random_acl(), ephemeral, cversion}, session};
  }

  std::optional<Made> attempt() {
    const std::string path = random_path();
    const NodeId node = tree_.find(path);
    const auto session = static_cast<std::int64_t>(0x100 + random_.below(4));
    switch (random_.below(8)) {
      case 0:
      case 1:
      case 2:
        return create(path, session);
      case 3:
        if (node == kNoNode || tree_.child_count(node) > 0) return std::nullopt;
        return Made{OpCode::remove, records::DeleteTxn{path}, session};
      case 4:
        if (node == kNoNode) return std::nullopt;
        return Made{OpCode::set_data,
                    records::SetDataTxn{path, std::string(random_.below(600), 'x'),
                                        tree_.persisted_stat(node).version + 1},
                    session};
      case 5:
        if (node == kNoNode) return std::nullopt;
        return Made{OpCode::set_acl,
                    records::SetACLTxn{path, random_acl(), tree_.persisted_stat(node).aversion + 1}, session};
      case 6:
        if (!random_.chance(0.2)) return std::nullopt;
        return Made{OpCode::close_session,
                    records::CloseSessionTxn{tree_.ephemerals(jute::SessionId(session)), true}, session};
      default: {
        auto made = create(path, session);
        if (!made) return std::nullopt;
        records::MultiTxn multi;
        multi.txns.push_back({made->type, records::encoded_body(made->body)});
        const std::int32_t version = 1;
        multi.txns.push_back(
            {OpCode::set_data, records::encoded_body(records::SetDataTxn{path, std::string("m"), version})});
        return Made{OpCode::multi, multi, session};
      }
    }
  }

  DataTree& tree_;
  base::Random& random_;
  std::int64_t zxid_ = 0;
};

struct Kept {
  std::string path;
  jute::Buffer data;
  std::int64_t acl_id;
  jute::StatPersisted stat;
};

struct Snapshot {
  jute::Zxid zxid;
  std::vector<std::pair<std::int64_t, std::vector<jute::ACL>>> acls;
  std::vector<Kept> nodes;
};

struct AclList {
  std::vector<jute::ACL> list;
  void describe(jute::Fields& f) { f("acl", list); }
};

std::unique_ptr<DataTree> load(const Snapshot& snapshot) {
  auto tree = fresh_tree();
  tree->begin_load();
  for (const auto& [id, acl] : snapshot.acls) tree->load_acl(id, acl);
  for (const Kept& node : snapshot.nodes)
    REQUIRE(tree->load_node(node.path, node.data, node.acl_id, node.stat).has_value());
  REQUIRE(tree->finish_load(snapshot.zxid).has_value());
  return tree;
}

void replay(DataTree& tree, const std::vector<std::string>& log, std::size_t from) {
  ApplyResult result;
  for (std::size_t i = from; i < log.size(); ++i) REQUIRE(tree.apply(log[i], nullptr, result).has_value());
}

// Everything of a tree but the numbers of its ACL lists, in order of paths.
std::map<std::string, std::string> dump(DataTree& tree) {
  std::map<std::string, std::string> out;
  SnapshotView view(tree);
  for (SnapshotNode node; view.next(node);) {
    std::string text = jute::encoded(node.stat);
    text += node.data ? std::string(*node.data) : "null";
    text += tree.acls().encoded(tree.acl(tree.find(node.path)));
    out[std::string(node.path)] = text;
  }
  return out;
}

void check_equal(DataTree& tree, DataTree& expected) {
  CHECK(tree.digest() == expected.digest());
  CHECK(tree.node_count() == expected.node_count());
  CHECK(tree.approximate_data_size() == expected.approximate_data_size());
  CHECK(tree.owners().ephemerals() == expected.owners().ephemerals());
  CHECK(tree.acls().size() == expected.acls().size());
  CHECK(dump(tree) == dump(expected));
}

}  // namespace

TEST_CASE("a fuzzy snapshot and its log give the tree, replayed once or twice") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    base::Random random(seed);
    auto tree = fresh_tree();
    Writer writer(*tree, random);
    std::vector<std::string> log;
    for (std::uint64_t i = random.below(200); i > 0; --i) log.push_back(writer.next());

    Snapshot snapshot;
    const std::size_t from = log.size();
    {
      SnapshotView view(*tree);
      snapshot.zxid = view.last_zxid();
      view.for_each_acl([&](std::int64_t id, std::string_view acl) {
        snapshot.acls.emplace_back(id, jute::decoded<AclList>(acl)->list);
      });
      for (SnapshotNode node; view.next(node);) {
        jute::Buffer data;
        if (node.data) data.emplace(*node.data);
        snapshot.nodes.push_back({std::string(node.path), data, node.acl_id, node.stat});
        while (random.chance(0.6)) log.push_back(writer.next());
      }
    }
    for (int i = 0; i < 20; ++i) log.push_back(writer.next());

    auto loaded = load(snapshot);
    replay(*loaded, log, from);
    check_equal(*loaded, *tree);
    replay(*loaded, log, from);  // a crash while replaying: from the start again
    CHECK(loaded->digest() == tree->digest());
  }
}

TEST_CASE("a snapshot visits every node that stays, parents first, while others come and go") {
  base::Random random(5);
  TestTree t;
  std::vector<std::string> stays;
  for (int i = 0; i < 300; ++i) {
    const std::string parent = stays.empty() || random.chance(0.2) ? "" : stays[random.below(stays.size())];
    stays.push_back(parent + "/n" + std::to_string(i));
    REQUIRE(t.create(stays.back()) == jute::ErrorCode::ok);
  }
  std::vector<std::string> passing;
  std::map<std::string, int> seen;
  SnapshotView view(t.tree);
  for (SnapshotNode node; view.next(node);) {
    const std::string path(node.path);
    ++seen[path];
    if (!path.empty()) CHECK(seen.contains(path.substr(0, path.rfind('/'))));
    for (int i = 0; i < 3; ++i) {
      if (!passing.empty() && random.chance(0.5)) {
        CHECK(t.remove(passing.back()) == jute::ErrorCode::ok);
        passing.pop_back();
      } else {
        passing.push_back(stays[random.below(stays.size())] + "/p" + std::to_string(t.zxid));
        CHECK(t.create(passing.back()) == jute::ErrorCode::ok);
      }
    }
  }
  for (const std::string& path : stays) CHECK(seen[path] == 1);
}

TEST_CASE("a snapshot with an orphan or a second root is refused") {
  const jute::StatPersisted stat;
  auto tree = fresh_tree();
  tree->begin_load();
  CHECK_FALSE(tree->load_node("/a", "", -1, stat).has_value());
  CHECK(tree->load_node("", "", -1, stat).has_value());
  CHECK_FALSE(tree->load_node("", "", -1, stat).has_value());
  CHECK(tree->load_node("/a", "", 77, stat).has_value());  // a list that is not there: nobody passes
  CHECK_FALSE(tree->load_node("/b/c", "", -1, stat).has_value());
  CHECK_FALSE(tree->load_node("/", "", -1, stat).has_value());
  CHECK(tree->finish_load(jute::Zxid(5)).has_value());
  CHECK(tree->last_zxid() == jute::Zxid(5));
  CHECK(tree->acls().list(tree->acl(tree->find("/a"))).at(0).perms == 0);
}

TEST_CASE("a snapshot with a node that comes twice is refused, at the end at the latest") {
  const jute::StatPersisted stat;
  auto tree = fresh_tree();
  tree->begin_load();
  CHECK(tree->load_node("", "", -1, stat).has_value());
  for (const char* path : {"/a", "/a/b", "/a/b/c", "/a/b2", "/d", "/a"})
    CHECK(tree->load_node(path, "", -1, stat).has_value());
  CHECK_FALSE(tree->finish_load(jute::Zxid(5)).has_value());

  tree->begin_load();
  CHECK(tree->load_node("", "", -1, stat).has_value());
  CHECK(tree->load_node("/a", "", -1, stat).has_value());
  bool refused = false;
  for (int i = 0; i < 100 && !refused; ++i)
    refused = !tree->load_node(i == 3 ? "/a" : "/n" + std::to_string(i), "", -1, stat).has_value();
  CHECK(refused);
}

TEST_CASE("a snapshot loads in any order in which parents come first") {
  const jute::StatPersisted stat;
  const std::vector<std::string> paths = {"/a",     "/b",   "/ab",    "/a/x",    "/b/x",  "/ab/x",   "/a/x/y",
                                          "/b/x/y", "/a/z", "/a/x/q", "/b/x/yy", "/b/xx", "/b/x/y/z"};
  auto tree = fresh_tree();
  tree->begin_load();
  tree->expect_nodes(1'000);
  CHECK(tree->load_node("", "", -1, stat).has_value());
  for (const std::string& path : paths) REQUIRE(tree->load_node(path, path, -1, stat).has_value());
  REQUIRE(tree->finish_load(jute::Zxid(5)).has_value());
  for (const std::string& path : paths) {
    REQUIRE(tree->find(path) != kNoNode);
    CHECK(tree->data(tree->find(path)) == path);
    CHECK(tree->path(tree->find(path)) == path);
  }
  CHECK(tree->node_count() == paths.size() + 2);
}

}  // namespace tandem::coord::tree
