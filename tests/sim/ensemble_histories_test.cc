// Each judge of an ensemble is shown a history that is right and one that is broken.
#include "tests/sim/ensemble_histories.h"

#include <doctest/doctest.h>

using namespace tandem::sim;

TEST_CASE("Z1 rejects a second leader of an epoch") {
  OneLeader leaders;
  CHECK_FALSE(leaders.leads(3, 1));
  CHECK_FALSE(leaders.leads(3, 1));
  CHECK_FALSE(leaders.leads(4, 2));
  CHECK(leaders.leads(3, 2));
}

TEST_CASE("Z2 and Z13 reject another tree at the same zxid") {
  EqualTrees trees;
  CHECK_FALSE(trees.holds(1, 0x100000005, 77));
  CHECK_FALSE(trees.holds(2, 0x100000005, 77));
  CHECK_FALSE(trees.holds(1, 0x100000006, 78));
  CHECK(trees.holds(3, 0x100000005, 78));
}

TEST_CASE("Z2 rejects a version that is acknowledged twice, and one that reads as something else") {
  VersionedValues values;
  CHECK_FALSE(values.wrote("/a", 1, "x"));
  CHECK_FALSE(values.wrote("/b", 1, "y"));
  CHECK_FALSE(values.read("/a", 1, "x"));
  CHECK_FALSE(values.read("/a", 2, "nobody was told"));
  CHECK(values.read("/a", 1, "y"));
  CHECK(values.wrote("/a", 1, "z"));
}

TEST_CASE("Z9 rejects a leader without a write that was acknowledged in an epoch before") {
  AcknowledgedWrites writes;
  writes.acknowledged(0x100000001, "a");
  writes.acknowledged(0x100000002, "b");
  const auto lacks_second = [](std::int64_t zxid) { return zxid != 0x100000002; };
  CHECK_FALSE(writes.leads(1, 2, [](std::int64_t) { return true; }));
  CHECK_FALSE(writes.leads(1, 1, lacks_second));
  CHECK(writes.leads(1, 2, lacks_second));
}

TEST_CASE("Z10 rejects epochs that go back, each of them, and a current epoch that was never accepted") {
  DiskEpochs epochs;
  CHECK_FALSE(epochs.found(1, 3, 2));
  CHECK_FALSE(epochs.found(2, 1, 1));
  CHECK_FALSE(epochs.found(1, 3, 3));
  CHECK(DiskEpochs(epochs).found(1, 2, 2));
  CHECK(DiskEpochs(epochs).found(1, 3, 2));
  CHECK(DiskEpochs(epochs).found(1, 4, 5));
}

TEST_CASE("Z11 rejects an epoch that is accepted before it is durable") {
  CHECK_FALSE(accepts_epoch(1, 4, {.accepted = 4}));
  CHECK(accepts_epoch(1, 4, {.accepted = 3}));
}

TEST_CASE("Z11 rejects a NEWLEADER that is acknowledged before history or current epoch are durable") {
  CHECK_FALSE(accepts_leader(1, 4, {.accepted = 4, .current = 4, .history = true}));
  CHECK(accepts_leader(1, 4, {.accepted = 4, .current = 4, .history = false}));
  CHECK(accepts_leader(1, 4, {.accepted = 4, .current = 3, .history = true}));
}

TEST_CASE("Z11 rejects a transaction that is acknowledged before it is durable") {
  CHECK_FALSE(accepts_transaction(1, 0x100000001, {.history = true}));
  CHECK(accepts_transaction(1, 0x100000001, {.history = false}));
}

TEST_CASE("Z5 rejects servers that rest with different trees, or at different transactions") {
  const Rest one{.server = 1, .zxid = 0x200000003, .digest = 7};
  CHECK_FALSE(rests_alike(one, {.server = 2, .zxid = 0x200000003, .digest = 7}, false));
  CHECK(rests_alike(one, {.server = 2, .zxid = 0x200000003, .digest = 8}, false));
  CHECK(rests_alike(one, {.server = 2, .zxid = 0x200000002, .digest = 7}, false));
  CHECK(rests_alike(one, {.server = 2, .zxid = 0x200000002, .digest = 7}, true));
}

TEST_CASE("Z5 forgives servers of Apache's an epoch in which nobody wrote, and nothing else") {
  const Rest leader{.server = 1, .zxid = 0x200000000, .digest = 7};
  const Rest follower{.server = 2, .zxid = 0x100000009, .digest = 7};
  CHECK(rests_alike(leader, follower, false));
  CHECK_FALSE(rests_alike(leader, follower, true));
  CHECK(rests_alike(leader, {.server = 2, .zxid = 0x100000009, .digest = 8}, true));
}

TEST_CASE("S4 rejects a node that outlives all sessions") {
  CHECK_FALSE(rests_alone({.server = 1}));
  CHECK(rests_alone({.server = 1, .ephemerals = 1}));
}
