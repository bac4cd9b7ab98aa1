// Requests of brokers to the controller.
#include <doctest/doctest.h>

#include "world.h"

using namespace tandem::broker;
using namespace tandem::broker::controller;
using protocol::ErrorCode;
using tandem::broker::test::World;

namespace {

struct Cluster : World {
  Cluster() {
    for (int id = 0; id < 3; ++id) start_broker(id);
    start_controller(0);
    create(0, "t", -1, -1, {{0, {1, 2, 0}}});
  }
  protocol::AlterPartitionRequest isr_of(std::vector<std::int32_t> isr, int leader_epoch = 0,
                                         int partition_epoch = 0) {
    protocol::AlterPartitionRequest request = isr_request(std::move(isr));
    auto& partition = request.topics.front().partitions.front();
    partition.leader_epoch = leader_epoch;
    partition.partition_epoch = partition_epoch;
    return request;
  }
};

}  // namespace

TEST_CASE("a leader shrinks and grows its ISR; its epoch stays, the partition's rises") {
  Cluster cluster;
  CHECK(cluster.alter(cluster.isr_of({1, 0})) == ErrorCode::none);
  CHECK(cluster.state("t", 0) == "leader=1 epoch=0 isr=1,0");
  CHECK(cluster.alter(cluster.isr_of({1, 0, 2}, 0, 1)) == ErrorCode::none);
  CHECK(cluster.state("t", 0) == "leader=1 epoch=0 isr=1,0,2");
}

TEST_CASE("the checks of AlterPartition, in Kafka's order") {
  Cluster cluster;
  auto stale = cluster.isr_of({1});
  --stale.broker_epoch;
  CHECK(cluster.alter(stale) == ErrorCode::stale_broker_epoch);
  auto unknown = cluster.isr_of({1});
  unknown.topics.front().topic_id.bytes[0] ^= 1;
  CHECK(cluster.alter(unknown) == ErrorCode::unknown_topic_id);
  auto nowhere = cluster.isr_of({1});
  nowhere.topics.front().partitions.front().partition_index = 7;
  CHECK(cluster.alter(nowhere) == ErrorCode::unknown_topic_or_partition);
  CHECK(cluster.alter(cluster.isr_of({1}, 0, 5)) == ErrorCode::not_controller);
  CHECK(cluster.alter(cluster.isr_of({1}, 9, 0)) == ErrorCode::not_controller);
  CHECK(cluster.alter(cluster.isr_of({1}, -1, 0)) == ErrorCode::fenced_leader_epoch);
  CHECK(cluster.alter(cluster.isr_of({1, 2, 7})) == ErrorCode::ineligible_replica);
  cluster.start_broker(3);  // and is no replica
  CHECK(cluster.alter(cluster.isr_of({1, 2, 3})) == ErrorCode::ineligible_replica);
  CHECK(cluster.alter(cluster.isr_of({1, 2})) == ErrorCode::none);
  CHECK(cluster.alter(cluster.isr_of({1, 2}, 0, 0)) == ErrorCode::none);  // a repetition, with a stale epoch
  CHECK(cluster.alter(cluster.isr_of({1}, 0, 0)) == ErrorCode::invalid_update_version);
  auto recovering = cluster.isr_of({1}, 0, 1);
  recovering.topics.front().partitions.front().leader_recovery_state = 1;
  CHECK(cluster.alter(recovering) == ErrorCode::invalid_request);
}

