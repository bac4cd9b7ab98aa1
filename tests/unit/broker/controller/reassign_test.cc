// Partitions that move, elections that administrators ask for, features.
#include <doctest/doctest.h>

#include "world.h"

using namespace tandem::broker;
using namespace tandem::broker::controller;
using protocol::ErrorCode;
using tandem::broker::test::World;

namespace {

// Four brokers, 0 the controller; t-0 on 1 and 2.
struct Moving : World {
  Moving() {
    for (int id = 0; id < 4; ++id) start_broker(id);
    start_controller(0);
    create(0, "t", -1, -1, {{0, {1, 2}}});
    take_log();
  }

  std::string move(std::optional<zk::Replicas> goal, std::int32_t partition = 0, std::int32_t asked = 0) {
    protocol::AlterPartitionReassignmentsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = "t";
    topic.partitions.push_back({partition, std::move(goal)});
    const auto response = ask<protocol::AlterPartitionReassignmentsResponse>(asked, request);
    if (response.error_code != ErrorCode::none)
      return fmt::format("{}", static_cast<int>(response.error_code));
    const auto& result = response.responses.front().partitions.front();
    return fmt::format("{} {}", static_cast<int>(result.error_code), result.error_message.value_or(""));
  }

  // "1,2+3-1": all replicas, those that come, those that go.
  std::string assignment() {
    const auto topic = zk::decode_topic("t", tree.data("/brokers/topics/t"));
    const auto& p = topic->partitions.at(0);
    return fmt::format("{}+{}-{}", fmt::join(p.replicas, ","), fmt::join(p.adding, ","),
                       fmt::join(p.removing, ","));
  }

  std::string list(std::int32_t asked = 0) {
    const auto response = ask<protocol::ListPartitionReassignmentsResponse>(
        asked, protocol::ListPartitionReassignmentsRequest{});
    std::string out;
    for (const auto& topic : response.topics) {
      for (const auto& p : topic.partitions) {
        out += fmt::format("{}-{}:{}+{}-{}", topic.name, p.partition_index, fmt::join(p.replicas, ","),
                           fmt::join(p.adding_replicas, ","), fmt::join(p.removing_replicas, ","));
      }
    }
    return out;
  }
};

}  // namespace

TEST_CASE("assignments that move name what comes and what goes, the goal first") {
  zk::ReplicaAssignment assignment{{1, 2, 3}, {}, {}};
  const auto moving = assignment.moving_to({3, 4, 2});
  CHECK(moving == zk::ReplicaAssignment{{3, 4, 2, 1}, {4}, {1}});
  CHECK(moving.origin() == zk::Replicas{3, 2, 1});
  CHECK(moving.target() == zk::Replicas{3, 4, 2});
  CHECK(moving.moving_to({5, 1}) == zk::ReplicaAssignment{{5, 1, 3, 2}, {5}, {3, 2}});
  CHECK_FALSE(moving.moving_to(moving.origin()).reassigning());
}

TEST_CASE("a move adds the new replica, waits until it is in sync, and takes the old one away") {
  Moving world;
  CHECK(world.move(zk::Replicas{3, 2}) == "0 ");
  CHECK(world.assignment() == "3,2,1+3-1");
  CHECK(world.list() == "t-0:3,2,1+3-1");
  CHECK(world.state("t", 0) == "leader=1 epoch=1 isr=1,2");
  CHECK(world.sent("0>3 LeaderAndIsr t-0:1/1new"));
  CHECK(world.sent("0>1 LeaderAndIsr t-0:1/1"));
  CHECK(world.sent("0>2 LeaderAndIsr t-0:1/1"));
  world.take_log();

  CHECK(world.set_isr({1, 2, 3}) == ErrorCode::none);
  CHECK(world.state("t", 0) == "leader=3 epoch=3 isr=2,3");
  CHECK(world.assignment() == "3,2+-");
  CHECK(world.list().empty());
  CHECK(world.sent("0>1 StopReplica t-0/2"));
  CHECK(world.sent("0>1 StopReplica t-0/3delete"));
  CHECK(world.controllers[0]->state().find({"t", 0})->replicas.size() == 2);
}

TEST_CASE("whom a leader took in again that had not heard of a move leaves the in-sync set") {
  Moving world;
  world.write_isr({1, 3});
  world.take_log();
  world.notify_isr();
  CHECK(world.state("t", 0) == "leader=1 epoch=2 isr=1");
  CHECK(world.sent("0>1 LeaderAndIsr t-0:1/2"));
}

