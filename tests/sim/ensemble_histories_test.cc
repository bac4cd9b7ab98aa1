// Each judge of an ensemble is shown a history that is right and one that is broken.
#include "tests/sim/ensemble_histories.h"

#include <doctest/doctest.h>

using namespace tandem;
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

namespace {

constexpr std::int64_t kFirstEpoch = 0x100000000;
constexpr std::int64_t kSecondEpoch = 0x200000000;

const bytes::Slice kPayload = bytes::Slice::own("a transaction");

bool broken(const Judgement& judgement, const std::string& invariant) {
  return judgement && judgement->invariant == invariant;
}

// Server 1 leads the first epoch, and has proposed so many.
TransactionOrder proposed(int count) {
  TransactionOrder order;
  CHECK_FALSE(order.leads(1, 1, 0));
  for (std::int64_t i = 1; i <= count; ++i)
    CHECK_FALSE(order.proposed(1, kFirstEpoch + i, i == 1 ? 0 : kFirstEpoch + i - 1, kPayload));
  return order;
}

}  // namespace

TEST_CASE("Z3 rejects what no leader proposed, where it is logged and where it is delivered") {
  TransactionOrder order = proposed(2);
  CHECK_FALSE(order.logged(2, kFirstEpoch + 1, 0, "a transaction"));
  CHECK(broken(order.logged(2, kFirstEpoch + 1, 0, "another one"), "Z3"));
  CHECK(broken(order.logged(2, kFirstEpoch + 3, kFirstEpoch + 2, "a transaction"), "Z3"));
  CHECK_FALSE(order.delivers(2, kFirstEpoch + 1));
  CHECK(broken(order.delivers(2, kFirstEpoch + 3), "Z3"));
}

TEST_CASE("Z4 rejects a transaction that is logged behind another one than at its leader") {
  const TransactionOrder order = proposed(3);
  CHECK_FALSE(order.logged(2, kFirstEpoch + 3, kFirstEpoch + 2, "a transaction"));
  CHECK(broken(order.logged(2, kFirstEpoch + 3, kFirstEpoch + 1, "a transaction"), "Z4"));
  CHECK(broken(order.logged(2, kFirstEpoch + 1, kFirstEpoch - 5, "a transaction"), "Z4"));
}

TEST_CASE("Z6 rejects a leader that leaves out a number, or does not begin with the first of its epoch") {
  TransactionOrder order = proposed(2);
  CHECK(broken(order.proposed(1, kFirstEpoch + 4, kFirstEpoch + 2, kPayload), "Z6"));
  CHECK(broken(order.proposed(2, kSecondEpoch + 2, kFirstEpoch + 2, kPayload), "Z6"));
  CHECK_FALSE(order.proposed(2, kSecondEpoch + 1, kFirstEpoch + 2, kPayload));
}

TEST_CASE("Z7 rejects a transaction of an epoch behind one of a later epoch") {
  TransactionOrder order = proposed(2);
  CHECK_FALSE(order.proposed(2, kSecondEpoch + 1, kFirstEpoch + 2, kPayload));
  CHECK(broken(order.proposed(1, kFirstEpoch + 3, kSecondEpoch + 1, kPayload), "Z7"));
}

TEST_CASE("Z5 rejects two transactions that are committed, neither behind the other") {
  TransactionOrder order = proposed(3);
  CHECK_FALSE(order.delivers(1, kFirstEpoch + 3));
  CHECK_FALSE(order.proposed(2, kSecondEpoch + 1, kFirstEpoch + 2, kPayload));
  CHECK(broken(order.delivers(2, kSecondEpoch + 1), "Z5"));
}

TEST_CASE(
    "Z9 rejects a leader without a transaction that is committed, whether a client heard of it or not") {
  TransactionOrder order = proposed(3);
  CHECK_FALSE(order.delivers(1, kFirstEpoch + 3));
  CHECK_FALSE(TransactionOrder(order).leads(2, 2, kFirstEpoch + 3));
  CHECK(broken(order.leads(2, 2, kFirstEpoch + 2), "Z9"));
}

TEST_CASE("Z16 rejects what is committed in an epoch when a later one has a leader") {
  TransactionOrder order = proposed(3);
  CHECK_FALSE(order.leads(2, 2, kFirstEpoch + 2));
  CHECK_FALSE(order.delivers(1, kFirstEpoch + 2));
  CHECK(broken(order.delivers(1, kFirstEpoch + 3), "Z16"));
}

TEST_CASE("What a leader begins with is committed, and handed out once, in order") {
  TransactionOrder order = proposed(3);
  CHECK_FALSE(order.delivers(1, kFirstEpoch + 1));
  CHECK(order.take_committed().size() == 1);
  CHECK_FALSE(order.leads(2, 2, kFirstEpoch + 3));
  CHECK(order.begins_behind(2) == kFirstEpoch + 3);
  CHECK(order.take_committed().size() == 2);
  CHECK_FALSE(order.delivers(1, kFirstEpoch + 2));
  CHECK_FALSE(order.any_committed());
}

TEST_CASE("Z16 rejects a leader of an epoch that no quorum has made its own") {
  DiskEpochs epochs;
  CHECK_FALSE(epochs.found(1, 3, 3));
  CHECK_FALSE(epochs.found(2, 3, 2));
  CHECK_FALSE(epochs.found(3, 2, 2));
  CHECK_FALSE(epochs.found(4, 3, 3));  // an observer
  CHECK(epochs.leads(1, 3, 3));
  CHECK_FALSE(epochs.found(2, 3, 3));
  CHECK_FALSE(epochs.leads(1, 3, 3));
}

TEST_CASE("Z12 rejects a cut below what the server has delivered, and none below what it has only logged") {
  ServerLogs logs;
  logs.delivers(1, kFirstEpoch + 5);
  CHECK_FALSE(logs.is_cut(1, kFirstEpoch + 5, kFirstEpoch + 9));
  CHECK_FALSE(logs.is_cut(2, kFirstEpoch + 4, kFirstEpoch + 9));
  CHECK(logs.is_cut(1, kFirstEpoch + 4, kFirstEpoch + 9));
}

TEST_CASE("Z15 rejects a vote with less than was acknowledged, unless a leader had it cut") {
  ServerLogs logs;
  logs.acknowledges(1, kFirstEpoch + 5);
  logs.acknowledges(1, kFirstEpoch + 4);
  CHECK_FALSE(logs.votes(1, kFirstEpoch + 5));
  CHECK(logs.votes(1, kFirstEpoch + 4));
  CHECK_FALSE(logs.is_cut(1, kFirstEpoch + 3, kFirstEpoch + 5));
  CHECK_FALSE(logs.votes(1, kFirstEpoch + 3));
  CHECK(logs.votes(1, kFirstEpoch + 2));
}

TEST_CASE("Z15 forgets what was acknowledged of a history that another leader's has taken the place of") {
  ServerLogs logs;
  logs.acknowledges(1, kFirstEpoch + 5);
  logs.accepts_leader(1, kFirstEpoch + 2);
  CHECK_FALSE(logs.votes(1, kFirstEpoch + 2));
  CHECK(logs.votes(1, kFirstEpoch + 1));
}
