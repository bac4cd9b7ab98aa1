// The pure rules: transitions, elections, assignment, versions.
#include <doctest/doctest.h>

#include "broker/controller/cluster_state.h"
#include "broker/controller/elect.h"
#include "broker/controller/protocol_version.h"
#include "broker/controller/topic_assign.h"

using namespace tandem::broker;
using namespace tandem::broker::controller;

TEST_CASE("the states of a partition") {
  using P = PartitionPhase;
  const P all[] = {P::new_partition, P::online, P::offline, P::non_existent};
  // Rows: from; columns: to, in the order of `all`.
  const bool legal[4][4] = {{false, true, true, false},
                            {false, true, true, false},
                            {false, true, true, true},
                            {true, false, false, false}};
  for (int from = 0; from < 4; ++from) {
    for (int to = 0; to < 4; ++to) CHECK(may_become(all[from], all[to]) == legal[from][to]);
  }
}

TEST_CASE("the states of a replica") {
  using R = ReplicaPhase;
  const R all[] = {
      R::new_replica,         R::online,      R::offline, R::deletion_started, R::deletion_successful,
      R::deletion_ineligible, R::non_existent};
  const char* legal[7] = {".xx....", ".xx....", ".xxx.x.", "....xx.", "......x", ".xx....", "x......"};
  for (int from = 0; from < 7; ++from) {
    for (int to = 0; to < 7; ++to) {
      CAPTURE(to_string(all[from]));
      CAPTURE(to_string(all[to]));
      CHECK(may_become(all[from], all[to]) == (legal[from][to] == 'x'));
    }
  }
}

namespace {

std::string chosen(Election election, zk::Replicas assigned, zk::Replicas online, zk::Replicas isr,
                   bool unclean = false, std::set<std::int32_t> leaving = {}) {
  ElectionInput input;
  input.assigned = std::move(assigned);
  input.online = std::move(online);
  input.current.isr = std::move(isr);
  input.current.leader_epoch = 4;
  input.unclean = unclean;
  input.shutting_down = std::move(leaving);
  const auto state = elect(election, input);
  if (!state) return "none";
  std::string out = std::to_string(state->leader) + "/" + std::to_string(state->leader_epoch) + ":";
  for (const auto member : state->isr) out += std::to_string(member);
  return out + (state->recovery == zk::LeaderRecovery::recovering ? "!" : "");
}

}  // namespace

TEST_CASE("who leads") {
  using enum Election;
  CHECK(chosen(offline, {1, 2, 3}, {2, 3}, {1, 2, 3}) == "2/5:23");
  CHECK(chosen(offline, {1, 2, 3}, {3}, {1, 2, 3}) == "3/5:3");
  CHECK(chosen(offline, {1, 2, 3}, {3}, {1, 2}) == "none");
  CHECK(chosen(offline, {1, 2, 3}, {3}, {1, 2}, true) == "3/5:3!");
  CHECK(chosen(offline, {1, 2, 3}, {}, {1, 2}, true) == "none");
  CHECK(chosen(preferred, {1, 2}, {1, 2}, {2, 1}) == "1/5:21");
  CHECK(chosen(preferred, {1, 2}, {2}, {2, 1}) == "none");
  CHECK(chosen(preferred, {1, 2}, {1, 2}, {2}) == "none");
  CHECK(chosen(controlled_shutdown, {1, 2, 3}, {2, 3}, {1, 2, 3}, false, {1}) == "2/5:23");
  CHECK(chosen(controlled_shutdown, {1}, {}, {1}, false, {1}) == "none");
  CHECK_FALSE(first_state({}, 3));
  CHECK(first_state({2, 1}, 3)->leader == 2);
}

TEST_CASE("replicas are spread, followers at a growing shift") {
  tandem::base::Random random(1);
  std::vector<AssignableBroker> brokers;
  for (int id = 0; id < 5; ++id) brokers.push_back({id, {}});
  AssignOptions options;
  options.partitions = 10;
  options.replication_factor = 3;
  options.start = 0;
  const auto plain = assign_replicas(brokers, options, random);
  const std::vector<zk::Replicas> expected = {{0, 1, 2}, {1, 2, 3}, {2, 3, 4}, {3, 4, 0}, {4, 0, 1},
                                              {0, 2, 3}, {1, 3, 4}, {2, 4, 0}, {3, 0, 1}, {4, 1, 2}};
  for (int i = 0; i < 10; ++i) CHECK(plain.partitions.at(i) == expected[static_cast<std::size_t>(i)]);
}

TEST_CASE("racks alternate, and half a set of racks is refused") {
  tandem::base::Random random(1);
  std::vector<AssignableBroker> brokers = {{0, "rack1"}, {1, "rack3"}, {2, "rack3"},
                                           {3, "rack2"}, {4, "rack2"}, {5, "rack1"}};
  AssignOptions options;
  options.partitions = 7;
  options.replication_factor = 3;
  options.start = 0;
  const auto spread = assign_replicas(brokers, options, random);
  const std::vector<zk::Replicas> expected = {{0, 3, 1}, {3, 1, 5}, {1, 5, 4}, {5, 4, 2},
                                              {4, 2, 0}, {2, 0, 3}, {0, 4, 2}};
  for (int i = 0; i < 7; ++i) CHECK(spread.partitions.at(i) == expected[static_cast<std::size_t>(i)]);
  brokers.push_back({6, {}});
  CHECK_FALSE(assign_replicas(brokers, options, random).error.ok());
}

