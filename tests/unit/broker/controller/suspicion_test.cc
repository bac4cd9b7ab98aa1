#include <doctest/doctest.h>

#include "broker/zk/controller.h"
#include "world.h"

using namespace tandem::broker;
using namespace tandem::broker::controller;
using tandem::broker::test::World;

namespace {

// Brokers 0, 1, 2, whose processes may end while their sessions live.
struct Suspicious : World {
  explicit Suspicious(ControllerOptions options = {}) {
    for (int id = 0; id < 3; ++id) start_broker(id);
    for (int id = 0; id < 3; ++id) start_controller(id, options);
  }
  void crash(std::int32_t id) {
    controllers.erase(id);
    silent.insert(id);
  }
  void tell(std::int32_t by, std::int32_t broker, bool refuses, std::int64_t epoch_offset = 0) {
    const auto epoch = tree.czxid(zk::broker_path(broker)) + epoch_offset;
    controllers.at(by)->on_reachability(broker, epoch, refuses, now);
    settle();
  }
};

constexpr const char* kUnclean = R"({"version":1,"config":{"unclean.leader.election.enable":"true"}})";

}  // namespace

TEST_CASE("a broker that refuses loses its leaderships and its place in sets before its session ends") {
  Suspicious world;
  world.create(0, "t", -1, -1, {{0, {1, 2, 0}}, {1, {2, 1, 0}}});
  world.crash(1);
  world.tell(0, 1, true);
  CHECK(world.tree.has("/brokers/ids/1"));
  CHECK(world.state("t", 0) == "leader=2 epoch=1 isr=2,0");
  CHECK(world.state("t", 1) == "leader=2 epoch=1 isr=2,0");
  CHECK(world.take_log().back().ends_with("live=02"));
  CHECK(world.create(0, "u", 1, 3) == "38 Replication factor: 3 larger than available brokers: 2.");
  // Its session ends: there is nothing left to do.
  world.tree.writes.clear();
  world.tree.expire(1001);
  world.settle();
  CHECK(world.state("t", 0) == "leader=2 epoch=1 isr=2,0");
  CHECK(world.controllers[0]->state().suspects.empty());
}

TEST_CASE("a refusal that was seen of another registration is no evidence, nor is one when it is off") {
  Suspicious world;
  world.create(0, "t", -1, -1, {{0, {1, 2}}});
  world.tell(0, 1, true, -1);
  CHECK(world.state("t", 0) == "leader=1 epoch=0 isr=1,2");
  ControllerOptions off;
  off.suspect_brokers = off.suspect_controller = false;
  Suspicious other(off);
  other.create(0, "t", -1, -1, {{0, {1, 2}}});
  other.tell(0, 1, true);
  other.tell(1, 0, true);
  CHECK(other.state("t", 0) == "leader=1 epoch=0 isr=1,2");
  CHECK(other.controllers[0]->active());
}

TEST_CASE("a listener that the broker has given up for another says nothing of it") {
  Suspicious world;
  world.create(0, "t", -1, -1, {{0, {1, 2}}});
  auto moved = test::registration(1);
  moved.endpoints.front().port = 9999;
  world.tree.perform(zk::set_op("/brokers/ids/1", zk::encode_broker(moved, tandem::base::WallTime{1})));
  world.tell(0, 1, true);
  CHECK(world.state("t", 0) == "leader=1 epoch=0 isr=1,2");
}

TEST_CASE("no replica outside the ISR leads for a suspect, until its session is over") {
  Suspicious world;
  world.create(0, "t", -1, -1, {{0, {1, 2}}});
  world.tree.put("/config/topics/t", kUnclean);
  world.kill(2);
  world.start_broker(2);
  world.settle();
  CHECK(world.state("t", 0) == "leader=1 epoch=1 isr=1");
  world.crash(1);
  world.tell(0, 1, true);
  CHECK(world.state("t", 0) == "leader=-1 epoch=2 isr=1");
  world.tree.expire(1001);
  world.settle();
  CHECK(world.state("t", 0) == "leader=2 epoch=3 isr=2");
}