TEST_CASE("whom a leader took in again that had not heard of a move does not outlive it in the in-sync set") {
  Moving world;
  world.write_isr({1, 3});
  world.kill(1);
  world.settle();
  CHECK(world.state("t", 0) == "leader=-1 epoch=1 isr=1");
}

TEST_CASE("a move that keeps its leader raises the epoch and moves nobody else") {
  Moving world;
  CHECK(world.move(zk::Replicas{1, 3}) == "0 ");
  CHECK(world.set_isr({1, 2, 3}) == ErrorCode::none);
  CHECK(world.state("t", 0) == "leader=1 epoch=3 isr=1,3");
  CHECK(world.assignment() == "1,3+-");
}

TEST_CASE("a cancelled move stops what had been started") {
  Moving world;
  CHECK(world.move(std::nullopt) == "85 No partition reassignment is in progress.");
  CHECK(world.move(zk::Replicas{3, 2}) == "0 ");
  world.take_log();
  CHECK(world.move(std::nullopt) == "0 ");
  CHECK(world.assignment() == "2,1+-");
  CHECK(world.list().empty());
  CHECK(world.sent("0>3 StopReplica t-0/1delete"));
  CHECK(world.state("t", 0).starts_with("leader=1"));
  CHECK(world.state("t", 0).ends_with("isr=1,2"));
}

TEST_CASE("a move that replaces another stops what only that one wanted") {
  Moving world;
  CHECK(world.move(zk::Replicas{3, 2}) == "0 ");
  world.take_log();
  CHECK(world.move(zk::Replicas{0, 1}) == "0 ");
  CHECK(world.assignment() == "0,1,2+0-2");
  CHECK(world.sent("0>3 StopReplica t-0/1delete"));
}

// A controller that takes over in between knows of nobody but the assigned replicas.
TEST_CASE("who is not wanted any more leaves the in-sync set before the tree forgets that it was a replica") {
  Moving world;
  CHECK(world.move(zk::Replicas{3, 2}) == "0 ");
  CHECK(world.set_isr({1, 3}) == ErrorCode::none);
  std::string both;
  world.before = [&](const auto&) {
    const auto now = world.assignment() + " " + world.state("t", 0);
    if (now.starts_with("0,1,2+") && now.ends_with("3")) both = now;
  };
  CHECK(world.move(zk::Replicas{0, 1}) == "0 ");
  CHECK(both.empty());
  CHECK(world.assignment() == "0,1,2+0-2");
  CHECK(world.state("t", 0).ends_with("isr=1"));
}

TEST_CASE("who leaves the in-sync set with others leaves it in one write") {
  Moving world;
  CHECK(world.move(zk::Replicas{3, 0, 2}) == "0 ");
  CHECK(world.set_isr({1, 3, 0}) == ErrorCode::none);
  const auto before = world.controllers[0]->state().find({"t", 0})->leadership->leader_epoch;
  std::vector<std::string> seen;
  world.before = [&](const auto&) {
    const auto now = world.state("t", 0);
    if (seen.empty() || seen.back() != now) seen.push_back(now);
  };
  CHECK(world.move(std::nullopt) == "0 ");
  REQUIRE(seen.size() >= 2);
  CHECK(seen[0].ends_with("isr=1,3,0"));
  CHECK(seen[1] == fmt::format("leader=1 epoch={} isr=1", before + 1));
  CHECK(world.assignment() == "2,1+-");
}

TEST_CASE("a move is not called off or replaced once only who it adds is in sync") {
  Moving world;
  const std::string refused =
      "39 Unable to revert partition assignment for t:0 because it would require an unclean leader election.";
  CHECK(world.move(zk::Replicas{3, 2}) == "0 ");
  CHECK(world.set_isr({1, 3}) == ErrorCode::none);
  world.kill(1);
  CHECK(world.state("t", 0) == "leader=3 epoch=2 isr=3");
  world.take_log();
  CHECK(world.move(std::nullopt) == refused);
  CHECK(world.move(zk::Replicas{0, 2}) == refused);
  CHECK(world.assignment() == "3,2,1+3-1");
  CHECK(world.state("t", 0) == "leader=3 epoch=2 isr=3");
  CHECK_FALSE(world.sent("0>3 StopReplica t-0/2delete"));

  CHECK(world.set_isr({3, 2}) == ErrorCode::none);  // and so it ends
  CHECK(world.assignment() == "3,2+-");
}

