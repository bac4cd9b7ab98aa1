#include "broker/controller/controller.h"

#include <doctest/doctest.h>

#include "broker/zk/controller.h"
#include "world.h"

using namespace tandem::broker;
using namespace tandem::broker::controller;
using tandem::broker::test::World;
using Lines = std::vector<std::string>;

TEST_CASE("the first broker is elected, with epoch 1, and writes what Kafka writes") {
  World world;
  world.start_broker(0);
  auto& core = world.start_controller(0);
  CHECK(core.status().active);
  CHECK(world.tree.data("/controller_epoch") == "1");
  CHECK(world.tree.data("/controller") ==
        R"({"version":2,"brokerid":0,"timestamp":"1","kraftControllerEpoch":-1})");
  CHECK(world.tree.data("/feature") == R"({"features":{},"version":2,"status":1})");
  CHECK(world.take_log() == Lines{"0 elected epoch 1", "0>0 UpdateMetadata live=0"});
}

TEST_CASE("a created topic is led at once") {
  World world;
  world.start_broker(0);
  world.start_controller(0);
  world.take_log();
  CHECK(world.create(0, "t", 2, 1) == "0 ");
  CHECK(world.take_log() ==
        Lines{"0>0 LeaderAndIsr t-0:0/0new t-1:0/0new", "0>0 UpdateMetadata t-0:0/0 t-1:0/0 live=0"});
  CHECK(world.tree.data("/brokers/topics/t/partitions/1/state") ==
        R"({"controller_epoch":1,"leader":0,"version":1,"leader_epoch":0,"isr":[0]})");
  CHECK(world.tree.data("/config/topics/t") == R"({"version":1,"config":{}})");
}

TEST_CASE("a topic made by a tool through the tree alone gets an id and leaders") {
  World world;
  world.start_broker(0);
  world.start_controller(0);
  world.tree.put("/brokers/topics/x", R"({"version":1,"partitions":{"0":[0]}})");
  world.settle();
  CHECK(world.state("x", 0) == "leader=0 epoch=0 isr=0");
  CHECK(world.tree.data("/brokers/topics/x").find("topic_id") != std::string::npos);
}

TEST_CASE("creations that break a rule say so in Kafka's words") {
  World world;
  world.start_broker(0);
  world.start_controller(0);
  CHECK(world.create(0, "a.b", 1, 1) == "0 ");
  CHECK(world.create(0, "a.b", 1, 1) == "36 Topic 'a.b' already exists.");
  CHECK(world.create(0, "a_b", 1, 1) == "17 Topic 'a_b' collides with existing topics: a.b");
  CHECK(world.create(0, "t", 1, 2) == "38 Replication factor: 2 larger than available brokers: 1.");
  CHECK(world.create(0, "t", 0, 1) == "37 Number of partitions must be larger than 0.");
  CHECK(world.create(0, "t", 1, 0) == "38 Replication factor must be larger than 0.");
  CHECK(world.create(0, "..", 1, 1) == "17 Topic name is invalid: '..' is not allowed");
  CHECK(world.create(0, "t", -1, -1, {{1, {0}}}) ==
        "39 partitions should be a consecutive 0-based integer sequence");
  CHECK(world.create(0, "t", 1, 1, {{0, {0}}}).starts_with("42 "));
  CHECK_FALSE(world.tree.has("/brokers/topics/t"));
}

TEST_CASE("deletion takes the replicas, then the znodes, and the name is free again") {
  World world;
  world.start_broker(0);
  auto& core = world.start_controller(0);
  world.create(0, "t", 1, 1);
  world.take_log();
  const auto deleted = world.ask<TopicErrors>(0, DeleteTopics{{"t", "unknown"}});
  CHECK(deleted.topics[0].error.ok());
  CHECK(deleted.topics[1].error.code == protocol::ErrorCode::unknown_topic_or_partition);
  const auto log = world.take_log();
  CHECK(log.front() == "0>0 UpdateMetadata t-0:-2/0 live=0");
  CHECK(std::find(log.begin(), log.end(), "0>0 StopReplica t-0/-2delete") != log.end());
  CHECK_FALSE(world.tree.has("/brokers/topics/t"));
  CHECK_FALSE(world.tree.has("/config/topics/t"));
  CHECK_FALSE(world.tree.has("/admin/delete_topics/t"));
  CHECK(core.status().topics == 0);
  CHECK(world.create(0, "t", 1, 1) == "0 ");
}