TEST_CASE("an ISR that was written while the tree's answer was lost is found there") {
  Cluster cluster;
  const auto twice = [&cluster](const ZkBatch& batch) {
    cluster.before = nullptr;
    cluster.tree.perform(batch.ops);  // its answer was lost with the connection
  };
  cluster.before = twice;
  CHECK(cluster.alter(cluster.isr_of({1, 0})) == ErrorCode::none);
  CHECK(cluster.state("t", 0) == "leader=1 epoch=0 isr=1,0");
  CHECK(cluster.alter(cluster.isr_of({1, 0, 2}, 0, 1)) == ErrorCode::none);
  // What is there is not what was asked for: another one wrote.
  cluster.before = [&cluster](const ZkBatch&) {
    cluster.before = nullptr;
    cluster.write_isr({1});
  };
  CHECK(cluster.alter(cluster.isr_of({1, 2}, 0, 2)) == ErrorCode::invalid_update_version);
  CHECK(cluster.alter(cluster.isr_of({1, 2}, 0, 3)) == ErrorCode::none);
}

TEST_CASE("AlterPartition says nothing of a topic that no partition was named of") {
  Cluster cluster;
  auto request = cluster.isr_of({1});
  request.topics.front().partitions.clear();
  CHECK(cluster.ask<protocol::AlterPartitionResponse>(0, request).topics.empty());
}

TEST_CASE("a broker that shuts down hands its leaderships on first") {
  Cluster cluster;
  protocol::ControlledShutdownRequest request;
  request.broker_id = 1;
  request.broker_epoch = cluster.tree.czxid("/brokers/ids/1");
  const auto response = cluster.ask<protocol::ControlledShutdownResponse>(0, request);
  CHECK(response.error_code == ErrorCode::none);
  CHECK(response.remaining_partitions.empty());
  CHECK(cluster.state("t", 0) == "leader=2 epoch=1 isr=2,0");
  request.broker_epoch = 0;
  CHECK(cluster.ask<protocol::ControlledShutdownResponse>(0, request).error_code ==
        ErrorCode::stale_broker_epoch);
  request.broker_id = 9;
  CHECK(cluster.ask<protocol::ControlledShutdownResponse>(0, request).error_code ==
        ErrorCode::broker_not_available);
}

TEST_CASE("who shuts down hears that it leads no more, and stops fetching before the in-sync sets lose it") {
  Cluster cluster;
  cluster.create(0, "u", -1, -1, {{0, {2, 1, 0}}});
  cluster.take_log();
  std::vector<std::string> written;
  cluster.before = [&](const auto&) {
    for (auto& line : cluster.take_log()) written.push_back(std::move(line));
    written.emplace_back("the tree");
  };
  protocol::ControlledShutdownRequest request;
  request.broker_id = 1;
  cluster.ask<protocol::ControlledShutdownResponse>(0, request);
  for (auto& line : cluster.take_log()) written.push_back(std::move(line));
  std::erase_if(written, [](const auto& line) { return !line.starts_with("0>1 ") && line != "the tree"; });
  CHECK(written == std::vector<std::string>{"the tree", "the tree",  // the state is read and written
                                            "0>1 LeaderAndIsr t-0:2/1", "0>1 UpdateMetadata t-0:2/1 live=012",
                                            "0>1 StopReplica u-0/0", "the tree", "the tree",
                                            "0>1 UpdateMetadata u-0:2/1 live=012", "0>1 StopReplica u-0/0"});
  CHECK(cluster.state("u", 0) == "leader=2 epoch=1 isr=2,0");
}

TEST_CASE("a single replica has nobody to hand on to, and says so by silence") {
  Cluster cluster;
  cluster.create(0, "alone", -1, -1, {{0, {1}}});
  protocol::ControlledShutdownRequest request;
  request.broker_id = 1;
  const auto response = cluster.ask<protocol::ControlledShutdownResponse>(0, request);
  CHECK(response.remaining_partitions.empty());
  CHECK(cluster.state("alone", 0) == "leader=1 epoch=0 isr=1");
}

