#include "broker/replica/cluster_image.h"

#include <doctest/doctest.h>

namespace tandem::broker::replica {

namespace {

using protocol::UpdateMetadataRequest;

UpdateMetadataRequest::UpdateMetadataPartitionState state(std::int32_t partition, std::int32_t leader) {
  UpdateMetadataRequest::UpdateMetadataPartitionState state;
  state.partition_index = partition;
  state.leader = leader;
  state.replicas = state.isr = {leader};
  return state;
}

UpdateMetadataRequest request(const std::string& topic, std::uint8_t id,
                              std::vector<UpdateMetadataRequest::UpdateMetadataPartitionState> states) {
  UpdateMetadataRequest request;
  request.controller_id = 1;
  protocol::Uuid uuid;
  uuid.bytes[0] = id;
  request.topic_states.push_back({topic, uuid, std::move(states)});
  UpdateMetadataRequest::UpdateMetadataBroker broker;
  broker.id = 1;
  broker.endpoints.push_back({9092, "127.0.0.1", "PLAINTEXT", 0});
  request.live_brokers.push_back(broker);
  return request;
}

}  // namespace

TEST_CASE("an update adds partitions and leaves the older image as it was") {
  const ClusterImage empty;
  const ClusterImage one = empty.updated(request("t", 7, {state(0, 1)}));
  const ClusterImage two = one.updated(request("t", 7, {state(1, 1)}));
  CHECK(empty.topics().empty());
  CHECK_EQ(one.topic("t")->partitions.size(), 1);
  CHECK_EQ(two.topic("t")->partitions.size(), 2);
  CHECK_EQ(two.controller_id(), 1);
}

TEST_CASE("leader -2 forgets a partition, and the topic with its last one") {
  const ClusterImage with = ClusterImage().updated(request("t", 7, {state(0, 1), state(1, 1)}));
  const ClusterImage fewer = with.updated(request("t", 7, {state(0, kLeaderDuringDelete)}));
  CHECK_EQ(fewer.partition("t", 0), nullptr);
  CHECK_NE(fewer.partition("t", 1), nullptr);
  const ClusterImage none = fewer.updated(request("t", 7, {state(1, kLeaderDuringDelete)}));
  CHECK_EQ(none.topic("t"), nullptr);
  CHECK_EQ(none.topic(with.topic("t")->id), nullptr);
}

TEST_CASE("of what a broker led only what another has taken over changes before the metadata says so") {
  const ClusterImage known = ClusterImage().updated(request("t", 7, {state(0, 1), state(1, 2), state(2, 1)}));
  const std::vector<ClusterImage::Told> told{{"t", 0, {5, 2, 3, 4, {2, 3}}},  // taken over
                                             {"t", 1, {5, 3, 3, 4, {3}}},     // it was another's
                                             {"t", 2, {5, kNoLeader, 3, 4, {1}}},
                                             {"u", 0, {5, 2, 3, 4, {2}}}};
  const auto changed = known.without_leader(1, told);
  REQUIRE(changed.has_value());
  const PartitionImage& taken = *changed->partition("t", 0);
  CHECK_EQ(taken.controller_epoch, 5);
  CHECK_EQ(taken.leader, 2);
  CHECK_EQ(taken.leader_epoch, 3);
  CHECK_EQ(taken.partition_epoch, 4);
  CHECK_EQ(taken.isr, std::vector<std::int32_t>{2, 3});
  CHECK_EQ(taken.replicas, std::vector<std::int32_t>{1});
  CHECK_EQ(changed->partition("t", 1)->leader, 2);
  CHECK_EQ(changed->partition("t", 2)->leader, 1);
  CHECK_EQ(known.partition("t", 0)->leader, 1);
  CHECK_FALSE(changed->without_leader(1, told).has_value());
}

TEST_CASE("a topic made again under its name is found by its new id only") {
  const ClusterImage first = ClusterImage().updated(request("t", 7, {state(0, 1)}));
  const ClusterImage second = first.updated(request("t", 8, {state(0, 1)}));
  CHECK_EQ(second.topic(first.topic("t")->id), nullptr);
  CHECK_NE(second.topic(second.topic("t")->id), nullptr);
}

TEST_CASE("live brokers are replaced as a whole") {
  const ClusterImage with = ClusterImage().updated(request("t", 7, {state(0, 1)}));
  UpdateMetadataRequest gone;
  gone.controller_id = 2;
  const ClusterImage without = with.updated(gone);
  CHECK(without.brokers().empty());
  CHECK_NE(without.topic("t"), nullptr);
  CHECK_EQ(with.broker(1)->endpoint("PLAINTEXT")->port, 9092);
  CHECK_EQ(with.broker(1)->endpoint("SSL"), nullptr);
}

TEST_CASE("who has led a partition until now names the new leader before the metadata does") {
  const ClusterImage before =
      ClusterImage().updated(request("t", 7, {state(0, 1), state(1, 1), state(2, 2)}));
  const ClusterImage::Told moved{"t", 0, 4, 2, 1, 3, {2, 3}};
  auto after = before.without_leader(1, {moved, {"t", 2, 4, 3, 1, 3, {3}}, {"u", 0, 4, 2, 1, 3, {2}}});
  REQUIRE(after);
  CHECK(after->partition("t", 0)->leader == 2);
  CHECK(after->partition("t", 0)->leader_epoch == 1);
  CHECK(after->partition("t", 0)->isr == std::vector<std::int32_t>{2, 3});
  CHECK(after->partition("t", 0)->replicas == std::vector<std::int32_t>{1});
  CHECK(after->partition("t", 1)->leader == 1);
  CHECK(after->partition("t", 2)->leader == 2);  // another one's: its own word counts
  CHECK(before.partition("t", 0)->leader == 1);
  CHECK(!after->without_leader(1, {moved}));
  CHECK(!before.without_leader(1, {{"t", 0, 4, kNoLeader, 1, 3, {2}}}));
  CHECK(!before.without_leader(1, {{"t", 0, 4, 2, 0, 3, {2}}}));
}

TEST_CASE("brokers that a newer image does not name are gone") {
  const ClusterImage before = ClusterImage().updated(request("t", 7, {state(0, 1)}));
  auto without = request("t", 7, {});
  without.live_brokers.front().id = 2;
  CHECK(brokers_gone(before, before.updated(without)) == std::set<std::int32_t>{1});
  CHECK(brokers_gone(ClusterImage(), before).empty());
}

}  // namespace tandem::broker::replica
