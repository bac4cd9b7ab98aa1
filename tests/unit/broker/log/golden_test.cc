// Log directories written by Apache Kafka, opened by ours. Test programs run in the root of the source tree.
#include "log_fixture.h"

using namespace tandem::broker;
using namespace tandem::broker::log;
namespace fs = tandem::fs;

namespace {

struct Golden {
  const char* version;
  const char* name;
  std::int64_t start;
  std::int64_t end;
  std::size_t records;
};

constexpr Golden kGolden[] = {
    {"3.9.1", "codecs-0", 0, 180, 180},  {"3.9.1", "txn-0", 0, 66, 66},
    {"3.9.1", "compacted-0", 0, 80, 19}, {"2.7.2", "codecs-0", 0, 180, 180},
    {"2.7.2", "magic0-0", 0, 144, 144},  {"2.7.2", "magic1-0", 0, 144, 144},
};

// A copy of a recorded directory under the fixture's root.
class Copy : public LogFixture {
 public:
  explicit Copy(const Golden& golden) {
    const std::string from = std::string("tests/golden/broker-") + golden.version + "/" + golden.name;
    REQUIRE(disk.make_dirs(dir()).has_value());
    const auto entries = disk.list(from);
    REQUIRE_MESSAGE(entries.has_value(), from);
    for (const auto& entry : *entries) {
      files[entry.name] = *fs::read_file(disk, from + "/" + entry.name);
      auto file = *disk.open(path(entry.name), fs::OpenMode::create);
      REQUIRE(file->append(files[entry.name]).has_value());
    }
    config.index_interval_bytes = 300;
    now = 1'795'324'700'000;  // soon after the recording, so that no producer has expired
  }

  std::map<std::string, std::string> files;
};

std::size_t keys_of(Log& log, std::vector<std::int64_t>& offsets) {
  std::size_t records = 0;
  for (std::int64_t from = log.start_offset(); from < log.end_offset();) {
    const auto range = log.read(from, 1 << 20, log.end_offset(), true);
    REQUIRE(range.has_value());
    if (range->size == 0) break;
    std::string bytes(range->size, '\0');
    REQUIRE(*range->file->pread(range->position, bytes) == bytes.size());
    record::BatchCursor cursor(bytes);
    while (cursor.next()) {
      CHECK(cursor.batch().is_valid());
      record::RecordReader reader(cursor.batch());
      record::RecordView record;
      while (reader.next(record)) {
        offsets.push_back(record.offset);
        ++records;
      }
      REQUIRE(!reader.error());
      from = cursor.batch().next_offset();
    }
  }
  return records;
}

}  // namespace

TEST_CASE("directories of a cleanly stopped Kafka open with nothing to mend, and every record reads") {
  for (const Golden& golden : kGolden) {
    CAPTURE(golden.version);
    CAPTURE(golden.name);
    Copy copy(golden);
    Log& log = copy.open(true, golden.end);
    CHECK(copy.report.notes.empty());
    CHECK(copy.report.rebuilt_indexes == 0);
    CHECK(copy.report.recovered_segments == 0);
    CHECK(log.start_offset() == golden.start);
    CHECK(log.end_offset() == golden.end);
    std::vector<std::int64_t> offsets;
    CHECK(keys_of(log, offsets) == golden.records);
    CHECK(std::is_sorted(offsets.begin(), offsets.end()));
  }
}

TEST_CASE("a clean stop changes no file of Kafka's, and indexes built again from its segments are its own") {
  for (const Golden& golden : kGolden) {
    CAPTURE(golden.version);
    CAPTURE(golden.name);
    // Rebuilt indexes have an entry for each message of an old set where the append had one for all, 2.7
    // pointed the time index at records instead of batches, and the cleaner counts in its own way: what Kafka
    // itself builds again differs there too.
    const bool same_rebuilt =
        std::string_view(golden.version) == "3.9.1" && std::string_view(golden.name) != "compacted-0";
    for (const bool clean : {true, false}) {
      CAPTURE(clean);
      if (!clean && !same_rebuilt) continue;
      Copy copy(golden);
      copy.open(clean, clean ? golden.end : 0);
      CHECK(copy.report.truncated_bytes == 0);
      copy.close();
      for (const auto& [name, contents] : copy.files) {
        CAPTURE(name);
        if (name.ends_with(".snapshot")) continue;  // the order of its entries is free
        const auto now = fs::read_file(copy.disk, copy.path(name));
        REQUIRE(now.has_value());
        CHECK(*now == contents);
      }
    }
  }
}

TEST_CASE(
    "producers, open transactions and aborted ones read from Kafka's snapshot are those in the segment") {
  Copy loaded({"3.9.1", "txn-0", 0, 66, 66});
  Log& from_snapshot = loaded.open(true, 66);
  const auto aborted = from_snapshot.aborted_in(0, 66);
  REQUIRE(aborted.has_value());
  REQUIRE(aborted->size() == 1);
  CHECK(aborted->front().first_offset < aborted->front().last_offset);
  Copy replayed({"3.9.1", "txn-0", 0, 66, 66});
  REQUIRE(replayed.disk.unlink(replayed.path("00000000000000000066.snapshot")).has_value());
  Log& from_log = replayed.open(false, 0);
  from_log.set_high_watermark(66);
  CHECK(from_log.first_unstable_offset() == 66);
  REQUIRE(from_log.producers().size() == from_snapshot.producers().size());
  for (const auto& [id, entry] : from_log.producers().producers()) {
    const auto& other = from_snapshot.producers().producers().at(id);
    CHECK(entry.epoch == other.epoch);
    CHECK(entry.last_sequence() == other.last_sequence());
    CHECK(entry.coordinator_epoch == other.coordinator_epoch);
    CHECK(entry.txn_first_offset == other.txn_first_offset);
  }
}

TEST_CASE("an idempotent producer of Kafka's goes on with its next sequence") {
  Copy copy({"3.9.1", "codecs-0", 0, 180, 180});
  copy.open(true, 180);
  const auto producers = copy.log->producers().producers();
  REQUIRE(!producers.empty());
  for (const auto& [id, entry] : producers) {
    const record::BatchOptions next{
        .producer_id = id, .producer_epoch = entry.epoch, .base_sequence = entry.last_sequence() + 1};
    const auto appended = copy.append(1, next);
    CHECK(appended.error == 0);
    CHECK(!appended.duplicate);
    CHECK(copy.append(1, next).duplicate);
  }
}