TEST_CASE("what a broker refused to delete before it registered anew does not keep the topic") {
  World world;
  world.start_broker(0);
  world.start_broker(1);
  auto& core = world.start_controller(0);
  world.create(0, "t", 1, 2);
  world.silent = {1};
  world.ask<TopicErrors>(0, DeleteTopics{{"t"}});
  REQUIRE(world.tree.has("/brokers/topics/t"));
  protocol::StopReplicaResponse refusal;
  refusal.error_code = protocol::ErrorCode::stale_broker_epoch;
  world.silent.clear();
  world.tree.expire(1001);
  world.start_broker(1);
  for (auto& [path, event] : std::exchange(world.tree.fired, {})) core.on_watch(path, event, world.now);
  // Heard while the controller reads who is registered.
  for (const auto& sent : world.unanswered)
    if (std::holds_alternative<protocol::StopReplicaRequest>(sent.request))
      core.on_answer(1, sent.id, refusal, world.now);
  world.settle();
  CHECK_FALSE(world.tree.has("/brokers/topics/t"));
  CHECK_FALSE(world.tree.has("/admin/delete_topics/t"));
}

TEST_CASE("a partition is led though the answer to its creation was lost with the connection") {
  World world;
  world.start_broker(0);
  world.start_controller(0);
  bool done = false;
  world.before = [&](const ZkBatch& batch) {
    const auto creates = [](const zk::ZkOp& op) {
      return op.kind == zk::ZkKind::create && op.path == zk::partition_state_path({"t", 0});
    };
    for (const auto& op : batch.ops)
      if (!done && std::any_of(op.parts.begin(), op.parts.end(), creates))
        done = world.tree.perform(op).code == zk::ZkCode::ok;
  };
  CHECK(world.create(0, "t", 1, 1) == "0 ");
  REQUIRE(done);
  CHECK(world.state("t", 0) == "leader=0 epoch=1 isr=0");
}

TEST_CASE("with deletion disabled the request is forgotten") {
  World world;
  world.start_broker(0);
  ControllerOptions options;
  options.delete_topics = false;
  world.start_controller(0, options);
  world.create(0, "t", 1, 1);
  world.tree.put("/admin/delete_topics/t", "");
  world.settle();
  CHECK_FALSE(world.tree.has("/admin/delete_topics/t"));
  CHECK(world.tree.has("/brokers/topics/t"));
}

TEST_CASE("growth keeps what is there") {
  World world;
  world.start_broker(0);
  world.start_controller(0);
  world.create(0, "t", 1, 1);
  CreatePartitions request;
  request.topics = {{"t", 3}, {"t", 2}, {"u", 2}};
  const auto grown = world.ask<TopicErrors>(0, request);
  CHECK(grown.topics[0].error.ok());
  CHECK(grown.topics[1].error.message ==
        "Topic currently has 3 partitions, which is higher than the requested 2.");
  CHECK(grown.topics[2].error.message == "The topic 'u' does not exist.");
  CHECK(world.state("t", 2) == "leader=0 epoch=0 isr=0");
}

TEST_CASE("a leader that dies is replaced from the ISR, and comes back as a follower") {
  World world;
  for (int id = 0; id < 3; ++id) world.start_broker(id);
  world.start_controller(0);
  world.create(0, "t", -1, -1, {{0, {1, 2, 0}}});
  CHECK(world.state("t", 0) == "leader=1 epoch=0 isr=1,2,0");
  world.kill(1);
  CHECK(world.state("t", 0) == "leader=2 epoch=1 isr=2,0");
  world.take_log();
  world.start_broker(1);
  world.settle();
  const auto log = world.take_log();
  CHECK(std::find(log.begin(), log.end(), "0>1 UpdateMetadata t-0:2/1 live=012") != log.end());
  CHECK(std::find(log.begin(), log.end(), "0>1 LeaderAndIsr t-0:2/1") != log.end());
  CHECK(world.state("t", 0) == "leader=2 epoch=1 isr=2,0");
}