TEST_CASE("blocks of producer ids follow each other, whoever asks") {
  Cluster cluster;
  protocol::AllocateProducerIdsRequest request;
  request.broker_id = 2;
  request.broker_epoch = cluster.tree.czxid("/brokers/ids/2");
  auto response = cluster.ask<protocol::AllocateProducerIdsResponse>(0, request);
  CHECK(response.producer_id_start == 0);
  CHECK(response.producer_id_len == 1000);
  CHECK(cluster.tree.data("/latest_producer_id_block") ==
        R"({"version":1,"broker":2,"block_start":"0","block_end":"999"})");
  CHECK(cluster.ask<protocol::AllocateProducerIdsResponse>(0, request).producer_id_start == 1000);
  request.broker_epoch = 1;
  CHECK(cluster.ask<protocol::AllocateProducerIdsResponse>(0, request).error_code ==
        ErrorCode::stale_broker_epoch);
}

TEST_CASE("the preferred replica leads again when asked for, or when the balance is off") {
  Cluster cluster;
  cluster.kill(1);
  cluster.start_broker(1);
  cluster.settle();
  CHECK(cluster.set_isr({2, 0, 1}) == ErrorCode::none);
  cluster.tree.put("/admin/preferred_replica_election",
                   R"({"version":1,"partitions":[{"topic":"t","partition":0}]})");
  cluster.settle();
  CHECK(cluster.state("t", 0) == "leader=1 epoch=2 isr=2,0,1");
  CHECK_FALSE(cluster.tree.has("/admin/preferred_replica_election"));
  cluster.tree.put("/admin/preferred_replica_election",
                   R"({"version":1,"partitions":[{"topic":"t","partition":0}]})");
  cluster.settle();
  CHECK_FALSE(cluster.tree.has("/admin/preferred_replica_election"));  // the second time as well

  cluster.kill(1);
  cluster.start_broker(1);
  cluster.settle();
  CHECK(cluster.state("t", 0).starts_with("leader=2"));
  CHECK(cluster.set_isr({2, 0, 1}) == ErrorCode::none);
  const auto due = cluster.controllers[0]->next_deadline();
  REQUIRE(due);
  cluster.now = *due;
  cluster.controllers[0]->on_deadline(cluster.now);
  cluster.settle();
  CHECK(cluster.state("t", 0).starts_with("leader=1"));
}

TEST_CASE("a failed log directory moves the leader, and the broker's return in order brings it back online") {
  Cluster cluster;
  cluster.storage_errors[1] = ErrorCode::kafka_storage_error;
  cluster.tree.put("/log_dir_event_notification/log_dir_event_0000000000",
                   R"({"version":1,"broker":1,"event":1})");
  cluster.settle();
  CHECK(cluster.state("t", 0) == "leader=2 epoch=1 isr=2,0");
  CHECK_FALSE(cluster.tree.has("/log_dir_event_notification/log_dir_event_0000000000"));
  CHECK(cluster.controllers[0]->state().offline_dirs.at(1).size() == 1);
}

TEST_CASE("an ISR written by an old leader is read and made known") {
  Cluster cluster;
  cluster.write_isr({1});
  cluster.take_log();
  cluster.notify_isr();
  CHECK(cluster.controllers[0]->state().find({"t", 0})->leadership->isr == zk::Replicas{1});
  CHECK_FALSE(cluster.tree.has("/isr_change_notification/isr_change_0000000000"));
}

TEST_CASE("a creation whose own broker does not answer times out for the client, and stands") {
  World world;
  world.start_broker(0);
  world.start_controller(0);
  world.silent.insert(0);
  CreateTopics request;
  request.topics = {{"t", 1, 1}};
  request.timeout = tandem::base::milliseconds(100);
  world.controllers[0]->request(7, request, world.now);
  world.settle();
  CHECK_FALSE(world.replies.contains(7));
  world.now += tandem::base::milliseconds(100);
  world.controllers[0]->on_deadline(world.now);
  world.settle();
  CHECK(std::get<TopicsCreated>(world.replies[7]).topics.front().error.code == ErrorCode::request_timed_out);
  CHECK(world.tree.has("/brokers/topics/t"));
}
