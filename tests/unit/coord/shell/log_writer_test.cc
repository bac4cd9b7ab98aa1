#include "coord/shell/log_writer.h"

#include <future>

#include "coord/shell/snapshot_writer.h"
#include "net/loop.h"
#include "tests/unit/coord/shell/faulty_disk.h"
#include "tests/unit/coord/storage/fixture.h"

using namespace tandem;
using namespace tandem::coord;
using namespace tandem::coord::shell;
using jute::Zxid;

namespace {

std::string payload(std::int64_t zxid, std::size_t size = 20) {
  std::string out;
  records::encode_payload(out, {.zxid = Zxid(zxid), .time = 1, .type = jute::OpCode::set_data},
                          records::SetDataTxn{"/a", std::string(size, 'x'), 1}, nullptr);
  return out;
}

struct Events final : LogEvents {
  void on_durable(Zxid last) override { durable.push_back(last.value); }
  void on_no_space(const base::Error&) override { ++no_space; }
  void on_space_back() override { ++space_back; }
  void on_failed(const base::Error& error) override { failed.set_value(error); }

  std::vector<std::int64_t> durable;
  int no_space = 0;
  int space_back = 0;
  std::promise<base::Error> failed;
};

struct WriterBench {
  WriterBench() : disk(faults), loop(clock) {
    writer = std::make_unique<LogWriter>(
        loop, disk, LogWriterOptions{.log = {.directory = dir.path, .preallocate_bytes = 64 << 10}}, events,
        logging::Logger());
  }
  ~WriterBench() {
    faults.zeros_wait = false;
    faults.zeros_wait.notify_all();
  }

  template <class Done>
  void poll_until(Done done) {
    const base::Instant end = clock.now() + std::chrono::seconds(20);
    while (!done()) {
      REQUIRE(clock.now() < end);
      loop.poll();
    }
  }
  void write(std::int64_t first, std::int64_t last) {
    for (std::int64_t zxid = first; zxid <= last; ++zxid) writer->append(Zxid(zxid), payload(zxid));
    writer->submit();
  }
  void write_durably(std::int64_t first, std::int64_t last) {
    write(first, last);
    poll_until([&] { return !events.durable.empty() && events.durable.back() == last; });
  }
  std::vector<std::int64_t> stored() {
    fs::PosixDisk plain;
    storage::write_empty_snapshot(plain, dir.path, 0);
    storage::RecordingTarget target;
    const auto result = storage::recover_all(plain, dir.path, target);
    REQUIRE_MESSAGE(result.has_value(), (result.has_error() ? result.error().context : ""));
    std::vector<std::int64_t> zxids;
    for (const auto& txn : target.txns) zxids.push_back(txn.header.zxid.value);
    return zxids;
  }

  storage::TempDir dir;
  Faults faults;
  FaultyDisk disk;
  base::SystemClock clock;
  net::Loop loop;
  Events events;
  std::unique_ptr<LogWriter> writer;
};

std::vector<std::int64_t> up_to(std::int64_t last) {
  std::vector<std::int64_t> out;
  for (std::int64_t i = 1; i <= last; ++i) out.push_back(i);
  return out;
}

}  // namespace

TEST_CASE("what is reported durable is on disk, in order, over rolled files") {
  WriterBench bench;
  bench.write_durably(1, 3);
  bench.write_durably(4, 4);
  bench.writer->roll();
  for (std::int64_t zxid = 5; zxid <= 2000; ++zxid) bench.write(zxid, zxid);
  bench.poll_until([&] { return bench.events.durable.back() == 2000; });
  CHECK(std::is_sorted(bench.events.durable.begin(), bench.events.durable.end()));
  CHECK(bench.stored() == up_to(2000));
  CHECK(storage::list_logs(bench.disk, bench.dir.path)->size() == 2);
  // Batches form by themselves while the disk is busy.
  CHECK(bench.faults.syncs < 1500);
}

TEST_CASE("nobody waits for the zeros of the next transactions") {
  WriterBench bench;
  bench.faults.zeros_wait = true;
  bench.write_durably(1, 1);
  bench.faults.zeros_wait = false;
  bench.faults.zeros_wait.notify_all();
  bench.write_durably(2, 2);
  CHECK(bench.stored() == up_to(2));
}

TEST_CASE("stop writes what was appended before") {
  WriterBench bench;
  bench.write(1, 100);
  bench.writer->stop();
  CHECK(bench.writer->durable() == Zxid(100));
  CHECK(bench.stored() == up_to(100));
}

TEST_CASE("entries too large for a common batch are batches of their own") {
  WriterBench bench;
  for (std::int64_t zxid = 1; zxid <= 6; ++zxid) bench.writer->append(Zxid(zxid), payload(zxid, 3 << 20));
  bench.writer->submit();
  bench.poll_until([&] { return !bench.events.durable.empty() && bench.events.durable.back() == 6; });
  CHECK(bench.writer->stats().batches == 6);
  CHECK(bench.stored() == up_to(6));
}

TEST_CASE("after a failed sync nothing is reported durable, and the file is not tried again") {
  WriterBench bench;
  bench.write_durably(1, 1);
  auto failed = bench.events.failed.get_future();
  bench.faults.sync_fails = true;
  bench.write(2, 2);
  REQUIRE(failed.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
  CHECK(failed.get().context.find("fdatasync") != std::string::npos);
  const int syncs = bench.faults.syncs;
  bench.write(3, 3);
  bench.writer->stop();
  bench.loop.poll();
  CHECK(bench.faults.syncs == syncs);
  CHECK(bench.events.durable == std::vector<std::int64_t>{1});
}

TEST_CASE(
    "a full disk gives up what is not durable, leaves no partial tail, and goes on when space is back") {
  WriterBench bench;
  bench.write_durably(1, 5);
  bench.faults.no_space = true;
  bench.write(6, 9);
  bench.poll_until([&] { return bench.events.no_space == 1; });
  CHECK(bench.events.durable.back() == 5);
  bench.faults.no_space = false;
  bench.poll_until([&] { return bench.events.space_back == 1; });
  bench.write_durably(6, 7);
  CHECK(bench.stored() == up_to(7));
}

TEST_CASE("a disk that is full when a new file is wanted is no different") {
  WriterBench bench;
  bench.faults.no_space = true;
  bench.write(1, 1);
  bench.poll_until([&] { return bench.events.no_space == 1; });
  bench.faults.no_space = false;
  bench.poll_until([&] { return bench.events.space_back == 1; });
  bench.write_durably(1, 2);
  CHECK(bench.stored() == up_to(2));
}
