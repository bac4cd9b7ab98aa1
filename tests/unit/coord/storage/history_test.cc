#include "coord/records/txn_batch.h"
#include "coord/storage/durable_mark.h"
#include "coord/storage/epoch_files.h"
#include "coord/storage/log_range.h"
#include "coord/storage/truncate.h"
#include "tests/unit/coord/storage/fixture.h"

using namespace tandem;
using namespace tandem::coord::storage;
using coord::records::make_zxid;

namespace {

// Files of `per_file` transactions each, from zxid 1 to `last`.
void write_logs(fs::Disk& disk, const std::string& directory, std::int64_t last, std::int64_t per_file) {
  TxnLog log(disk, {.directory = directory, .preallocate_bytes = 64 << 10});
  for (std::int64_t zxid = 1; zxid <= last; ++zxid) {
    REQUIRE(log.write(Zxid(zxid), entry(zxid)).has_value());
    REQUIRE(log.sync().has_value());
    if (zxid % per_file == 0) log.roll();
  }
}

std::int64_t recovered_last(fs::Disk& disk, const std::string& directory) {
  RecordingTarget target;
  const auto result = recover_all(disk, directory, target);
  REQUIRE_MESSAGE(result.has_value(), (result ? std::string() : result.error().context));
  return result->last_zxid.value;
}

void write_text(fs::Disk& disk, const std::string& path, std::string_view text) {
  auto file = disk.open(path, fs::OpenMode::create);
  REQUIRE((*file)->truncate(0).has_value());
  REQUIRE((*file)->pwrite(0, text).has_value());
}

std::vector<std::int64_t> zxids(const std::vector<coord::records::TxnRef>& txns) {
  std::vector<std::int64_t> out;
  for (const auto& txn : txns) out.push_back(txn.zxid.value);
  return out;
}

}  // namespace

TEST_CASE(
    "a history is cut at any transaction, over files and snapshots, and can be recovered and continued") {
  fs::PosixDisk disk;
  for (std::int64_t target = 1; target <= 12; ++target) {
    TempDir dir;
    write_empty_snapshot(disk, dir.path, 0);
    write_logs(disk, dir.path, 12, 5);
    write_empty_snapshot(disk, dir.path, 7);
    const auto last = truncate_history(disk, dir.path, dir.path, Zxid(target));
    REQUIRE(last.has_value());
    CHECK(last->value == target);
    CHECK(recovered_last(disk, dir.path) == target);
    CHECK(list_snapshots(disk, dir.path)->size() == (target >= 7 ? 2 : 1));

    TxnLog log(disk, {.directory = dir.path, .preallocate_bytes = 64 << 10});
    REQUIRE(log.write(Zxid(target + 1), entry(target + 1)).has_value());
    REQUIRE(log.sync().has_value());
    CHECK(recovered_last(disk, dir.path) == target + 1);
  }
}

TEST_CASE("a history that lacks the transaction is cut at the one before") {
  fs::PosixDisk disk;
  TempDir dir;
  write_empty_snapshot(disk, dir.path, 0);
  write_logs(disk, dir.path, 5, 100);
  CHECK(*truncate_history(disk, dir.path, dir.path, Zxid(9)) == Zxid(5));
  CHECK(*truncate_history(disk, dir.path, dir.path, Zxid(0)) == Zxid(0));
  CHECK(recovered_last(disk, dir.path) == 0);
}

TEST_CASE("there is no way back behind the oldest snapshot") {
  fs::PosixDisk disk;
  TempDir dir;
  write_empty_snapshot(disk, dir.path, 8);
  const auto last = truncate_history(disk, dir.path, dir.path, Zxid(5));
  REQUIRE(last.has_error());
  CHECK(last.error().code == base::Errc::unsupported);
  CHECK(list_snapshots(disk, dir.path)->size() == 1);
}

