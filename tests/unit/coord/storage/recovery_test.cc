#include "coord/storage/recovery.h"

#include <filesystem>
#include <functional>

#include "coord/storage/durable_mark.h"
#include "coord/storage/txn_log_reader.h"
#include "tests/unit/coord/storage/fixture.h"

using namespace tandem;
using namespace tandem::coord::storage;

namespace {

// snapshot.0 and log.1 with `count` transactions, synced one by one when `batch` is 1.
void write_log(fs::Disk& disk, const std::string& directory, std::int64_t count, std::int64_t batch = 1,
               std::int64_t first = 1) {
  TxnLog log(disk, {.directory = directory, .preallocate_bytes = 64 << 10});
  for (std::int64_t zxid = first; zxid < first + count; zxid += batch) {
    std::string entries;
    for (std::int64_t i = 0; i < batch; ++i) entries += entry(zxid + i);
    REQUIRE(log.write(Zxid(zxid), entries).has_value());
    REQUIRE(log.sync().has_value());
  }
}

void flip(fs::Disk& disk, const std::string& path, std::uint64_t offset) {
  auto file = disk.open(path, fs::OpenMode::write);
  REQUIRE(file.has_value());
  char byte = 0;
  REQUIRE((*file)->pread(offset, {&byte, 1}).has_value());
  byte = static_cast<char>(byte ^ 0x40);
  REQUIRE((*file)->pwrite(offset, {&byte, 1}).has_value());
}

std::uint64_t entry_offset(std::int64_t index) { return kFileHeaderSize + entry(1).size() * index; }

}  // namespace

TEST_CASE("a new directory is empty and needs a first snapshot") {
  TempDir dir;
  fs::PosixDisk disk;
  RecordingTarget target;
  const auto result = recover_all(disk, dir.path, target);
  REQUIRE(result.has_value());
  CHECK(result->empty);
  CHECK_FALSE(result->snapshot.has_value());
}

TEST_CASE("logs without a snapshot stop the start unless the empty snapshot is trusted") {
  TempDir dir;
  fs::PosixDisk disk;
  write_log(disk, dir.path, 3);
  RecordingTarget target;
  const auto refused = recover_all(disk, dir.path, target);
  REQUIRE(refused.has_error());
  CHECK(refused.error().context.find("snapshot.trust.empty=true") != std::string::npos);
  const auto trusted =
      recover(disk, {.log_directory = dir.path, .snapshot_directory = dir.path, .trust_empty_snapshot = true},
              target);
  REQUIRE(trusted.has_value());
  CHECK(trusted->txns == 3);
}

TEST_CASE("what was written comes back, over several files") {
  TempDir dir;
  fs::PosixDisk disk;
  write_empty_snapshot(disk, dir.path, 0);
  write_log(disk, dir.path, 10);
  write_log(disk, dir.path, 5, 5, 11);
  RecordingTarget target;
  const auto result = recover_all(disk, dir.path, target);
  REQUIRE(result.has_value());
  CHECK(result->warnings.empty());
  CHECK(result->last_zxid == Zxid(15));
  REQUIRE(target.txns.size() == 15);
  for (std::size_t i = 0; i < 15; ++i)
    CHECK(target.txns[i].header.zxid == Zxid(static_cast<std::int64_t>(i) + 1));
}

TEST_CASE("transactions that the snapshot holds are not replayed") {
  TempDir dir;
  fs::PosixDisk disk;
  write_empty_snapshot(disk, dir.path, 0);
  write_log(disk, dir.path, 10);
  write_empty_snapshot(disk, dir.path, 7);
  RecordingTarget target;
  const auto result = recover_all(disk, dir.path, target);
  REQUIRE(result.has_value());
  CHECK(result->snapshot == Zxid(7));
  CHECK(target.txns.size() == 3);
}

TEST_CASE("a torn tail is cut off and the next start finds a clean log") {
  TempDir dir;
  fs::PosixDisk disk;
  write_empty_snapshot(disk, dir.path, 0);
  write_log(disk, dir.path, 10);
  const std::string path = dir.path + "/log.1";
  {  // the first half of an entry that was never synced
    auto file = disk.open(path, fs::OpenMode::write);
    REQUIRE((*file)->pwrite(entry_offset(10), entry(11).substr(0, 40)).has_value());
  }
  for (const std::size_t warnings : {1, 0}) {
    RecordingTarget target;
    const auto result = recover_all(disk, dir.path, target);
    REQUIRE(result.has_value());
    CHECK(result->last_zxid == Zxid(10));
    CHECK(result->warnings.size() == warnings);
  }
  CHECK(disk.info(path)->size == entry_offset(10));
}