namespace {

struct Spoken {
  const char* protocol;
  ProtocolVersion parsed;
  std::int16_t leader_and_isr, update_metadata, stop_replica;      // of the controller
  std::int16_t fetch, list_offsets, offset_for_leader_epoch;       // of followers
  bool alter_partition, topic_ids, producer_ids, leader_recovery;  // of all
  std::int32_t feature_node;
};

// Every protocol that changes something, the ones before and behind, and the releases' short names.
// Kafka 3.9: MetadataVersion, AbstractControllerBrokerRequestBatch, FeatureZNode.
constexpr Spoken kSpoken[] = {
    {"2.7-IV0", {2, 7, 0}, 4, 6, 3, 11, 5, 3, false, false, false, false, 1},
    {"2.7-IV1", {2, 7, 1}, 4, 6, 3, 12, 5, 3, false, false, false, false, 1},
    {"2.7-IV2", {2, 7, 2}, 4, 6, 3, 12, 5, 3, true, false, false, false, 1},
    {"2.7", {2, 7, 2}, 4, 6, 3, 12, 5, 3, true, false, false, false, 1},
    {"2.7.2", {2, 7, 2}, 4, 6, 3, 12, 5, 3, true, false, false, false, 1},
    {"2.8-IV0", {2, 8, 0}, 4, 6, 3, 12, 6, 4, true, true, false, false, 1},
    {"2.8-IV1", {2, 8, 1}, 5, 7, 3, 12, 6, 4, true, true, false, false, 1},
    {"2.8", {2, 8, 1}, 5, 7, 3, 12, 6, 4, true, true, false, false, 1},
    {"3.0-IV0", {3, 0, 0}, 5, 7, 3, 12, 6, 4, true, true, true, false, 1},
    {"3.0-IV1", {3, 0, 1}, 5, 7, 3, 12, 7, 4, true, true, true, false, 1},
    {"3.0", {3, 0, 1}, 5, 7, 3, 12, 7, 4, true, true, true, false, 1},
    {"3.1-IV0", {3, 1, 0}, 5, 7, 3, 13, 7, 4, true, true, true, false, 1},
    {"3.1", {3, 1, 0}, 5, 7, 3, 13, 7, 4, true, true, true, false, 1},
    {"3.2-IV0", {3, 2, 0}, 6, 7, 3, 13, 7, 4, true, true, true, true, 1},
    {"3.2", {3, 2, 0}, 6, 7, 3, 13, 7, 4, true, true, true, true, 1},
    {"3.3-IV0", {3, 3, 0}, 6, 7, 3, 13, 7, 4, true, true, true, true, 2},
    {"3.3", {3, 3, 3}, 6, 7, 3, 13, 7, 4, true, true, true, true, 2},
    {"3.4-IV0", {3, 4, 0}, 7, 8, 4, 13, 7, 4, true, true, true, true, 2},
    {"3.4", {3, 4, 0}, 7, 8, 4, 13, 7, 4, true, true, true, true, 2},
    {"3.5-IV0", {3, 5, 0}, 7, 8, 4, 14, 8, 4, true, true, true, true, 2},
    {"3.5-IV1", {3, 5, 1}, 7, 8, 4, 15, 8, 4, true, true, true, true, 2},
    {"3.5.1", {3, 5, 2}, 7, 8, 4, 15, 8, 4, true, true, true, true, 2},
    {"3.6", {3, 6, 2}, 7, 8, 4, 15, 8, 4, true, true, true, true, 2},
    {"3.7-IV3", {3, 7, 3}, 7, 8, 4, 15, 8, 4, true, true, true, true, 2},
    {"3.7-IV4", {3, 7, 4}, 7, 8, 4, 16, 8, 4, true, true, true, true, 2},
    {"3.7", {3, 7, 4}, 7, 8, 4, 16, 8, 4, true, true, true, true, 2},
    {"3.8", {3, 8, 0}, 7, 8, 4, 16, 8, 4, true, true, true, true, 2},
    {"3.9-IV0", {3, 9, 0}, 7, 8, 4, 17, 9, 4, true, true, true, true, 2},
    {"3.9", {3, 9, 0}, 7, 8, 4, 17, 9, 4, true, true, true, true, 2},
    {"3.9.1", {3, 9, 0}, 7, 8, 4, 17, 9, 4, true, true, true, true, 2},
};

}  // namespace

TEST_CASE("what is spoken in each version of the inter-broker protocol") {
  for (const Spoken& row : kSpoken) {
    CAPTURE(row.protocol);
    const auto version = ProtocolVersion::parse(row.protocol);
    REQUIRE(version);
    CHECK(*version == row.parsed);
    CHECK(version->leader_and_isr() == row.leader_and_isr);
    CHECK(version->update_metadata() == row.update_metadata);
    CHECK(version->stop_replica() == row.stop_replica);
    CHECK(version->fetch() == row.fetch);
    CHECK(version->list_offsets() == row.list_offsets);
    CHECK(version->offset_for_leader_epoch() == row.offset_for_leader_epoch);
    CHECK(version->alter_partition() == row.alter_partition);
    CHECK(version->topic_ids() == row.topic_ids);
    CHECK(version->allocate_producer_ids() == row.producer_ids);
    CHECK(version->leader_recovery() == row.leader_recovery);
    CHECK(version->feature_node_version() == row.feature_node);
  }
}

TEST_CASE("versions of the inter-broker protocol that are not known") {
  for (const char* bad : {"", "3", "4.0", "2.6", "2.7-IV9", "3.x", "3.9-IV"})
    CHECK_FALSE(ProtocolVersion::parse(bad));
}