TEST_CASE("a server that was given a snapshot keeps nothing that it could fall back to") {
  fs::PosixDisk disk;
  TempDir dir;
  write_empty_snapshot(disk, dir.path, 0);
  write_logs(disk, dir.path, 12, 5);
  REQUIRE(truncate_log(disk, dir.path, Zxid(9)).has_value());
  write_empty_snapshot(disk, dir.path, 9);
  REQUIRE(drop_older_history(disk, dir.path, dir.path, Zxid(9)).has_value());
  CHECK(list_logs(disk, dir.path)->empty());
  CHECK(list_snapshots(disk, dir.path)->size() == 1);
  CHECK(recovered_last(disk, dir.path) == 9);
}

TEST_CASE("the mark of durability never proves more than a cut log holds") {
  fs::PosixDisk disk;
  TempDir dir;
  write_empty_snapshot(disk, dir.path, 0);
  write_logs(disk, dir.path, 5, 100);
  const auto before = DurableMark::read(disk, dir.path);
  REQUIRE(truncate_history(disk, dir.path, dir.path, Zxid(3)).has_value());
  const auto after = DurableMark::read(disk, dir.path);
  REQUIRE((before.size() == 1 && after.size() == 1));
  CHECK(after[0].bytes == before[0].bytes - 2 * entry(4).size());
}

TEST_CASE("a log is read from the learner's last transaction on, over files, while it grows") {
  fs::PosixDisk disk;
  TempDir dir;
  write_logs(disk, dir.path, 12, 5);
  auto range = LogRange::open(disk, dir.path, Zxid(0), Zxid(4), 1 << 20);
  REQUIRE((range.has_value() && *range != nullptr));
  CHECK(zxids(*(*range)->next(1, Zxid(11))) == std::vector<std::int64_t>{4});
  CHECK(zxids(*(*range)->next(1 << 20, Zxid(11))) == std::vector<std::int64_t>{5, 6, 7, 8, 9, 10, 11});
  CHECK((*range)->next(1 << 20, Zxid(11))->empty());
  CHECK(zxids(*(*range)->next(1 << 20, Zxid(20))) == std::vector<std::int64_t>{12});

  auto last = LogRange::open(disk, dir.path, Zxid(0), Zxid(12), 1 << 20);
  REQUIRE((last.has_value() && *last != nullptr));
  CHECK(zxids(*(*last)->next(1 << 20, Zxid(20))) == std::vector<std::int64_t>{12});
}

TEST_CASE("a log that starts behind the learner, or is too large for it, is not read") {
  fs::PosixDisk disk;
  TempDir dir;
  write_logs(disk, dir.path, 12, 5);
  CHECK(*LogRange::open(disk, dir.path, Zxid(0), Zxid(0), 1 << 20) == nullptr);
  CHECK(*LogRange::open(disk, dir.path, Zxid(0), Zxid(4), 100) == nullptr);
  CHECK(log_share_of_snapshot(100U << 20) == static_cast<std::uint64_t>(33) * (1U << 20));
}

TEST_CASE("beneath the snapshot that was loaded no log is read over the beginning of an epoch") {
  fs::PosixDisk disk;
  TempDir dir;
  write_logs(disk, dir.path, 5, 5);
  TxnLog log(disk, {.directory = dir.path, .preallocate_bytes = 0});  // what was between is gone
  const Zxid next = make_zxid(1, 1);
  const Zxid behind = make_zxid(1, 2);
  REQUIRE(log.write(next, entry(next.value)).has_value());
  REQUIRE(log.write(behind, entry(behind.value)).has_value());
  REQUIRE(log.sync().has_value());

  SUBCASE("a snapshot of a later epoch") {
    CHECK(*LogRange::open(disk, dir.path, next, Zxid(3), 1 << 20) == nullptr);
    const auto range = LogRange::open(disk, dir.path, next, next, 1 << 20);
    REQUIRE((range.has_value() && *range != nullptr));
    CHECK(zxids(*(*range)->next(1 << 20, behind)) == std::vector<std::int64_t>{next.value, behind.value});
  }
  SUBCASE("a leader's snapshot whose installation died before it removed the log") {
    const auto range = LogRange::open(disk, dir.path, Zxid(9), Zxid(3), 1 << 20);
    REQUIRE((range.has_value() && *range != nullptr));
    const auto txns = (*range)->next(1 << 20, behind);
    REQUIRE_FALSE(txns.has_value());
    CHECK(txns.error().context.find("nothing shows that 0x5 was the last of its epoch") != std::string::npos);
    CHECK(LogRange::open(disk, dir.path, Zxid(9), Zxid(5), 1 << 20).has_error());
    const auto late = LogRange::open(disk, dir.path, Zxid(9), Zxid(9), 1 << 20);
    REQUIRE((late.has_value() && *late != nullptr));
    CHECK(zxids(*(*late)->next(1 << 20, next)) == std::vector<std::int64_t>{5, next.value});
  }
  SUBCASE("the log behind the snapshot was replayed") {
    const auto range = LogRange::open(disk, dir.path, Zxid(5), Zxid(5), 1 << 20);
    REQUIRE((range.has_value() && *range != nullptr));
    CHECK(zxids(*(*range)->next(1 << 20, next)) == std::vector<std::int64_t>{5, next.value});
  }
}

