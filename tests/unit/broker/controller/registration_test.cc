#include "broker/controller/registration.h"

#include <doctest/doctest.h>

#include "broker/zk/controller.h"
#include "broker/zk/paths.h"
#include "fake_tree.h"

using namespace tandem::broker;
using namespace tandem::broker::controller;
using tandem::base::Random;
using tandem::base::WallTime;
using tandem::broker::test::FakeTree;

namespace {

// Performs what the core asks for until it has nothing more to do; gives its outcome as text.
std::string settle(Registration& core, FakeTree& tree) {
  std::string outcome;
  for (bool more = true; more;) {
    more = false;
    for (auto& effect : core.take()) {
      if (auto* batch = std::get_if<ZkBatch>(&effect)) {
        core.on_results(batch->id, tree.perform(batch->ops));
        more = true;
      } else if (auto* prepared = std::get_if<Prepared>(&effect)) {
        outcome += "prepared " + std::to_string(prepared->broker_id);
      } else if (auto* enlisted = std::get_if<Enlisted>(&effect)) {
        outcome += "epoch " + std::to_string(enlisted->broker_epoch);
      } else if (auto* refused = std::get_if<Refused>(&effect)) {
        outcome += "refused: " + refused->reason;
      }
    }
  }
  return outcome;
}

zk::BrokerRegistration broker(int id, int port = 9092) {
  zk::BrokerRegistration out;
  out.id = id;
  out.endpoints = {{"PLAINTEXT", "h", port, zk::SecurityProtocol::plaintext}};
  return out;
}

PrepareOptions with_id(int id) {
  PrepareOptions options;
  options.broker_id = id;
  return options;
}

}  // namespace

TEST_CASE("the first broker makes the persistent paths and the cluster id") {
  FakeTree tree;
  Registration core{Random(1)};
  core.prepare(with_id(0));
  CHECK(settle(core, tree) == "prepared 0");
  for (const auto path : zk::persistent_paths()) CHECK(tree.has(std::string(path)));
  const auto id = zk::decode_cluster_id(tree.data("/cluster/id"));
  REQUIRE(id.has_value());
  CHECK(id->size() == 22);

  Registration second{Random(2)};
  second.prepare(with_id(1));
  CHECK(settle(second, tree) == "prepared 1");
  CHECK(*zk::decode_cluster_id(tree.data("/cluster/id")) == *id);
}

TEST_CASE("a broker without an id draws one above the reserved ids") {
  FakeTree tree;
  Registration core{Random(1)};
  core.prepare({});
  CHECK(settle(core, tree) == "prepared 1001");
  core.prepare({});
  CHECK(settle(core, tree) == "prepared 1002");
  PrepareOptions options;
  options.id_generation = false;
  core.prepare(options);
  CHECK(settle(core, tree).starts_with("refused: broker.id is not set"));
}

TEST_CASE("a tree of an older cluster is joined only with a configured protocol") {
  FakeTree tree;
  tree.put("/controller", R"({"version":1,"brokerid":1,"timestamp":"1"})");
  Registration core{Random(1)};
  core.prepare(with_id(0));
  CHECK(settle(core, tree).find("set inter.broker.protocol.version") != std::string::npos);
  PrepareOptions options = with_id(0);
  options.protocol_configured = true;
  core.prepare(options);
  CHECK(settle(core, tree) == "prepared 0");
}

TEST_CASE("a tree with transactions is refused unless insisted on") {
  FakeTree tree;
  tree.put("/brokers/topics/__transaction_state", "{}");
  Registration core{Random(1)};
  core.prepare(with_id(0));
  CHECK(settle(core, tree).find("__transaction_state") != std::string::npos);
  PrepareOptions options = with_id(0);
  options.accept_transactions = true;
  core.prepare(options);
  CHECK(settle(core, tree) == "prepared 0");
}

TEST_CASE("the broker epoch is the creation zxid of the registration") {
  FakeTree tree;
  tree.put("/brokers/ids", "");
  Registration core{Random(1)};
  core.enlist(broker(3), tree.session, WallTime{5});
  const std::string outcome_core = settle(core, tree);
  CHECK(outcome_core == "epoch " + std::to_string(tree.czxid("/brokers/ids/3")));
  CHECK(tree.writes.front() == "create -e /brokers/ids/3 null");
}

TEST_CASE("a lost reply finds its own registration") {
  FakeTree tree;
  tree.put("/brokers/ids", "");
  Registration core{Random(1)};
  core.enlist(broker(3), tree.session, WallTime{5});
  settle(core, tree);
  Registration again{Random(1)};
  again.enlist(broker(3), tree.session, WallTime{5});
  const std::string outcome_again = settle(again, tree);
  CHECK(outcome_again == "epoch " + std::to_string(tree.czxid("/brokers/ids/3")));
}

TEST_CASE("the registration of one's own expired session is taken over, another's is not") {
  FakeTree tree;
  tree.put("/brokers/ids", "");
  Registration core{Random(1)};
  core.enlist(broker(3), tree.session, WallTime{5});
  settle(core, tree);
  const auto first = tree.czxid("/brokers/ids/3");
  tree.session = 101;
  core.on_session_lost();
  core.enlist(broker(3), 101, WallTime{6});
  const std::string outcome_core = settle(core, tree);
  CHECK(outcome_core == "epoch " + std::to_string(tree.czxid("/brokers/ids/3")));
  CHECK(tree.czxid("/brokers/ids/3") > first);

  tree.session = 102;
  Registration stranger{Random(2)};
  stranger.enlist(broker(3), 102, WallTime{7});
  CHECK(settle(stranger, tree).find("belongs to another session (0x65)") != std::string::npos);
}

TEST_CASE("an end point that another broker advertises is refused") {
  FakeTree tree;
  tree.put("/brokers/ids", "");
  Registration one{Random(1)};
  one.enlist(broker(1), tree.session, WallTime{5});
  settle(one, tree);
  Registration two{Random(2)};
  two.enlist(broker(2), tree.session, WallTime{5});
  CHECK(settle(two, tree) == "refused: the end point h:9092 is already registered by broker 1");
  two.enlist(broker(2, 9093), tree.session, WallTime{5});
  CHECK(settle(two, tree).starts_with("epoch"));
}

TEST_CASE("a registration that the process before has left is replaced where it names the same end points") {
  FakeTree tree;
  tree.put("/brokers/ids", "");
  Registration dead{Random(1)};
  dead.enlist(broker(3), tree.session, WallTime{5});
  settle(dead, tree);
  const auto first = tree.czxid("/brokers/ids/3");

  Registration moved{Random(2)};
  tree.session = 101;
  moved.enlist(broker(3, 9999), 101, WallTime{6}, true);
  CHECK(settle(moved, tree).find("belongs to another session (0x64)") != std::string::npos);

  Registration again{Random(3)};
  tree.session = 102;
  again.enlist(broker(3), 102, WallTime{7}, true);
  const std::string outcome = settle(again, tree);
  CHECK(outcome == "epoch " + std::to_string(tree.czxid("/brokers/ids/3")));
  CHECK(tree.czxid("/brokers/ids/3") > first);
  tree.expire(100);  // the old session ends: the new node stays
  CHECK(tree.has("/brokers/ids/3"));
}
