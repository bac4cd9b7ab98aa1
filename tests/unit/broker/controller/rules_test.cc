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

TEST_CASE("versions of the inter-broker protocol") {
  const auto latest = ProtocolVersion::parse("3.9");
  REQUIRE(latest);
  CHECK(latest->leader_and_isr() == 7);
  CHECK(latest->update_metadata() == 8);
  CHECK(latest->stop_replica() == 4);
  const auto old = ProtocolVersion::parse("2.7");
  CHECK(old == ProtocolVersion{2, 7, 2});
  CHECK(old->leader_and_isr() == 4);
  CHECK(old->update_metadata() == 6);
  CHECK(old->stop_replica() == 3);
  CHECK(old->alter_partition());
  CHECK_FALSE(old->topic_ids());
  CHECK(ProtocolVersion::parse("3.5.1") == ProtocolVersion{3, 5, 2});
  CHECK(ProtocolVersion::parse("2.7-IV0") == ProtocolVersion{2, 7, 0});
  for (const char* bad : {"", "3", "4.0", "2.6", "2.7-IV9", "3.x", "3.9-IV"})
    CHECK_FALSE(ProtocolVersion::parse(bad));
}
