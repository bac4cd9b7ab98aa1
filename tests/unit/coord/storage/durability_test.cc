// What recovery makes of a process that ended between write and sync, on a disk that forgets.
#include "coord/storage/recovery.h"

#include "coord/storage/purge.h"
#include "coord/storage/truncate.h"
#include "tests/sim/sim_disk.h"
#include "tests/unit/coord/storage/fixture.h"

using namespace tandem;
using namespace tandem::coord::storage;

namespace {

const std::string kDirectory = "/data/version-2";

Zxid recovered(fs::Disk& disk) {
  RecordingTarget target;
  const auto result = recover_all(disk, kDirectory, target);
  REQUIRE_MESSAGE(result.has_value(), result.error().context);
  return result->last_zxid;
}

// The random power cut of every seed.
template <class Prepare>
void for_many_disks(Prepare prepare) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    sim::SimDisk disk(base::Random(seed), {});
    write_empty_snapshot(disk, kDirectory, 0);
    prepare(disk);
  }
}

}  // namespace

TEST_CASE("what a start found in the log of a killed process outlives a power cut") {
  for_many_disks([](sim::SimDisk& disk) {
    TxnLog log(disk, {.directory = kDirectory, .preallocate_bytes = 0});
    REQUIRE(log.write(Zxid(1), entry(1)).has_value());
    REQUIRE(log.sync().has_value());
    REQUIRE(log.write(Zxid(2), entry(2, 5000)).has_value());
    disk.crash(sim::Crash::kill);
    CHECK(recovered(disk) == Zxid(2));
    disk.crash(sim::Crash::power);
    CHECK(recovered(disk) == Zxid(2));
  });
}

TEST_CASE("a power cut that tears the first batch of a later log file is no damage") {
  for_many_disks([](sim::SimDisk& disk) {
    TxnLog log(disk, {.directory = kDirectory, .preallocate_bytes = 0});
    REQUIRE(log.write(Zxid(1), entry(1)).has_value());
    REQUIRE(log.sync().has_value());
    log.roll();
    std::string batch;
    for (std::int64_t zxid = 2; zxid <= 20; ++zxid) batch += entry(zxid, 400);
    REQUIRE(log.write(Zxid(2), batch).has_value());
    disk.crash(sim::Crash::power);
    CHECK(recovered(disk) >= Zxid(1));
  });
}

TEST_CASE("a power cut that tears a batch in a server's first log file is no damage") {
  for_many_disks([](sim::SimDisk& disk) {
    TxnLog log(disk, {.directory = kDirectory, .preallocate_bytes = 0});
    REQUIRE(log.write(Zxid(1), entry(1)).has_value());
    REQUIRE(log.sync().has_value());
    std::string batch;
    for (std::int64_t zxid = 2; zxid <= 20; ++zxid) batch += entry(zxid, 400);
    REQUIRE(log.write(Zxid(2), batch).has_value());
    disk.crash(sim::Crash::power);
    CHECK(recovered(disk) >= Zxid(1));
  });
}

TEST_CASE("what a failed sync left in the system's cache outlives a power cut once a start has counted it") {
  for_many_disks([](sim::SimDisk& disk) {
    TxnLog log(disk, {.directory = kDirectory, .preallocate_bytes = 0});
    REQUIRE(log.write(Zxid(1), entry(1)).has_value());
    REQUIRE(log.sync().has_value());
    REQUIRE(log.write(Zxid(2), entry(2)).has_value());
    disk.fail_next_sync();
    CHECK_FALSE(log.sync().has_value());
    disk.crash(sim::Crash::kill);
    CHECK(recovered(disk) == Zxid(2));
    disk.crash(sim::Crash::power);
    CHECK(recovered(disk) == Zxid(2));
  });
}