TEST_CASE("the last of the ISR stays in it while nobody leads, and leads again") {
  World world;
  world.start_broker(0);
  world.start_broker(1);
  world.start_controller(0);
  world.create(0, "t", -1, -1, {{0, {1}}});
  world.kill(1);
  CHECK(world.state("t", 0) == "leader=-1 epoch=1 isr=1");
  CHECK(world.controllers[0]->status().offline_partitions == 1);
  world.start_broker(1);
  world.settle();
  CHECK(world.state("t", 0) == "leader=1 epoch=2 isr=1");
}

TEST_CASE("an unclean election needs the topic's leave") {
  World world;
  for (int id = 0; id < 3; ++id) world.start_broker(id);
  world.start_controller(0);
  world.create(0, "t", -1, -1, {{0, {1, 2}}});
  world.kill(2);
  world.kill(1);
  world.start_broker(2);
  world.settle();
  CHECK(world.state("t", 0) == "leader=-1 epoch=2 isr=1");
  world.tree.put("/config/topics/t", R"({"version":1,"config":{"unclean.leader.election.enable":"true"}})");
  world.kill(2);
  world.start_broker(2);
  world.settle();
  CHECK(world.state("t", 0).find("isr=2") != std::string::npos);
  CHECK(world.tree.data("/brokers/topics/t/partitions/0/state").find("\"leader_recovery_state\":1") !=
        std::string::npos);
}

TEST_CASE("a bounced broker is seen dead and new in one look") {
  World world;
  for (int id = 0; id < 3; ++id) world.start_broker(id);
  world.start_controller(0);
  world.create(0, "t", -1, -1, {{0, {1, 2}}});
  world.tree.expire(1001);
  world.start_broker(1);
  world.settle();
  CHECK(world.state("t", 0) == "leader=2 epoch=1 isr=2");
  CHECK(world.controllers[0]->state().brokers.at(1).epoch == world.tree.czxid("/brokers/ids/1"));
}

TEST_CASE("a leader that restarted while nobody was the controller leads in a new epoch") {
  World world;
  for (int id = 0; id < 3; ++id) world.start_broker(id);
  world.start_controller(0);
  world.create(0, "t", -1, -1, {{0, {1, 2}}});
  world.create(0, "alone", -1, -1, {{0, {1}}});
  world.start_controller(2);
  world.controllers.erase(0);
  for (int id = 0; id < 2; ++id) world.tree.expire(1000 + id);
  world.start_broker(1);
  world.settle();
  CHECK(world.controllers[2]->status().active);
  CHECK(world.state("t", 0) == "leader=1 epoch=1 isr=1,2");
  CHECK(world.state("alone", 0) == "leader=1 epoch=0 isr=1");
}

TEST_CASE("a controller that was replaced changes nothing, even before it knows") {
  World world;
  world.start_broker(0);
  world.start_broker(1);
  world.start_controller(0);
  auto& second = world.start_controller(1);
  CHECK_FALSE(second.status().active);
  CHECK(second.status().active_id == 0);
  // 0 is cut off: its session ends, 1 is elected, and only then 0 acts on what it believed.
  auto old = std::move(world.controllers[0]);
  world.controllers.erase(0);
  world.tree.expire(1000);
  world.start_broker(0);
  world.settle();
  CHECK(second.status().active);
  CHECK(world.tree.data("/controller_epoch") == "2");
  world.tree.writes.clear();
  world.controllers[0] = std::move(old);
  const auto created = world.ask<TopicsCreated>(0, CreateTopics{{{"t", 1, 1}}, false});
  CHECK(created.topics.front().error.code == protocol::ErrorCode::not_controller);
  CHECK_FALSE(world.controllers[0]->status().active);
  CHECK_FALSE(world.tree.has("/brokers/topics/t"));
}