TEST_CASE("a hole in the last unsynced batch is a torn tail though whole entries follow it") {
  TempDir dir;
  fs::PosixDisk disk;
  write_empty_snapshot(disk, dir.path, 0);
  write_log(disk, dir.path, 10);
  {
    auto file = disk.open(dir.path + "/log.1", fs::OpenMode::write);
    REQUIRE((*file)->pwrite(entry_offset(11), entry(12)).has_value());
  }
  RecordingTarget target;
  const auto result = recover_all(disk, dir.path, target);
  REQUIRE(result.has_value());
  CHECK(result->last_zxid == Zxid(10));
}

TEST_CASE("a flipped bit in an entry that was durable stops the start with file, offset and advice") {
  for (const std::int64_t index : {0, 4, 9}) {
    TempDir dir;
    fs::PosixDisk disk;
    write_empty_snapshot(disk, dir.path, 0);
    write_log(disk, dir.path, 10);
    flip(disk, dir.path + "/log.1", entry_offset(index) + 30);
    RecordingTarget target;
    const auto result = recover_all(disk, dir.path, target);
    REQUIRE(result.has_error());
    CHECK(result.error().context.find(dir.path + "/log.1") != std::string::npos);
    CHECK(result.error().context.find(fmt::format("offset {}", entry_offset(index))) != std::string::npos);
    CHECK(result.error().context.find("zkTxnLogToolkit.sh") != std::string::npos);
  }
}

TEST_CASE("damage in the middle of another server's log stops the start too") {
  TempDir dir;
  fs::PosixDisk disk;
  write_empty_snapshot(disk, dir.path, 0);
  write_log(disk, dir.path, 10);
  REQUIRE(disk.unlink(dir.path + "/tandem.durable").has_value());
  flip(disk, dir.path + "/log.1", entry_offset(4) + 30);
  RecordingTarget target;
  CHECK(recover_all(disk, dir.path, target).has_error());
}

TEST_CASE("an empty last log file and one with only its header are removed") {
  TempDir dir;
  fs::PosixDisk disk;
  write_empty_snapshot(disk, dir.path, 0);
  write_log(disk, dir.path, 10);
  for (const std::string& content : {std::string(), encode_file_header(kLogMagic, 0)}) {
    {
      auto file = disk.open(dir.path + "/log.b", fs::OpenMode::create);
      REQUIRE((*file)->pwrite(0, content).has_value());
    }
    RecordingTarget target;
    const auto result = recover_all(disk, dir.path, target);
    REQUIRE(result.has_value());
    CHECK(result->last_zxid == Zxid(10));
  }
}

TEST_CASE("a missing log file is a hole in the zxids and stops the start") {
  TempDir dir;
  fs::PosixDisk disk;
  write_empty_snapshot(disk, dir.path, 0);
  write_log(disk, dir.path, 5);
  write_log(disk, dir.path, 5, 1, 6);
  write_log(disk, dir.path, 5, 1, 11);
  REQUIRE(disk.unlink(dir.path + "/log.6").has_value());
  RecordingTarget target;
  const auto result = recover_all(disk, dir.path, target);
  REQUIRE(result.has_error());
  CHECK(result.error().context.find("0xb follows 0x5") != std::string::npos);
}

TEST_CASE("a damaged or missing first transaction of an epoch is a hole, though the epochs differ") {
  TempDir dir;
  fs::PosixDisk disk;
  write_empty_snapshot(disk, dir.path, 0);
  write_log(disk, dir.path, 5);
  write_log(disk, dir.path, 1, 1, 0x300000001);
  write_log(disk, dir.path, 3, 1, 0x300000002);
  RecordingTarget whole;
  REQUIRE(recover_all(disk, dir.path, whole).has_value());
  CHECK(whole.txns.size() == 9);
  const std::string first = dir.path + "/log.300000001";
  flip(disk, first, entry_offset(0) + 20);
  REQUIRE(disk.unlink(dir.path + "/tandem.durable").has_value());
  RecordingTarget target;
  const auto damaged = recover_all(disk, dir.path, target);
  REQUIRE(damaged.has_error());
  CHECK(damaged.error().code == base::Errc::corrupt);
  CHECK(damaged.error().context.find("0x300000002 follows 0x5") != std::string::npos);
  REQUIRE(disk.unlink(first).has_value());
  CHECK(recover_all(disk, dir.path, target).has_error());
}