TEST_CASE("a damaged end of a file that another one follows is not passed over") {
  fs::PosixDisk disk;
  TempDir dir;
  write_logs(disk, dir.path, 12, 5);
  const auto file = disk.open(dir.path + "/log.1", fs::OpenMode::write);
  REQUIRE(file.has_value());
  REQUIRE((*file)->pwrite(kFileHeaderSize + 4 * entry(1).size() + 20, "x").has_value());
  const auto range = LogRange::open(disk, dir.path, Zxid(0), Zxid(2), 1 << 20);
  REQUIRE((range.has_value() && *range != nullptr));
  const auto txns = (*range)->next(1 << 20, Zxid(20));
  REQUIRE_FALSE(txns.has_value());
  CHECK(txns.error().context.find("log.1 at offset ") != std::string::npos);
}

TEST_CASE("epochs are kept as Apache's text, and a new server has those of its last transaction") {
  fs::PosixDisk disk;
  TempDir dir;
  auto epochs = load_epochs(disk, dir.path, make_zxid(3, 7));
  REQUIRE(epochs.has_value());
  CHECK(epochs->accepted == 3);
  CHECK(epochs->current == 3);
  REQUIRE(write_accepted_epoch(disk, dir.path, 5).has_value());
  REQUIRE(write_current_epoch(disk, dir.path, 4).has_value());
  CHECK(*fs::read_file(disk, dir.path + "/acceptedEpoch") == "5");
  epochs = load_epochs(disk, dir.path, make_zxid(4, 7));
  CHECK(epochs->accepted == 5);
  CHECK(epochs->current == 4);
  CHECK(epochs->warnings.empty());
}

TEST_CASE("a server that stopped between a leader's transactions and its epoch stands for the older one") {
  fs::PosixDisk disk;
  TempDir dir;
  REQUIRE(write_accepted_epoch(disk, dir.path, 5).has_value());
  REQUIRE(write_current_epoch(disk, dir.path, 4).has_value());
  auto epochs = load_epochs(disk, dir.path, make_zxid(5, 1));
  REQUIRE(epochs.has_value());
  CHECK(epochs->current == 4);
  CHECK(epochs->warnings.size() == 1);
  write_text(disk, dir.path + "/currentEpoch.tmp", "5\n");  // Apache's server stopped before the rename
  epochs = load_epochs(disk, dir.path, make_zxid(5, 1));
  CHECK(epochs->current == 5);
  CHECK(*fs::read_file(disk, dir.path + "/currentEpoch") == "5");
}

TEST_CASE("epoch files that cannot be right stop the start with one sentence") {
  fs::PosixDisk disk;
  TempDir dir;
  write_text(disk, dir.path + "/currentEpoch", "x7");
  CHECK(load_epochs(disk, dir.path, Zxid(0)).error().context.find("holds no epoch number") !=
        std::string::npos);
  write_text(disk, dir.path + "/currentEpoch", "7");
  write_text(disk, dir.path + "/acceptedEpoch", "6");
  CHECK(load_epochs(disk, dir.path, Zxid(0)).error().context.find("is less than currentEpoch") !=
        std::string::npos);
  write_text(disk, dir.path + "/acceptedEpoch", "7");
  CHECK(load_epochs(disk, dir.path, make_zxid(9, 1)).has_error());
}