TEST_CASE(
    "a log file and a snapshot whose names were never synced outlive a power cut once a start has read "
    "them") {
  for_many_disks([](sim::SimDisk& disk) {
    TxnLog log(disk, {.directory = kDirectory, .preallocate_bytes = 0});
    REQUIRE(log.write(Zxid(1), entry(1)).has_value());
    auto writer = SnapshotWriter::create(disk, {.directory = kDirectory, .past_cache = false}, Zxid(1));
    REQUIRE(writer.has_value());
    std::string out;
    encode_session_count(out, 0);
    encode_acl_count(out, 0);
    encode_node(out, {.path = "", .data = "", .acl_id = -1, .stat = {}});
    REQUIRE((*writer)->write(out).has_value());
    disk.die_after(4, nullptr);  // end, sync and rename are done, the sync of the directory is not
    CHECK_FALSE((*writer)->finish({}).has_value());
    disk.crash(sim::Crash::kill);
    CHECK(recovered(disk) == Zxid(1));
    disk.crash(sim::Crash::power);
    CHECK(recovered(disk) == Zxid(1));
  });
}

TEST_CASE("a snapshot that cannot be read stops the start: the server is not taken for a new one") {
  sim::SimDisk disk(base::Random(1), {});
  write_empty_snapshot(disk, kDirectory, 5);
  disk.fail_next_read();
  RecordingTarget target;
  const auto result = recover_all(disk, kDirectory, target);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == base::Errc::io);
  CHECK(recovered(disk) == Zxid(5));
}

TEST_CASE("a server whose only snapshot is not whole is not taken for a new one") {
  sim::SimDisk disk(base::Random(1), {});
  write_empty_snapshot(disk, kDirectory, 5);
  const std::string path = fs::join(kDirectory, snapshot_name(Zxid(5), Compression::none));
  REQUIRE(disk.rot(path, disk.info(path)->size - 1));
  RecordingTarget target;
  const auto result = recover_all(disk, kDirectory, target);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == base::Errc::corrupt);
}

TEST_CASE("damage before the last transactions of an epoch is seen though the next file begins a new epoch") {
  constexpr std::int64_t kFirst = 1LL << 32;
  constexpr std::int64_t kSecond = 2LL << 32;
  for (const bool damaged : {false, true}) {
    CAPTURE(damaged);
    sim::SimDisk disk(base::Random(1), {});
    write_empty_snapshot(disk, kDirectory, 0);
    TxnLog log(disk, {.directory = kDirectory, .preallocate_bytes = 0});
    for (std::int64_t i = 1; i <= 3; ++i) REQUIRE(log.write(Zxid(kFirst + i), entry(kFirst + i)).has_value());
    REQUIRE(log.sync().has_value());
    const std::uint64_t second_entry = kFileHeaderSize + entry(kFirst + 1).size();
    const std::string path = log.path();
    log.roll();
    REQUIRE(log.write(Zxid(kSecond + 1), entry(kSecond + 1)).has_value());
    REQUIRE(log.sync().has_value());
    if (damaged) REQUIRE(disk.rot(path, second_entry + kEntryOverhead));
    REQUIRE(disk.unlink(fs::join(kDirectory, "tandem.durable")).has_value());
    RecordingTarget target;
    const auto result = recover_all(disk, kDirectory, target);
    CHECK(result.has_value() == !damaged);
    if (damaged) CHECK(result.error().context.find("whole entries follow it") != std::string::npos);
  }
}

TEST_CASE("a log that is damaged before the place where it is to be cut is not cut there") {
  sim::SimDisk disk(base::Random(1), {});
  write_empty_snapshot(disk, kDirectory, 0);
  TxnLog log(disk, {.directory = kDirectory, .preallocate_bytes = 0});
  for (std::int64_t i = 1; i <= 4; ++i) REQUIRE(log.write(Zxid(i), entry(i)).has_value());
  REQUIRE(log.sync().has_value());
  const std::uint64_t size = disk.info(log.path())->size;
  REQUIRE(disk.rot(log.path(), kFileHeaderSize + entry(1).size() + kEntryOverhead));
  const auto last = truncate_history(disk, kDirectory, kDirectory, Zxid(3));
  REQUIRE_FALSE(last.has_value());
  CHECK(last.error().code == base::Errc::corrupt);
  CHECK(disk.info(log.path())->size == size);
  CHECK(truncate_history(disk, kDirectory, kDirectory, Zxid(1)).value() == Zxid(1));
}

