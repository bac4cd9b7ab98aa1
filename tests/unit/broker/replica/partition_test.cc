#include "broker/replica/partition.h"

#include <doctest/doctest.h>

#include <set>

namespace tandem::broker::replica {

namespace {

using base::Instant;
using protocol::ErrorCode;
using Ids = std::vector<std::int32_t>;

constexpr base::milliseconds kLag{30'000};

Instant at(std::int64_t ms) { return Instant{} + std::chrono::hours(1) + base::milliseconds(ms); }

Partition::State told(std::int32_t leader, std::int32_t epoch, Ids isr, std::int32_t version = 0) {
  Partition::State out;
  out.leader = leader;
  out.leader_epoch = epoch;
  out.isr = std::move(isr);
  out.replicas = {1, 2, 3};
  out.partition_epoch = version;
  return out;
}

LogEnds ends(std::int64_t end, std::int32_t min_insync = 1) { return {0, end, end, min_insync}; }

// Broker 1 leads, its log ends at 10, and both followers have all of it.
Partition leading(Ids isr = {1, 2, 3}) {
  Partition partition(1, 0, kLag);
  REQUIRE(partition.apply(told(1, 5, std::move(isr)), ends(10), at(0)));
  partition.on_fetch(2, {10, 0}, ends(10), at(1));
  partition.on_fetch(3, {10, 0}, ends(10), at(1));
  return partition;
}

}  // namespace

TEST_CASE("the high watermark is what all members of the in-sync set have") {
  Partition partition(1, 0, kLag);
  partition.apply(told(1, 5, {1, 2, 3}), ends(10), at(0));
  CHECK(!partition.on_append(ends(12), at(0)));
  CHECK(!partition.on_fetch(2, {12, 0}, ends(12), at(1)));  // nothing is known of 3
  CHECK(partition.on_fetch(3, {7, 0}, ends(12), at(1)));
  CHECK(partition.high_watermark() == 7);
  CHECK(!partition.on_fetch(4, {12, 0}, ends(12), at(1)));  // no replica of it
  CHECK(partition.on_fetch(3, {12, 0}, ends(12), at(2)));
  CHECK(partition.high_watermark() == 12);
}

TEST_CASE("a consumer is sent to the in-sync replica of its rack that is furthest and has what it asks for") {
  Partition partition = leading({1, 2});
  const Ids both{2, 3};
  CHECK(partition.reader_choice(both, 10, at(2)) == 2);  // 3 is not in sync
  CHECK(!partition.reader_choice(both, 11, at(2)));      // nobody has that yet
  CHECK(!partition.reader_choice(Ids{3}, 10, at(2)));
  Partition all = leading();
  CHECK(all.reader_choice(both, 5, at(2)) == 3);  // equals: the higher number, as Kafka
  all.on_fetch(2, {12, 0}, ends(12), at(3));
  CHECK(all.reader_choice(both, 5, at(4)) == 2);
  all.on_fetch(3, {12, 7}, ends(12), at(5));
  CHECK(all.reader_choice(both, 5, at(6)) == 2);  // the log of 3 begins at 7
  Partition follower(2, 0, kLag);
  follower.apply(told(1, 5, {1, 2, 3}), ends(10), at(0));
  CHECK(!follower.reader_choice(Ids{3}, 5, at(1)));
}

TEST_CASE("the high watermark does not move while the set is below min.insync.replicas") {
  Partition partition = leading({1});
  CHECK(!partition.on_append(ends(20, 2), at(2)));
  CHECK(!partition.enough_replicas(2));
  // A topic with fewer replicas than that needs all of them, not more.
  Partition lone(1, 0, kLag);
  auto only = told(1, 5, {1});
  only.replicas = {1};
  lone.apply(only, ends(10, 2), at(0));
  CHECK(lone.enough_replicas(2));
  CHECK(lone.high_watermark() == 10);
}

TEST_CASE("a follower that is caught up joins, and counts from the moment it is asked for") {
  Partition partition = leading({1, 2});
  partition.on_append(ends(20), at(2));
  CHECK(!partition.expand(2));  // is a member
  partition.on_fetch(2, {20, 0}, ends(20), at(3));
  // 3 has been caught up within the lag limit: the watermark waits for it.
  CHECK(partition.high_watermark() == 10);
  const auto change = partition.expand(3);
  REQUIRE(change);
  CHECK(change->isr == Ids{1, 2, 3});
  CHECK(change->leader_epoch == 5);
  CHECK(!partition.expand(3));  // one at a time
  CHECK(!partition.shrink(ends(20), at(100'000)));
  CHECK(partition.isr_size() == 2);
  CHECK(!partition.on_append(ends(30), at(100'000)));  // even when it lags by now
  CHECK(partition.high_watermark() == 10);
  CHECK(!partition.on_isr_changed({{1, 2, 3}, 5, 7}, ends(30), at(100'001)));
  CHECK(partition.isr_size() == 3);
  CHECK(partition.state().partition_epoch == 7);
}

TEST_CASE("who is below the watermark, the epoch's start, or not alive does not join") {
  Partition partition = leading({1, 2});
  partition.on_fetch(3, {9, 0}, ends(10), at(1));
  CHECK(!partition.expand(3));
  partition.on_fetch(3, {10, 0, false}, ends(10), at(1));
  CHECK(!partition.expand(3));
  partition.on_fetch(3, {10, 0, true}, ends(10), at(1));
  CHECK(partition.expand(3));
}

TEST_CASE("a follower that is not caught up for the lag limit leaves, and the watermark goes on without it") {
  Partition partition = leading();
  partition.on_append(ends(20), at(2));
  partition.on_fetch(2, {20, 0}, ends(20), at(3));
  CHECK(!partition.shrink(ends(20), at(30'000)));
  const auto change = partition.shrink(ends(20), at(30'002));
  REQUIRE(change);
  CHECK(change->isr == Ids{1, 2});
  CHECK(partition.high_watermark() == 10);  // until the controller has agreed
  CHECK(partition.on_isr_changed({{1, 2}, 5, 1}, ends(20), at(30'003)));
  CHECK(partition.high_watermark() == 20);
}

TEST_CASE("a suspect that the watermark waits for leaves, and the watermark goes on without it") {
  Partition partition = leading();
  CHECK(!partition.shrink(ends(10), at(2), {3}));  // nothing waits for it
  partition.on_append(ends(20), at(2));
  partition.on_fetch(2, {20, 0}, ends(20), at(3));
  std::set<std::int32_t> silent;
  partition.add_silent(ends(20), at(1000), base::milliseconds(1000), silent);
  CHECK(silent.empty());
  partition.add_silent(ends(20), at(1001), base::milliseconds(1000), silent);
  CHECK(silent == std::set<std::int32_t>{3});
  const auto change = partition.shrink(ends(20), at(3000), {3});
  REQUIRE(change);
  CHECK(change->isr == Ids{1, 2});
  CHECK(partition.on_isr_changed({{1, 2}, 5, 1}, ends(20), at(3001)));
  CHECK(partition.high_watermark() == 20);
  // It was caught up a moment ago, but it has left: only what it fetches makes it count again.
  CHECK(!partition.on_append(ends(30), at(3002)));
  CHECK(partition.on_fetch(2, {30, 0}, ends(30), at(3003)));
  CHECK(partition.high_watermark() == 30);
}

TEST_CASE("suspects stay where without them the set is below min.insync.replicas") {
  Partition partition = leading();
  partition.on_append(ends(20, 2), at(2));
  CHECK(!partition.shrink(ends(20, 2), at(3000), {2, 3}));  // of two, neither leaves
  const auto change = partition.shrink(ends(20, 2), at(3000), {3});
  REQUIRE(change);
  CHECK(change->isr == Ids{1, 2});
}

TEST_CASE("a follower that is always a little behind is caught up by what was there when it asked before") {
  Partition partition = leading();
  for (std::int64_t i = 1; i <= 100; ++i) {
    partition.on_fetch(2, {10 * i, 0}, ends(10 * (i + 1)), at(1000 * i));
    partition.on_fetch(3, {10 * i, 0}, ends(10 * (i + 1)), at(1000 * i));
  }
  CHECK(!partition.shrink(ends(1010), at(100'000)));
}

TEST_CASE("where acknowledgements wait for the disk the watermark is what all in-sync replicas have synced") {
  Partition partition = leading({1, 2, 3});
  const auto synced = [](std::int64_t end, std::int64_t durable) { return LogEnds{0, end, end, 1, durable}; };
  CHECK(!partition.on_append(synced(20, 10), at(2)));
  CHECK(!partition.on_fetch(2, {20, 0}, synced(20, 10), at(3)));
  CHECK(!partition.on_fetch(3, {20, 0, true, 10}, synced(20, 10), at(3)));
  CHECK(!partition.on_append(synced(20, 20), at(4)));  // the own disk is done, that of 3 is not
  CHECK(partition.on_fetch(3, {20, 0, true, 15}, synced(20, 20), at(5)));
  CHECK(partition.high_watermark() == 15);
  CHECK(partition.on_fetch(3, {20, 0, true, 20}, synced(20, 20), at(6)));
  CHECK(partition.high_watermark() == 20);
  // What was told once counts no further than what the follower has: it may have been cut since.
  CHECK(!partition.on_fetch(3, {18, 0, true, 30}, synced(30, 30), at(7)));
  CHECK(partition.high_watermark() == 20);
}

TEST_CASE("a follower joins once what the watermark promises is on its disk") {
  Partition partition = leading({1, 2});
  partition.on_fetch(2, {20, 0}, ends(20), at(30'010));  // 3 lags by now: the watermark goes on without it
  CHECK(partition.high_watermark() == 20);
  partition.on_fetch(3, {20, 0, true, 12}, ends(20), at(30'011));
  CHECK(!partition.expand(3));
  partition.on_fetch(3, {20, 0, true, 20}, ends(20), at(30'012));
  CHECK(partition.expand(3));
}

TEST_CASE(
    "a disk that is a sync behind each fetch keeps its follower in sync, one that stands still does not") {
  Partition partition = leading();
  for (std::int64_t i = 1; i <= 100; ++i) {
    // At each fetch the sync of what the last one brought is still under way.
    partition.on_fetch(2, {10 * i, 0, true, 10 * (i - 1)}, ends(10 * (i + 1)), at(1000 * i));
    partition.on_fetch(3, {10 * i, 0, true, 10}, ends(10 * (i + 1)), at(1000 * i));
  }
  const auto change = partition.shrink(ends(1010), at(100'000));
  REQUIRE(change);
  CHECK(change->isr == Ids{1, 2});
}

TEST_CASE("a refusal ends what is pending, another answer leaves it to the controller") {
  Partition partition = leading({1, 2});
  const auto change = partition.expand(3);
  REQUIRE(change);
  IsrChange other = *change;
  other.partition_epoch = 9;
  CHECK(!partition.on_isr_refused(other, ends(10), at(2)));
  CHECK(partition.isr_pending());
  partition.on_isr_refused(*change, ends(10), at(2));
  CHECK(!partition.isr_pending());
  partition.on_fetch(3, {10, 0}, ends(10), at(1002));
  REQUIRE(partition.expand(3));
  CHECK(!partition.on_isr_changed({{1, 2, 3}, 4, 9}, ends(10), at(2)));  // of an older leadership
  CHECK(partition.isr_pending());
  partition.apply(told(1, 6, {1, 2}), ends(10), at(3));
  CHECK(!partition.isr_pending());
}

TEST_CASE(
    "the watermark does not wait for a follower that the controller refuses, nor is it asked for at once") {
  Partition partition = leading({1, 2});
  const auto change = partition.expand(3);
  REQUIRE(change);
  partition.on_append(ends(20), at(2));
  CHECK(!partition.on_fetch(2, {20, 0}, ends(20), at(3)));  // 3 is about to be in sync
  CHECK(partition.on_isr_refused(*change, ends(20), at(4)));
  CHECK(partition.high_watermark() == 20);
  partition.on_append(ends(30), at(5));
  partition.on_fetch(3, {20, 0}, ends(30), at(6));  // caught up, and shutting down
  CHECK(!partition.expand(3));
  CHECK(partition.on_fetch(2, {30, 0}, ends(30), at(7)));
  CHECK(partition.high_watermark() == 30);
  partition.on_fetch(3, {30, 0}, ends(30), at(1003));
  CHECK(!partition.expand(3));
  partition.on_fetch(3, {30, 0}, ends(30), at(1004));
  const auto again = partition.expand(3);
  REQUIRE(again);
  partition.on_isr_changed({{1, 2, 3}, 5, 1}, ends(30), at(1005));
  partition.on_append(ends(40), at(1006));
  CHECK(!partition.on_fetch(2, {40, 0}, ends(40), at(1007)));
}

TEST_CASE("the watermark goes on without a follower not in sync once the metadata does not name it") {
  Partition partition = leading({1, 2});
  partition.on_append(ends(20), at(2));
  CHECK(!partition.on_fetch(2, {20, 0}, ends(20), at(3)));
  CHECK(!partition.on_brokers_gone({4}, ends(20), at(4)));
  CHECK(partition.on_brokers_gone({3}, ends(20), at(4)));
  CHECK(partition.high_watermark() == 20);
  partition.on_append(ends(30), at(5));
  CHECK(!partition.on_brokers_gone({2}, ends(30), at(6)));  // in sync: that is the controller's matter
}

TEST_CASE("a follower that rests has been heard as long as its session's pulse beats, until the log grows") {
  Partition partition = leading();
  const auto pulse = std::make_shared<FetchPulse>();
  partition.on_fetch(3, {10, 0, true, kAllDurable, pulse}, ends(10), at(2));
  CHECK(partition.rests(3));
  CHECK(!partition.rests(2));
  pulse->at = at(60'000);
  partition.on_append(ends(20), at(60'001));
  CHECK(!partition.rests(3));
  pulse->at = at(200'000);  // a fetch that lacks what was appended says nothing by its beat alone
  std::set<std::int32_t> silent;
  partition.add_silent(ends(20), at(60'500), base::milliseconds(1000), silent);
  CHECK(silent == std::set<std::int32_t>{2});
  silent.clear();
  partition.add_silent(ends(20), at(61'000), base::milliseconds(1000), silent);
  CHECK(silent == std::set<std::int32_t>{2, 3});
  auto change = partition.shrink(ends(20), at(60'002));
  REQUIRE(change);
  CHECK(change->isr == Ids{1, 3});
  partition.on_isr_refused(*change, ends(20), at(60'002));
  change = partition.shrink(ends(20), at(90'001));
  REQUIRE(change);
  CHECK(change->isr == Ids{1});
}

TEST_CASE("a follower's watermark follows its leader's within its own log") {
  Partition partition(1, 4, kLag);
  partition.apply(told(2, 5, {1, 2, 3}), ends(10), at(0));
  CHECK(partition.role() == Role::follower);
  CHECK(partition.follow(8, ends(10)));
  CHECK(partition.high_watermark() == 8);
  CHECK(!partition.follow(6, ends(10)));  // a leader that does not know better yet
  CHECK(partition.follow(50, ends(10)));
  CHECK(partition.high_watermark() == 10);
  CHECK(partition.follow(0, ends(3)));  // truncated
  CHECK(partition.high_watermark() == 3);
}

}  // namespace tandem::broker::replica