// log.1 with five transactions and log.100000001, of the next epoch, with three.
struct TwoEpochs {
  explicit TwoEpochs(std::int64_t snapshot = 0) {
    write_empty_snapshot(disk, dir.path, snapshot);
    write_log(disk, dir.path, 5);
    write_log(disk, dir.path, 3, 1, 0x100000001);
  }
  void change(const std::function<void(fs::File&)>& by) {
    auto file = disk.open(first, fs::OpenMode::write);
    REQUIRE(file.has_value());
    by(**file);
  }
  void flip_last() { flip(disk, first, entry_offset(4) + 30); }
  void forget_mark() { REQUIRE(disk.unlink(dir.path + "/tandem.durable").has_value()); }
  base::Result<Recovered> recovered(bool doubt_is_damage) {
    return recover(
        disk, {.log_directory = dir.path, .snapshot_directory = dir.path, .doubt_is_damage = doubt_is_damage},
        target);
  }

  TempDir dir;
  fs::PosixDisk disk;
  RecordingTarget target;
  std::string first = dir.path + "/log.1";
};

TEST_CASE("the last transaction of an epoch, rotted, is missed though no zxid behind it is") {
  const std::function<void(fs::File&)> ways[] = {
      [](fs::File& file) { REQUIRE(file.pwrite(entry_offset(4) + 30, "x").has_value()); },
      [](fs::File& file) {
        REQUIRE(file.pwrite(entry_offset(4), std::string(entry(5).size(), '\0')).has_value());
      },
      [](fs::File& file) { REQUIRE(file.truncate(entry_offset(4)).has_value()); }};
  for (const auto& way : ways) {
    TwoEpochs logs;
    logs.change(way);
    for (const bool doubt_is_damage : {false, true}) {
      const auto damaged = logs.recovered(doubt_is_damage);
      REQUIRE(damaged.has_error());
      CHECK(damaged.error().code == base::Errc::corrupt);
      CHECK(damaged.error().context.find("it was durable there once") != std::string::npos);
    }
  }
}

TEST_CASE("an end that may have been a transaction is doubted as long as nothing shows that it was none") {
  TwoEpochs logs;
  logs.flip_last();
  logs.forget_mark();
  const auto doubted = logs.recovered(true);
  REQUIRE(doubted.has_error());
  CHECK(doubted.error().code == base::Errc::corrupt);
  const auto alone = logs.recovered(false);
  REQUIRE(alone.has_value());
  CHECK(alone->last_zxid == Zxid(0x100000003));
  REQUIRE(alone->warnings.size() == 2);
  CHECK(alone->warnings[1].find("nothing shows whether") != std::string::npos);

  TwoEpochs agreeing;
  agreeing.flip_last();
  agreeing.forget_mark();
  agreeing.target.agreeing = true;
  CHECK(agreeing.recovered(true)->warnings.size() == 1);
}

TEST_CASE("a torn end before the snapshot that Apache's next start wrote is no damage") {
  TwoEpochs logs(5);
  logs.forget_mark();
  logs.change(
      [](fs::File& file) { REQUIRE(file.pwrite(entry_offset(5), entry(6).substr(0, 40)).has_value()); });
  const auto result = logs.recovered(true);
  REQUIRE(result.has_value());
  CHECK(result->last_zxid == Zxid(0x100000003));
  CHECK(result->warnings.size() == 2);
}

TEST_CASE("a log that another server cut and wrote behind is not judged by what was durable before") {
  TempDir dir;
  fs::PosixDisk disk;
  write_empty_snapshot(disk, dir.path, 0);
  write_log(disk, dir.path, 5);
  const std::string mark = dir.path + "/tandem.durable";
  const auto before = fs::read_file(disk, mark);
  write_log(disk, dir.path, 3, 1, 0x100000001);
  {
    auto file = disk.open(mark, fs::OpenMode::write);
    REQUIRE((*file)->pwrite(0, *before).has_value());
    file = disk.open(dir.path + "/log.1", fs::OpenMode::write);
    REQUIRE((*file)->truncate(entry_offset(3)).has_value());
  }
  RecordingTarget target;
  const auto result = recover_all(disk, dir.path, target);
  REQUIRE(result.has_value());
  CHECK(result->txns == 6);
}

TEST_CASE("an older copy of the log is taken for what it is, whatever was durable later") {
  TempDir dir;
  fs::PosixDisk disk;
  write_empty_snapshot(disk, dir.path, 0);
  write_log(disk, dir.path, 5);
  write_log(disk, dir.path, 5, 1, 6);
  REQUIRE(disk.unlink(dir.path + "/log.6").has_value());
  {
    auto file = disk.open(dir.path + "/log.1", fs::OpenMode::write);
    REQUIRE((*file)->truncate(entry_offset(3)).has_value());
  }
  RecordingTarget target;
  const auto result = recover_all(disk, dir.path, target);
  REQUIRE_MESSAGE(result.has_value(), result.error().context);
  CHECK(result->last_zxid == Zxid(3));
}