TEST_CASE(
    "what was durable is missed though a truncation took the files behind it away and went no further") {
  for (const std::int64_t target : {2, 3}) {
    for (std::uint64_t death = 1; death <= 20; ++death) {
      CAPTURE(death);
      sim::SimDisk disk(base::Random(death), {});
      write_empty_snapshot(disk, kDirectory, 0);
      for (const std::int64_t first : {1, 4, 7}) {
        TxnLog log(disk, {.directory = kDirectory, .preallocate_bytes = 0});
        for (std::int64_t i = first; i < first + 3; ++i) REQUIRE(log.write(Zxid(i), entry(i)).has_value());
        REQUIRE(log.sync().has_value());
      }
      REQUIRE(disk.rot(kDirectory + "/log.1", disk.info(kDirectory + "/log.1")->size - 20));
      disk.die_after(death, nullptr);
      const bool cut = truncate_history(disk, kDirectory, kDirectory, Zxid(target)).has_value();
      disk.crash(sim::Crash::kill);
      RecordingTarget tree;
      const auto result = recover_all(disk, kDirectory, tree);
      if (result.has_value())
        CHECK((target == 2 && result->last_zxid == Zxid(2)));
      else
        CHECK_FALSE((cut && target == 2));
    }
  }
}

// A snapshot is coming that may never be durable.
TEST_CASE("where a log is damaged before the place where it is to end, the damage stays to be found") {
  sim::SimDisk disk(base::Random(1), {});
  write_empty_snapshot(disk, kDirectory, 0);
  TxnLog log(disk, {.directory = kDirectory, .preallocate_bytes = 0});
  for (std::int64_t i = 1; i <= 4; ++i) REQUIRE(log.write(Zxid(i), entry(i)).has_value());
  REQUIRE(log.sync().has_value());
  for (const std::uint64_t place : {2, 0}) {
    REQUIRE(disk.rot(log.path(), kFileHeaderSize + place * entry(1).size() + kEntryOverhead));
    REQUIRE(truncate_log(disk, kDirectory, Zxid(9)).has_value());
    RecordingTarget target;
    const auto result = recover_all(disk, kDirectory, target);
    REQUIRE(result.has_error());
    CHECK(result.error().code == base::Errc::corrupt);
  }
}

// The installation died before it could drop what was there: the log has a hole beneath the snapshot.
TEST_CASE("a truncation that dies on its way beneath a leader's snapshot leaves a history without a hole") {
  for (const sim::Crash kind : {sim::Crash::kill, sim::Crash::power}) {
    for (std::uint64_t death = 1; death <= 20; ++death) {
      CAPTURE(death);
      sim::SimDisk disk(base::Random(death), {});
      write_empty_snapshot(disk, kDirectory, 0);
      write_empty_snapshot(disk, kDirectory, 7);
      for (const std::int64_t first : {1, 8}) {
        TxnLog log(disk, {.directory = kDirectory, .preallocate_bytes = 0});
        for (std::int64_t i = first; i < first + 3; ++i) REQUIRE(log.write(Zxid(i), entry(i)).has_value());
        REQUIRE(log.sync().has_value());
      }
      write_empty_snapshot(disk, kDirectory, 9);
      disk.die_after(death, nullptr);
      static_cast<void>(truncate_history(disk, kDirectory, kDirectory, Zxid(5)));
      disk.crash(kind);
      const Zxid found = recovered(disk);
      CHECK((found == Zxid(3) || (found >= Zxid(7) && found <= Zxid(10))));
    }
  }
}

TEST_CASE("every snapshot that a power cut leaves of a purge still has its logs") {
  for_many_disks([](sim::SimDisk& disk) {
    TxnLog log(disk, {.directory = kDirectory, .preallocate_bytes = 0});
    for (std::int64_t i = 1; i <= 10; ++i) {
      REQUIRE(log.write(Zxid(i), entry(i)).has_value());
      REQUIRE(log.sync().has_value());
      if (i % 2 == 0) log.roll();
      if (i % 2 == 0) write_empty_snapshot(disk, kDirectory, i);
    }
    REQUIRE(purge(disk, kDirectory, kDirectory, kSnapshotsKeptMin).has_value());
    disk.crash(sim::Crash::power);
    const auto snapshots = list_snapshots(disk, kDirectory);
    for (auto last = snapshots->rbegin(); last != snapshots->rend(); ++last) {
      CHECK(recovered(disk) == Zxid(10));
      REQUIRE(disk.unlink(fs::join(kDirectory, last->name)).has_value());
    }
  });
}
