// Each judge is shown a history that is right and one that is broken.
#include "tests/sim/histories.h"

#include <doctest/doctest.h>

using namespace tandem;
using namespace tandem::sim;
using std::chrono::milliseconds;

namespace {

base::Instant at(int ms) { return base::Instant(milliseconds(ms)); }

}  // namespace

TEST_CASE("S1 rejects a reply that overtakes another, and one that nobody asked for") {
  ReplyOrder order;
  order.sent(1);
  order.sent(2);
  order.sent(3);
  CHECK_FALSE(order.replied(1));
  CHECK(order.replied(3));
  order.connected();
  CHECK(order.replied(2));
}

TEST_CASE("S2 rejects a session that goes back in time") {
  SessionView view;
  CHECK_FALSE(view.replied("/a", 5));
  CHECK_FALSE(view.replied("/a", 5));
  CHECK_FALSE(view.replied("a ping", -1));
  CHECK(view.replied("/a", 4));
}

TEST_CASE("S3 rejects a read that does not show the session's own write") {
  SessionView view;
  view.wrote("/a", 7);
  CHECK_FALSE(view.read("/b", 3));
  CHECK_FALSE(view.read("/a", 7));
  CHECK(view.read("/a", 6));
}

TEST_CASE("S5 rejects a session that is expired before its time") {
  SessionTimes times;
  times.heard(1, at(1000));
  CHECK_FALSE(times.expired(1, milliseconds(400), at(1400)));
  CHECK(times.expired(1, milliseconds(400), at(1399)));
}

TEST_CASE("S5 gives a session its whole time again under a new leader") {
  SessionTimes times;
  times.heard(1, at(1000));
  times.leads(at(2000));
  CHECK(times.expired(1, milliseconds(400), at(2399)));
  CHECK_FALSE(times.expired(1, milliseconds(400), at(2400)));
}

TEST_CASE("S5 rejects a closed session that is taken up again by a server that knows of it") {
  SessionTimes times;
  times.closed(1, 20);
  CHECK_FALSE(times.resumed(1, 19));
  CHECK_FALSE(times.resumed(2, 30));
  CHECK(times.resumed(1, 20));
}

TEST_CASE("S6 rejects numbers that do not rise with the transactions, however late they are heard of") {
  SequenceNumbers numbers;
  CHECK_FALSE(numbers.created("/e/c0000000003", 30));
  CHECK_FALSE(numbers.created("/e/c0000000001", 10));
  CHECK_FALSE(numbers.created("/e/d0000000007", 40));
  CHECK(numbers.created("/e/d0000000003", 35));
  CHECK(SequenceNumbers(numbers).created("/e/d0000000009", 20));
  CHECK(SequenceNumbers(numbers).created("/e/d0000000008", 40));
}

TEST_CASE("S7 rejects a write on the condition of a version that was another one") {
  CHECK_FALSE(follows_version("/a", 4, 5, -1));
  CHECK_FALSE(follows_version("/a", -1, 9, -1));
  CHECK(follows_version("/a", 4, 6, -1));
  CHECK(follows_version("/a", 4, 4, -1));
}

TEST_CASE("S-sync rejects a read behind a sync that lacks what was acknowledged before the sync") {
  SyncedReads syncs;
  syncs.acknowledged(0x100000007);
  syncs.wrote("/a", 0x100000007);
  syncs.acknowledged(0x100000009);
  const auto began = syncs.begin("/a");
  syncs.wrote("/a", 0x10000000b);
  syncs.acknowledged(0x10000000b);
  CHECK_FALSE(SyncedReads::read("/a", began, 0x100000009, 0x100000007, true));
  CHECK(SyncedReads::read("/a", began, 0x100000009, 0x100000006, true));
  CHECK(SyncedReads::read("/a", began, 0x100000008, 0x100000007, true));
  CHECK(SyncedReads::read("/a", began, 0x100000009, 0, true));
  CHECK_FALSE(SyncedReads::read("/b", syncs.begin("/b"), 0x10000000b, 0, true));
}

TEST_CASE("S-sync forgives a leader that asks no quorum what came in a later epoch, and nothing else") {
  SyncedReads syncs;
  syncs.acknowledged(0x200000003);
  syncs.wrote("/a", 0x200000003);
  const auto began = syncs.begin("/a");
  CHECK(SyncedReads::read("/a", began, 0x100000009, 0x100000007, true));
  CHECK_FALSE(SyncedReads::read("/a", began, 0x100000009, 0x100000007, false));
  CHECK(SyncedReads::read("/a", began, 0x200000002, 0x100000007, false));
}

TEST_CASE("W1 rejects a read that shows a change whose watch has not fired") {
  DataWatches watches;
  watches.left("/a", 5);
  CHECK_FALSE(watches.read("/a", 5));
  CHECK_FALSE(watches.read("/b", 9));
  CHECK(watches.read("/a", 6));
}

TEST_CASE("W1 rejects an event behind a reply that is as new") {
  EventOrder order;
  order.replied(5);
  order.replied(-1);
  CHECK_FALSE(order.event("/a", 6));
  CHECK_FALSE(order.event("/a", -1));
  CHECK(order.event("/a", 5));
  order.connected();
  CHECK_FALSE(order.event("/a", 5));
}

TEST_CASE("W2 rejects a watch that fires twice, and one that was not left") {
  DataWatches watches;
  watches.left("/a", 5);
  CHECK_FALSE(watches.fired("/a"));
  CHECK(watches.fired("/a"));
  CHECK(watches.fired("/b"));
}

TEST_CASE("W3 rejects an event of a node that the session may not read") {
  HiddenNodes hidden;
  hidden.hide("/s/x");
  CHECK_FALSE(hidden.event("/s"));
  CHECK(hidden.event("/s/x"));
}

TEST_CASE("M1 rejects a multi of which a part is of another transaction, or there though it failed") {
  MultiWrites multis;
  multis.asked("v");
  CHECK_FALSE(multis.read("another's", 3));
  CHECK_FALSE(multis.read("v", 5));
  CHECK_FALSE(multis.succeeded("v", 5));
  CHECK(multis.read("v", 6));
  multis.asked("w");
  multis.failed("w");
  CHECK(multis.read("w", 8));
}