TEST_CASE("a suspect that takes connections again, or registers anew, is told everything") {
  Suspicious world;
  world.create(0, "t", -1, -1, {{0, {1}}});
  world.tell(0, 1, true);
  CHECK(world.state("t", 0) == "leader=-1 epoch=1 isr=1");
  world.take_log();
  world.tell(0, 1, false);
  CHECK(world.state("t", 0) == "leader=1 epoch=2 isr=1");
  CHECK(world.take_log().back().ends_with("live=012"));
  world.tell(0, 1, true);
  world.tree.expire(1001);
  world.start_broker(1);
  world.settle();
  CHECK(world.state("t", 0) == "leader=1 epoch=4 isr=1");
  CHECK(world.controllers[0]->state().suspects.empty());
  world.tell(0, 1, false);  // late news of the one before
  CHECK(world.state("t", 0) == "leader=1 epoch=4 isr=1");
}

TEST_CASE("the office of a controller that refuses is taken over, and its registration does not count") {
  Suspicious world;
  world.create(0, "t", -1, -1, {{0, {0, 1}}});
  world.crash(0);
  world.tell(1, 0, true);
  world.tell(2, 0, true);  // was second
  CHECK(world.controllers[1]->active());
  CHECK_FALSE(world.controllers[2]->active());
  CHECK(world.controllers[2]->active_id() == 1);
  CHECK(world.tree.data("/controller_epoch") == "2");
  CHECK(world.tree.has("/brokers/ids/0"));
  CHECK(world.state("t", 0) == "leader=1 epoch=2 isr=1");
  CHECK(world.create(1, "u", 1, 2) == "0 ");
  CHECK(world.take_log().back().ends_with("live=12"));
}

TEST_CASE("only the office of the process that refuses is taken over") {
  Suspicious world;
  // 0 has lost it to 2 since 1 looked.
  world.tree.expire(1000);
  world.tree.session = 1002;
  auto create = zk::create_op("/controller", zk::encode_controller(2, tandem::base::WallTime{1}));
  create.ephemeral = true;
  world.tree.perform(create);
  world.tree.fired.clear();
  world.start_broker(0);
  world.tell(1, 0, true);
  CHECK_FALSE(world.controllers[1]->active());
  CHECK(world.tree.data("/controller_epoch") == "1");
}

TEST_CASE("a controller that lives and was taken for dead learns it, and writes nothing more") {
  Suspicious world;
  world.create(0, "t", -1, -1, {{0, {0, 1}}});
  world.tell(1, 0, true);
  CHECK(world.controllers[1]->active());
  CHECK_FALSE(world.controllers[0]->active());
  CHECK(world.controllers[0]->active_id() == 1);
  world.tell(1, 0, false);
  CHECK(world.controllers[1]->state().brokers.contains(0));
}

TEST_CASE("who leaves an office that was taken over meanwhile leaves the successor's node alone") {
  Suspicious world;
  auto old = std::move(world.controllers[0]);
  world.controllers.erase(0);
  world.tell(1, 0, true);
  CHECK(world.controllers[1]->active());
  world.controllers[0] = std::move(old);  // it has heard nothing of that
  world.controllers[0]->stop(world.now);
  world.settle();
  CHECK(world.controllers[1]->active());
  const auto holder = zk::decode_controller(world.tree.data("/controller"));
  REQUIRE(holder.has_value());
  CHECK(holder->broker == 1);
  world.controllers[1]->stop(world.now);
  world.settle();
  CHECK_FALSE(world.controllers[1]->active());
  CHECK(world.tree.data("/controller_epoch") == "3");  // its own it does remove
}

TEST_CASE("an office left by an earlier process of this broker is taken over, unless that is off") {
  for (const bool allowed : {true, false}) {
    World world;
    world.start_broker(0);
    world.tree.session = 5000;
    auto create = zk::create_op("/controller", zk::encode_controller(0, tandem::base::WallTime{1}));
    create.ephemeral = true;
    world.tree.perform(create);
    world.tree.put("/controller_epoch", "7");
    ControllerOptions options;
    options.take_over_own = allowed;
    auto& core = world.start_controller(0, options);
    CHECK(core.active() == allowed);
    CHECK(core.active_id() == 0);
    CHECK(world.tree.data("/controller_epoch") == (allowed ? "8" : "7"));
  }
}