TEST_CASE("a move that replaces another has a leader when the one before was to be added") {
  Moving world;
  CHECK(world.move(zk::Replicas{3, 2}) == "0 ");
  CHECK(world.set_isr({1, 3}) == ErrorCode::none);
  world.kill(1);
  CHECK(world.state("t", 0) == "leader=3 epoch=2 isr=3");
  world.start_broker(1);
  world.settle();
  CHECK(world.set_isr({1, 3}) == ErrorCode::none);
  CHECK(world.move(zk::Replicas{0, 2}) == "0 ");
  CHECK(world.assignment() == "0,2,1+0-1");
  CHECK(world.state("t", 0).starts_with("leader=1"));
  CHECK(world.state("t", 0).ends_with("isr=1"));
}

TEST_CASE("a move does not go on in a topic whose deletion has begun") {
  Moving world;
  CHECK(world.move(zk::Replicas{3, 2}) == "0 ");
  world.kill(2);
  world.kill(3);
  world.ask<TopicErrors>(0, DeleteTopics{{"t"}});
  CHECK(world.assignment() == "3,2,1+3-1");
  world.start_broker(2);  // from now on only 3 is missing
  world.settle();
  const auto deletes = [](const std::string& line) {
    return line.starts_with("0>1 StopReplica t-0") && line.ends_with("delete");
  };
  CHECK(std::any_of(world.log.begin(), world.log.end(), deletes));
  world.take_log();
  world.start_broker(3);
  world.settle();
  CHECK_FALSE(world.tree.has("/brokers/topics/t"));
  for (const auto& line : world.log) CHECK_FALSE(line.starts_with("0>1 LeaderAndIsr t-0"));
}

TEST_CASE("moves that break a rule are refused in Kafka's words") {
  Moving world;
  CHECK(world.move(zk::Replicas{}) == "39 Empty replica list specified in partition reassignment.");
  CHECK(world.move(zk::Replicas{1, 1}) ==
        "39 Duplicate replica ids in partition reassignment replica list: ArrayBuffer(1, 1)");
  CHECK(world.move(zk::Replicas{-1, 1}) == "39 Invalid broker id in replica list: ArrayBuffer(-1, 1)");
  CHECK(world.move(zk::Replicas{7, 1}) ==
        "39 Replica assignment has brokers that are not alive. Replica list: ArrayBuffer(7), live broker "
        "list: Set(0, 1, 2, 3)");
  CHECK(world.move(zk::Replicas{1, 3}, 9) == "3 The partition does not exist.");
  CHECK(world.assignment() == "1,2+-");
  world.start_controller(3);
  CHECK(world.move(zk::Replicas{3}, 0, 3) == "41");
}

TEST_CASE("of a partition that is named twice the last word counts, and one answer is given") {
  Moving world;
  protocol::AlterPartitionReassignmentsRequest request;
  request.topics.push_back({"t", {{0, zk::Replicas{7}}, {0, zk::Replicas{1, 3}}}});
  request.topics.push_back({"empty", {}});
  const auto response = world.ask<protocol::AlterPartitionReassignmentsResponse>(0, request);
  CHECK(response.error_message == "");  // as Kafka, which leaves it as its shape has it
  REQUIRE(response.responses.size() == 1);
  REQUIRE(response.responses[0].partitions.size() == 1);
  CHECK(response.responses[0].partitions[0].error_code == ErrorCode::none);
  CHECK(world.assignment() == "1,3,2+3-2");
}

TEST_CASE("the next controller goes on with a move where the last one stopped") {
  Moving world;
  CHECK(world.move(zk::Replicas{3, 2}) == "0 ");
  world.start_controller(2);
  world.kill(0);
  REQUIRE(world.controllers[2]->status().active);
  CHECK(world.list(2) == "t-0:3,2,1+3-1");
  CHECK(world.set_isr({1, 2, 3}, 2) == ErrorCode::none);
  CHECK(world.assignment() == "3,2+-");
  CHECK(world.state("t", 0).starts_with("leader=3"));
}

TEST_CASE("a move asked for through the tree: the node stays until it is over") {
  Moving world;
  world.tree.put("/admin/reassign_partitions",
                 R"({"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[3,2]},)"
                 R"({"topic":"none","partition":0,"replicas":[1]}]})");
  world.settle();
  CHECK(world.tree.data("/admin/reassign_partitions") ==
        R"({"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[3,2]}]})");
  CHECK(world.state("t", 0) == "leader=1 epoch=1 isr=1,2");
  CHECK(world.set_isr({1, 2, 3}) == ErrorCode::none);
  CHECK(world.assignment() == "3,2+-");
  CHECK_FALSE(world.tree.has("/admin/reassign_partitions"));
  world.tree.put("/admin/reassign_partitions",
                 R"({"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[3]}]})");
  world.settle();
  CHECK(world.assignment() == "3+-");
  CHECK_FALSE(world.tree.has("/admin/reassign_partitions"));
}

