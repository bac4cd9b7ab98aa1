// The JSON texts are those of a tree written by Kafka 3.9.1.
#include "broker/zk/topics.h"

#include <doctest/doctest.h>

#include "broker/zk/admin.h"
#include "broker/zk/configs.h"

using namespace tandem::broker::zk;

namespace {
const char* kThirty =
    R"({"partitions":{"22":[0],"23":[0],"24":[0],"25":[0],"26":[0],"27":[0],"28":[0],"29":[0],)"
    R"("10":[0],"11":[0],)"
    R"("12":[0],"13":[0],"14":[0],"15":[0],"16":[0],"17":[0],"18":[0],"19":[0],"0":[0],"1":[0],)"
    R"("2":[0],"3":[0],)"
    R"("4":[0],"5":[0],"6":[0],"7":[0],"8":[0],"9":[0],"20":[0],"21":[0]},)"
    R"("topic_id":"QW9rRX6TSum6gIlSplrNtA",)"
    R"("adding_replicas":{},"removing_replicas":{},"version":3})";
}  // namespace

TEST_CASE("a topic of thirty partitions is written in Kafka's order") {
  const auto topic = decode_topic("alpha", kThirty);
  REQUIRE(!!topic);
  CHECK(topic->partitions.size() == 30);
  CHECK(encode_topic(*topic) == kThirty);
}

TEST_CASE("a reassigning topic keeps what is added and removed") {
  TopicAssignment topic;
  topic.partitions[0] = {{1, 2, 3}, {3}, {1}};
  topic.partitions[1] = {{1}, {}, {}};
  const auto text = encode_topic(topic);
  CHECK(text == R"({"partitions":{"0":[1,2,3],"1":[1]},"adding_replicas":{"0":[3]},)"
                R"("removing_replicas":{"0":[1]},"version":3})");
  CHECK(*decode_topic("t", text) == topic);
}

TEST_CASE("older topics have no id and no lists of moves") {
  const auto topic = decode_topic("t", R"({"version":1,"partitions":{"1":[2],"0":[1,2]}})");
  REQUIRE(!!topic);
  CHECK(is_none(topic->id));
  CHECK(topic->partitions.at(0).replicas == Replicas{1, 2});
}

TEST_CASE("the state of a partition") {
  const char* text = R"({"controller_epoch":1,"leader":0,"version":1,"leader_epoch":0,"isr":[0]})";
  const auto state = decode_state({"t", 0}, text, 7);
  REQUIRE(!!state);
  CHECK(state->partition_epoch == 7);
  CHECK(encode_state(*state) == text);
  auto recovering = *state;
  recovering.recovery = LeaderRecovery::recovering;
  const auto with = encode_state(recovering);
  CHECK(with == R"({"controller_epoch":1,"leader":0,"version":1,"leader_recovery_state":1,"leader_epoch":0,)"
                R"("isr":[0]})");
  CHECK(*decode_state({"t", 0}, with, 7) == recovering);
}

TEST_CASE("configs are written in the order of Java's Properties") {
  CHECK(encode_config({{"segment.bytes", "104857600"},
                       {"compression.type", "producer"},
                       {"cleanup.policy", "compact"}}) ==
        R"({"version":1,"config":{"compression.type":"producer","cleanup.policy":"compact",)"
        R"("segment.bytes":"104857600"}})");
  CHECK(
      encode_config({{"retention.ms", "1000"}, {"segment.bytes", "100000"}, {"cleanup.policy", "delete"}}) ==
      R"({"version":1,"config":{"cleanup.policy":"delete","retention.ms":"1000",)"
      R"("segment.bytes":"100000"}})");
  CHECK(encode_config({}) == R"({"version":1,"config":{}})");
  CHECK(decode_config("c", "")->empty());
  CHECK_FALSE(!!decode_config("c", R"({"version":1,"config":{"a":1}})"));
}

TEST_CASE("config changes of both versions") {
  CHECK(encode_config_change({"brokers", "<default>"}) ==
        R"({"version":2,"entity_path":"brokers/<default>"})");
  CHECK(*decode_config_change(R"({"version":2,"entity_path":"users/u/clients/c"})") ==
        ConfigChange{"users", "u/clients/c"});
  CHECK(*decode_config_change(R"({"version":1,"entity_type":"topics","entity_name":"t"})") ==
        ConfigChange{"topics", "t"});
  CHECK_FALSE(!!decode_config_change(R"({"version":2,"entity_path":"topics/"})"));
  CHECK_FALSE(!!decode_config_change(R"({"version":3,"entity_path":"topics/t"})"));
}

TEST_CASE("requests to the controller") {
  const std::map<TopicPartition, Replicas> targets = {{{"T", 0}, {1, 2}}};
  const auto text = encode_reassignment(targets);
  CHECK(text == R"({"version":1,"partitions":[{"topic":"T","partition":0,"replicas":[1,2]}]})");
  CHECK(*decode_reassignment(text) == targets);
  const auto partitions = encode_partitions({{"T", 0}});
  CHECK(partitions == R"({"version":1,"partitions":[{"topic":"T","partition":0}]})");
  CHECK(decode_partitions("p", partitions)->front() == TopicPartition{"T", 0});
  CHECK_FALSE(!!decode_partitions("p", R"({"version":1,"partitions":[{"topic":"../x","partition":0}]})"));
  CHECK(encode_log_dir_event(1) == R"({"version":1,"broker":1,"event":1})");
  CHECK(*decode_log_dir_event(encode_log_dir_event(4)) == 4);
  CHECK(*decode_consumer_offset("42") == 42);
  CHECK_FALSE(!!decode_consumer_offset("4x"));
}