TEST_CASE("the office passes on, with the state of the cluster read back") {
  World world;
  world.start_broker(0);
  world.start_broker(1);
  world.start_controller(0);
  world.start_controller(1);
  world.create(0, "t", -1, -1, {{0, {0, 1}}, {1, {1, 0}}});
  world.kill(0);
  CHECK(world.controllers[1]->status().active);
  CHECK(world.state("t", 0) == "leader=1 epoch=2 isr=1");
  CHECK(world.state("t", 1) == "leader=1 epoch=1 isr=1");
  CHECK(world.create(1, "u", 1, 1) == "0 ");
}

TEST_CASE("who takes office reads each state once, and again what was written meanwhile") {
  World world;
  world.start_broker(0);
  world.start_broker(1);
  world.start_controller(0);
  world.start_controller(1);
  world.create(0, "t", -1, -1, {{0, {0, 1}}, {1, {0, 1}}});
  world.create(0, "u", -1, -1, {{0, {0}}});
  std::map<std::string, int> reads;
  const auto t1 = zk::partition_state_path({"t", 1});
  world.before = [&](const ZkBatch& batch) {
    for (const auto& op : batch.ops) {
      if (op.kind == zk::ZkKind::get && op.path.ends_with("/state")) ++reads[op.path];
      if (op.kind != zk::ZkKind::multi || op.parts.back().path != t1 || world.tree.version(t1) > 0) continue;
      auto state = *zk::decode_state({"t", 1}, world.tree.data(t1), 0);
      state.isr = {0};  // as a leader of an old protocol writes it
      world.tree.put(t1, zk::encode_state(state));
    }
  };
  world.kill(0);
  CHECK(world.state("t", 0) == "leader=1 epoch=2 isr=1");
  CHECK(world.state("t", 1) == "leader=-1 epoch=1 isr=0");
  CHECK(world.state("u", 0) == "leader=-1 epoch=1 isr=0");
  CHECK(reads[zk::partition_state_path({"t", 0})] == 1);
  CHECK(reads[t1] == 2);
  CHECK(reads[zk::partition_state_path({"u", 0})] == 1);
  world.start_broker(2);
  world.start_controller(2);
  world.kill(1);
  CHECK(world.state("t", 0) == "leader=-1 epoch=3 isr=1");
  CHECK(world.state("u", 0) == "leader=-1 epoch=1 isr=0");  // nothing of it has changed
  world.start_broker(0);
  world.settle();
  CHECK(world.state("t", 1) == "leader=0 epoch=2 isr=0");
}

TEST_CASE("session loss and a new session: re-elected without a restart") {
  World world;
  world.start_broker(0);
  auto& core = world.start_controller(0);
  world.create(0, "t", 1, 1);
  core.on_session_lost();
  world.tree.expire(1000);
  CHECK_FALSE(core.status().active);
  world.start_broker(0);
  core.on_session(1000, world.now, tandem::base::WallTime{2});
  world.settle();
  CHECK(core.status().active);
  CHECK(world.tree.data("/controller_epoch") == "2");
  CHECK(world.state("t", 0).starts_with("leader=0"));
}

TEST_CASE("an interrupted deletion is resumed by the next controller") {
  World world;
  world.start_broker(0);
  world.start_broker(1);
  world.start_controller(0);
  world.create(0, "t", -1, -1, {{0, {1}}});
  world.kill(1);
  world.ask<TopicErrors>(0, DeleteTopics{{"t"}});
  CHECK(world.tree.has("/brokers/topics/t"));  // its replica is on a dead broker
  const auto grown = world.ask<TopicErrors>(0, CreatePartitions{{{"t", 2, {}}}, false});
  CHECK(grown.topics.front().error.code == protocol::ErrorCode::invalid_topic_exception);
  world.controllers.erase(0);
  world.tree.expire(1000);
  world.start_broker(0);
  world.start_controller(0);
  CHECK(world.tree.has("/brokers/topics/t"));
  world.start_broker(1);
  world.settle();
  CHECK_FALSE(world.tree.has("/brokers/topics/t"));
}