TEST_CASE("a move to a broker that is not there goes on when it comes") {
  Moving world;
  world.tree.put("/admin/reassign_partitions",
                 R"({"version":1,"partitions":[{"topic":"t","partition":0,"replicas":[9,2]}]})");
  world.settle();
  CHECK(world.assignment() == "9,2,1+9-1");
  world.take_log();
  world.start_broker(9);
  world.settle();
  CHECK(world.sent("0>9 LeaderAndIsr t-0:1/2new"));
  CHECK(world.set_isr({1, 2, 9}) == ErrorCode::none);
  CHECK(world.assignment() == "9,2+-");
}

TEST_CASE("a topic is deleted when its moves are over, not before") {
  Moving world;
  CHECK(world.move(zk::Replicas{3, 2}) == "0 ");
  world.ask<TopicErrors>(0, DeleteTopics{{"t"}});
  CHECK(world.tree.has("/brokers/topics/t"));
  CHECK(world.set_isr({1, 2, 3}) == ErrorCode::none);
  CHECK_FALSE(world.tree.has("/brokers/topics/t"));
  CHECK_FALSE(world.tree.has("/admin/delete_topics/t"));
}

namespace {

std::string elect_one(Moving& world, const std::string& topic, std::int8_t type = 0) {
  protocol::ElectLeadersRequest request;
  request.election_type = type;
  request.topic_partitions.emplace();
  request.topic_partitions->push_back({topic, {0}});
  const auto response = world.ask<protocol::ElectLeadersResponse>(0, request);
  const auto& result = response.replica_election_results.front().partition_result.front();
  return fmt::format("{} {}", static_cast<int>(result.error_code), result.error_message.value_or(""));
}

}  // namespace

TEST_CASE("the preferred leader is elected on request, or why it is not") {
  Moving world;
  CHECK(elect_one(world, "t") == "84 Leader election not needed for topic partition.");
  CHECK(elect_one(world, "none") == "3 The partition does not exist.");
  world.kill(1);
  CHECK(elect_one(world, "t") ==
        "80 Failed to elect leader for partition t-0 under strategy "
        "PreferredReplicaPartitionLeaderElectionStrategy");
  world.start_broker(1);
  world.settle();
  CHECK(world.set_isr({2, 1}) == ErrorCode::none);
  CHECK(elect_one(world, "t") == "0 ");
  CHECK(world.state("t", 0).starts_with("leader=1"));
}

TEST_CASE("an unclean leader is elected on request, whatever the topic says") {
  Moving world;
  world.kill(2);
  world.kill(1);
  world.start_broker(2);
  world.settle();
  CHECK(world.state("t", 0).starts_with("leader=-1"));
  CHECK(elect_one(world, "t", 1) == "0 ");
  CHECK(world.state("t", 0).starts_with("leader=2"));
  CHECK(world.state("t", 0).ends_with("isr=2"));
  CHECK(elect_one(world, "t", 1) == "84 Leader election not needed for topic partition.");
}

TEST_CASE("a topic that allows it gets its unclean leader at once") {
  Moving world;
  world.kill(2);
  world.kill(1);
  world.start_broker(2);
  world.settle();
  world.tree.put("/config/topics/t", R"({"version":1,"config":{"unclean.leader.election.enable":"true"}})");
  world.controllers[0]->on_unclean_enabled("other");
  world.settle();
  CHECK(world.state("t", 0).starts_with("leader=-1"));
  world.controllers[0]->on_unclean_enabled("t");
  world.settle();
  CHECK(world.state("t", 0).starts_with("leader=2"));
}

TEST_CASE("features: none is supported, what is finalized can be taken away") {
  Moving world;
  const auto update = [&](std::string name, std::int16_t level, std::int8_t type) {
    protocol::UpdateFeaturesRequest request;
    request.feature_updates.push_back({std::move(name), level, false, type});
    const auto response = world.ask<protocol::UpdateFeaturesResponse>(0, request);
    return response.results.front().error_message.value_or("done");
  };
  CHECK(update("a", 1, 1) ==
        "Could not apply finalized feature update because the provided feature is not supported.");
  CHECK(update("a", 0, 2) == "Can not delete non-existing finalized feature.");
  CHECK(update("", 1, 1) == "Feature name can not be empty.");
  world.tree.put("/feature", R"({"features":{"a":{"max_version_level":2}},"version":2,"status":1})");
  CHECK(update("a", 2, 1) ==
        "Can not upgrade a finalized feature from existing versionLevel:2 to the same value.");
  CHECK(update("a", 0, 2) == "done");
  CHECK(world.tree.data("/feature") == R"({"features":{},"version":2,"status":1})");
}
