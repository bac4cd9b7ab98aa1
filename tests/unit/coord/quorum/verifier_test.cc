#include "coord/quorum/verifier.h"

#include <doctest/doctest.h>

#include <initializer_list>

namespace tandem::coord::quorum {

namespace {

ServerSet ids(std::initializer_list<std::int64_t> numbers) {
  ServerSet set;
  for (const std::int64_t number : numbers) set.insert(ServerId(number));
  return set;
}

// Three groups of three servers each, 1-3, 4-6, 7-9.
std::map<ServerId, GroupId> nine_in_three() {
  std::map<ServerId, GroupId> groups;
  for (std::int64_t id = 1; id <= 9; ++id) groups[ServerId(id)] = GroupId((id - 1) / 3 + 1);
  return groups;
}

}  // namespace

TEST_CASE("a majority is more than half of the voters, observers not counted") {
  struct Row {
    ServerSet voters;
    ServerSet present;
    bool quorum;
  };
  const Row rows[] = {
      {ids({}), ids({}), false},
      {ids({1}), ids({1}), true},
      {ids({1}), ids({2}), false},
      {ids({1, 2}), ids({1}), false},
      {ids({1, 2}), ids({1, 2}), true},
      {ids({0, 1, 2}), ids({0, 2}), true},
      {ids({1, 2, 3}), ids({3, 4, 5}), false},
      {ids({1, 2, 3, 4}), ids({1, 2}), false},
      {ids({1, 2, 3, 4, 5}), ids({2, 4, 5}), true},
  };
  for (const Row& row : rows) {
    const auto verifier = QuorumVerifier::majority(row.voters);
    CHECK(verifier.contains_quorum(row.present) == row.quorum);
  }
}

TEST_CASE("with groups a quorum is a majority of the groups, each with a majority of its weight") {
  const auto voters = ids({1, 2, 3, 4, 5, 6, 7, 8, 9});
  const auto verifier = QuorumVerifier::hierarchical(voters, nine_in_three(), {});
  CHECK(verifier.contains_quorum(ids({1, 2, 4, 5})));
  CHECK(verifier.contains_quorum(ids({2, 3, 8, 9})));
  CHECK_FALSE(verifier.contains_quorum(ids({1, 2, 3})));
  CHECK_FALSE(verifier.contains_quorum(ids({1, 2, 3, 4, 7})));
  CHECK_FALSE(verifier.contains_quorum(ids({1, 4, 7})));
  CHECK_FALSE(verifier.contains_quorum({}));
}

TEST_CASE("weights shift the majority of a group, and a group of weight 0 does not count") {
  const auto voters = ids({1, 2, 3, 4, 5, 6, 7, 8, 9});
  const auto heavy = QuorumVerifier::hierarchical(voters, nine_in_three(), {{ServerId(1), 3}});
  CHECK(heavy.weight(ServerId(1)) == 3);
  CHECK(heavy.weight(ServerId(2)) == 1);
  CHECK(heavy.contains_quorum(ids({1, 4, 5})));
  CHECK_FALSE(heavy.contains_quorum(ids({2, 3, 4, 5})));

  const auto two_groups = QuorumVerifier::hierarchical(
      voters, nine_in_three(), {{ServerId(7), 0}, {ServerId(8), 0}, {ServerId(9), 0}});
  CHECK(two_groups.weight(ServerId(7)) == 0);
  CHECK(two_groups.contains_quorum(ids({1, 2, 4, 5})));
  CHECK_FALSE(two_groups.contains_quorum(ids({1, 2, 7, 8, 9})));
}

TEST_CASE("who does not vote weighs nothing") {
  CHECK(QuorumVerifier::majority(ids({1, 2, 3})).weight(ServerId(2)) == 1);
  CHECK(QuorumVerifier::majority(ids({1, 2, 3})).weight(ServerId(4)) == 0);
  CHECK(QuorumVerifier::hierarchical(ids({1}), {{ServerId(1), GroupId(1)}}, {}).weight(kNoServer) == 0);
}

}  // namespace tandem::coord::quorum
