#include "coord/zab/sync_plan.h"

#include "zab_bench.h"

namespace tandem::coord::zab::test {
namespace {

CommitLog log_of(std::initializer_list<Zxid> zxids) {
  CommitLog log;
  for (const Zxid zxid : zxids) log.add(txn_of(zxid));
  return log;
}

// What is sent for these transactions: "DIFF 5 | 4 5".
std::string walked(Zxid peer, Zxid last_committed, std::initializer_list<Zxid> zxids) {
  SyncWalk walk(peer, last_committed);
  std::string out;
  for (const Zxid zxid : zxids) {
    const SyncWalk::Step step = walk.next(zxid);
    if (step.impossible) return "impossible";
    if (step.opening) out += fmt::format("{} 0x{:x}", to_string(*step.opening), step.opening_zxid.value);
    if (step.send) out += fmt::format(" 0x{:x}", zxid.value);
  }
  return out;
}

}  // namespace

TEST_CASE("each row of the leader's choice between DIFF, TRUNC and SNAP") {
  const Zxid a = make_zxid(1, 3), b = make_zxid(1, 4), c = make_zxid(1, 5);
  const CommitLog log = log_of({a, b, c});
  const LeaderHistory leading{.last_txn = c, .last_processed = make_zxid(2, 0)};
  const auto path = [&](Zxid peer) { return plan_sync(peer, leading, log).path; };
  CHECK(path(c) == SyncPath::nothing);
  CHECK(path(make_zxid(2, 0)) == SyncPath::nothing);
  CHECK(path(make_zxid(1, 9)) == SyncPath::truncate);
  CHECK(plan_sync(make_zxid(1, 9), leading, log).target == c);
  CHECK(path(a) == SyncPath::memory);
  CHECK(path(b) == SyncPath::memory);
  CHECK(path(make_zxid(1, 2)) == SyncPath::log);
  CHECK(path(Zxid(0)) == SyncPath::log);
  // A server that took a snapshot at the start of an epoch this leader never saw: it has nothing to cut.
  CHECK(path(make_zxid(3, 0)) == SyncPath::snapshot);
  const LeaderHistory no_log{.last_txn = c, .last_processed = c, .log_readable = false};
  CHECK(plan_sync(make_zxid(1, 2), no_log, log).path == SyncPath::snapshot);
}

TEST_CASE("a leader without recent transactions in memory compares with its last one") {
  const CommitLog empty;
  const Zxid last = make_zxid(1, 5);
  const LeaderHistory leading{.last_txn = last, .last_processed = make_zxid(2, 0)};
  CHECK(plan_sync(last, leading, empty).path == SyncPath::nothing);
  CHECK(plan_sync(make_zxid(1, 4), leading, empty).path == SyncPath::log);
  CHECK(plan_sync(make_zxid(1, 6), leading, empty).path == SyncPath::truncate);
  // The start of an epoch is no entry that a log could be cut at.
  const LeaderHistory from_snapshot{.last_txn = make_zxid(1, 0), .last_processed = make_zxid(1, 0)};
  CHECK(plan_sync(make_zxid(1, 6), from_snapshot, empty).path == SyncPath::snapshot);
}

TEST_CASE("the walk sends what follows the learner's last transaction") {
  const Zxid a = make_zxid(1, 3), b = make_zxid(1, 4), c = make_zxid(2, 1);
  CHECK(walked(a, c, {a, b, c}) == "DIFF 0x200000001 0x100000004 0x200000001");
  CHECK(walked(b, c, {a, b, c}) == "DIFF 0x200000001 0x200000001");
}

TEST_CASE("the walk cuts a learner whose last transaction is not here, within its epoch only") {
  const Zxid a = make_zxid(1, 3), c = make_zxid(1, 7);
  CHECK(walked(make_zxid(1, 5), c, {a, c}) == "TRUNC 0x100000003 0x100000007");
  CHECK(walked(make_zxid(1, 5), make_zxid(2, 1), {a, make_zxid(2, 1)}) == "impossible");
  CHECK(walked(make_zxid(1, 2), c, {a, c}) == "impossible");  // nothing says where to cut
}

TEST_CASE("a learner at the start of an epoch gets a DIFF of what is newer") {
  CHECK(walked(make_zxid(2, 0), make_zxid(2, 2), {make_zxid(1, 9), make_zxid(2, 1), make_zxid(2, 2)}) ==
        "DIFF 0x200000002 0x200000001 0x200000002");
}

TEST_CASE("the list of recent transactions is bounded by count and bytes and never has a hole") {
  CommitLog log(3, 1000);
  for (std::uint32_t i = 1; i <= 5; ++i) log.add(txn_of(make_zxid(1, i)));
  CHECK(log.min() == make_zxid(1, 3));
  CHECK(log.size() == 3);
  log.add(txn_of(make_zxid(2, 1)));
  CHECK(log.min() == make_zxid(1, 4));
  log.add(txn_of(make_zxid(2, 3)));
  CHECK(log.min() == make_zxid(2, 3));
  log.add(TxnRef{make_zxid(2, 4), bytes::Slice::own(payload_of(make_zxid(2, 4), 2000))});
  CHECK(log.size() == 1);  // the newest stays, however large
  CHECK(log.bytes() == 2032);
}

}  // namespace tandem::coord::zab::test