TEST_CASE("what was durable stays so when the next file is named and never comes") {
  TempDir dir;
  fs::PosixDisk disk;
  write_empty_snapshot(disk, dir.path, 0);
  write_log(disk, dir.path, 5);
  flip(disk, dir.path + "/log.1", entry_offset(4) + 30);
  REQUIRE(DurableMark().begin(disk, dir.path, Zxid(6), true).has_value());
  RecordingTarget target;
  CHECK(recover_all(disk, dir.path, target).has_error());
}

TEST_CASE("the mark knows the last files in order, and forgets those from one that is begun again") {
  TempDir dir;
  fs::PosixDisk disk;
  const auto begin = [&](std::int64_t log, std::uint64_t bytes) {
    DurableMark mark;
    REQUIRE(mark.begin(disk, dir.path, Zxid(log), true).has_value());
    if (bytes > 0) mark.set({Zxid(log), bytes});
  };
  for (std::int64_t log = 1; log <= 40; ++log) begin(log, static_cast<std::uint64_t>(100 * log));
  auto known = DurableMark::read(disk, dir.path);
  REQUIRE(known.size() == 25);
  CHECK(known.front() == DurablePosition{Zxid(16), 1600});
  CHECK(known.back() == DurablePosition{Zxid(40), 4000});
  begin(18, 0);
  known = DurableMark::read(disk, dir.path);
  REQUIRE(known.size() == 3);
  CHECK(known[1] == DurablePosition{Zxid(17), 1700});
  CHECK(known[2] == DurablePosition{Zxid(18), 0});
  DurableMark::remember(disk, dir.path, {{Zxid(17), 1800}, {Zxid(18), 90}});
  known = DurableMark::read(disk, dir.path);
  REQUIRE(known.size() == 3);
  CHECK(known[0].log == Zxid(16));
  CHECK(known[2] == DurablePosition{Zxid(18), 90});
}

TEST_CASE("a damaged newest snapshot falls back to the one before") {
  TempDir dir;
  fs::PosixDisk disk;
  write_empty_snapshot(disk, dir.path, 0);
  write_log(disk, dir.path, 10);
  write_empty_snapshot(disk, dir.path, 7);
  flip(disk, dir.path + "/snapshot.7", 40);
  RecordingTarget target;
  const auto result = recover_all(disk, dir.path, target);
  REQUIRE(result.has_value());
  CHECK(result->snapshot == Zxid(0));
  CHECK(target.txns.size() == 10);
  CHECK(result->warnings.size() == 1);
}

TEST_CASE("Apache's directory is read whole, from its snapshots of each compression and its logs") {
  fs::PosixDisk disk;
  TempDir copy;  // recovery leaves its mark
  std::filesystem::copy("tests/golden/coord-3.9.5", copy.path, std::filesystem::copy_options::recursive);
  const std::string& golden = copy.path;
  RecordingTarget whole;
  const auto all = recover_all(disk, golden, whole);
  REQUIRE(all.has_value());
  CHECK(all->snapshot == Zxid(0x28));
  CHECK(all->last_zxid == Zxid(0x28));
  CHECK(whole.nodes.count("/plain/eph") == 1);

  for (const char* name : {"snapshot.0", "snapshot.24.gz", "snapshot.26.snappy", "snapshot.28"}) {
    const auto file = parse_snapshot_name(name);
    RecordingTarget target;
    const auto trailer = read_snapshot(disk, golden + "/" + name, file->compression, target);
    REQUIRE_MESSAGE(trailer.has_value(), name);
    CHECK(trailer->last_processed == file->zxid);
    CHECK(looks_valid(disk, golden + "/" + name, file->compression).value());
    CHECK(target.nodes.count("/zookeeper/quota") == 1);
  }
}

TEST_CASE("Apache's log entries come back byte for byte from what they decode to") {
  fs::PosixDisk disk;
  std::uint64_t seen = 0;
  for (const char* name : {"log.1", "log.25", "log.27"}) {
    auto reader = TxnLogReader::open(disk, std::string("tests/golden/coord-3.9.5/") + name);
    REQUIRE(reader.has_value());
    for (;;) {
      const auto payload = (*reader)->next();
      REQUIRE(payload.has_value());
      if (!payload->has_value()) break;
      const auto txn = coord::records::decode_payload(**payload);
      REQUIRE(txn.has_value());
      std::string again;
      encode_payload(again, txn->header, txn->body, txn->digest ? &*txn->digest : nullptr);
      CHECK(again == **payload);
      ++seen;
    }
    CHECK((*reader)->end() == LogEnd::clean);
  }
  CHECK(seen == 0x28);
}
