#include <filesystem>

#include "log_fixture.h"

using namespace tandem::broker;
using namespace tandem::broker::log;

namespace {

constexpr const char* kFirst = "00000000000000000000";

std::string first(const char* suffix) { return std::string(kFirst) + suffix; }

class Damaged : public LogFixture {
 public:
  Damaged() {
    config.index_interval_bytes = 100;
    open();
    for (int i = 0; i < 50; ++i, now += 5)
      append(2, {.producer_id = 9, .producer_epoch = 1, .base_sequence = 2 * i});
  }
};

}  // namespace

TEST_CASE_FIXTURE(Damaged,
                  "after a kill everything that reached the file is there and the indexes are built again") {
  kill();
  open();
  CHECK(report.recovered_segments == 1);
  CHECK(report.truncated_bytes == 0);
  CHECK(offsets() == range_of(0, 100));
  CHECK(log->producers().producers().at(9).last_sequence() == 99);
  CHECK(append(2, {.producer_id = 9, .producer_epoch = 1, .base_sequence = 98}).duplicate);
}

TEST_CASE_FIXTURE(LogFixture, "epochs that were not written down are found again in the batches") {
  open();
  append(5);
  epoch = 2;
  append(5);
  REQUIRE(log->epochs().assign(7, 10).has_value());  // led, and nothing was written in it
  CHECK(log->epochs().unsaved());
  kill();
  open();
  CHECK(log->epochs().entries() == std::vector<EpochStart>{{0, 0}, {2, 5}});
  auto work = log->begin_flush(now);
  log->end_flush(work, Log::run(disk, work));
  CHECK(!log->epochs().unsaved());
  kill();
  open(false, 10);
  CHECK(log->epochs().entries() == std::vector<EpochStart>{{0, 0}, {2, 5}});
}

TEST_CASE_FIXTURE(LogFixture, "epochs of deleted records that a crash brings back are found in the batches") {
  config.segment_bytes = 1024;
  open();
  const auto written = [this](std::int32_t of, int batches) {
    epoch = of;
    for (int i = 0; i < batches; ++i) append(5);
  };
  written(2, 10);
  written(4, 3);
  written(5, 10);
  REQUIRE(log->segment_count() > 2);
  const std::vector<EpochStart> all{{2, 0}, {4, 50}, {5, 65}};
  CHECK(log->epochs().entries() == all);
  REQUIRE(log->advance_start(82).has_value());
  CHECK(log->epochs().entries() == std::vector<EpochStart>{{5, 82}});
  log->close(true);
  open(false, 115, 32);
  CHECK(log->start_offset() == 32);
  CHECK(log->epochs().entries() == std::vector<EpochStart>{{2, 32}, {4, 50}, {5, 65}});
  CHECK(log->epochs().end_of(3, 115) == EpochEnd{2, 50});
  CHECK(log->epochs().unsaved());
}

TEST_CASE_FIXTURE(LogFixture,
                  "an epoch that a torn tail took away is not written over by batches of an older one") {
  open();
  append(5);
  const auto size = log->size();
  epoch = 5;
  append(5);
  close();
  edit(first(".log"), [&](std::string& bytes) { bytes.resize(size); });
  open(false, 0);
  CHECK(log->epochs().entries() == std::vector<EpochStart>{{0, 0}});
  epoch = 0;
  append(10);
  CHECK(!log->epochs().unsaved());
  kill();
  open(false, 15);
  CHECK(log->epochs().entries() == std::vector<EpochStart>{{0, 0}});
}

TEST_CASE_FIXTURE(LogFixture,
                  "who leads an empty log again in the epoch that is written down writes nothing") {
  open();
  REQUIRE(log->epochs().assign(3, 0).has_value());
  close();
  for (const bool clean : {true, false}) {
    open(clean);
    CHECK(log->epochs().entries().empty());  // it says nothing: there are no records of it
    const auto written = std::filesystem::last_write_time(path("leader-epoch-checkpoint"));
    REQUIRE(log->epochs().assign(3, 0).has_value());
    CHECK(log->epochs().entries() == std::vector<EpochStart>{{3, 0}});
    CHECK(!log->epochs().unsaved());
    CHECK(std::filesystem::last_write_time(path("leader-epoch-checkpoint")) == written);
    kill();
  }
  open();
  REQUIRE(log->epochs().assign(2, 0).has_value());  // the file would take its batches for those of epoch 3
  kill();
  open();
  REQUIRE(log->epochs().assign(2, 0).has_value());
  CHECK(!log->epochs().unsaved());
}

TEST_CASE_FIXTURE(Damaged, "a torn tail is cut at the last whole batch, wherever it was torn") {
  const auto size = log->size();
  kill();
  for (std::uint64_t cut = 1; cut < 200; cut += 17) {
    CAPTURE(cut);
    edit(first(".log"), [&](std::string& bytes) { bytes.resize(size - cut); });
    open();
    const std::int64_t end = log->end_offset();
    CHECK(end == 2 * static_cast<std::int64_t>((size - cut) / (size / 50)));
    CHECK(offsets() == range_of(0, end));
    for (int i = static_cast<int>(end) / 2; i < 50; ++i)
      append(2, {.producer_id = 9, .producer_epoch = 1, .base_sequence = 2 * i});
    REQUIRE(log->size() == size);
    kill();
  }
}

TEST_CASE_FIXTURE(Damaged, "zeros behind the last batch, as a power cut leaves them, are cut off") {
  kill();
  edit(first(".log"), [](std::string& bytes) { bytes.append(10000, '\0'); });
  open();
  CHECK(report.truncated_bytes == 10000);
  CHECK(log->end_offset() == 100);
}

TEST_CASE_FIXTURE(Damaged, "a flipped bit cuts the log at the batch that holds it") {
  kill();
  edit(first(".log"), [](std::string& bytes) { bytes[bytes.size() / 2] ^= 4; });
  open();
  CHECK(log->end_offset() == 50);
  CHECK(offsets() == range_of(0, 50));
  CHECK(report.notes.size() == 2);
  const auto kept = tandem::fs::read_file(disk, path(first(".log.damaged")));  // no torn end
  REQUIRE(kept.has_value());
  CHECK(kept->size() == report.truncated_bytes);
}

TEST_CASE_FIXTURE(Damaged, "a torn end is not kept, a hole in the middle is, whatever its length says") {
  kill();
  const auto whole = tandem::fs::read_file(disk, path(first(".log")));
  REQUIRE(whole.has_value());
  const std::size_t batch = whole->size() / 50;
  edit(first(".log"), [&](std::string& bytes) { bytes.resize(bytes.size() - batch / 2); });
  open();
  CHECK(!tandem::fs::exists(disk, path(first(".log.damaged"))));
  kill();
  edit(first(".log"), [&](std::string& bytes) {
    bytes = *whole;
    bytes[30 * batch + 9] = '\x7f';  // a length that leads out of the file
  });
  open();
  CHECK(log->end_offset() == 60);
  const auto kept = tandem::fs::read_file(disk, path(first(".log.damaged")));
  REQUIRE(kept.has_value());
  CHECK(kept->size() == 20 * batch);
}

TEST_CASE_FIXTURE(Damaged, "recovery cuts at a base offset that rotted, not behind it") {
  kill();
  edit(first(".log"), [](std::string& bytes) { bytes[30 * (bytes.size() / 50) + 7] ^= 64; });  // 60 to 124
  open();
  CHECK(log->end_offset() == 60);
  CHECK(offsets() == range_of(0, 60));
}

TEST_CASE_FIXTURE(Damaged,
                  "segments behind a damaged one are dropped, those before the recovery point are not read") {
  config.segment_bytes = 1000;
  log->set_config(config);
  for (int i = 50; i < 100; ++i) append(2, {.producer_id = 9, .producer_epoch = 1, .base_sequence = 2 * i});
  REQUIRE(log->segment_count() > 3);
  kill();
  edit(first(".log"), [](std::string& bytes) { bytes[3000] ^= 1; });
  open(false, 150);
  CHECK(report.recovered_segments < 5);
  CHECK(log->end_offset() == 200);
  kill();
  open(false, 0);
  CHECK(log->segment_count() == 1);
  CHECK(log->end_offset() < 100);
  CHECK(tandem::fs::exists(disk, path("00000000000000000100.log.damaged")));
  CHECK(offsets() == range_of(0, log->end_offset()));
}

TEST_CASE_FIXTURE(Damaged,
                  "a segment that a power cut left too short ends the log, unless that is compacted") {
  config.segment_bytes = 1000;
  log->set_config(config);
  for (int i = 50; i < 60; ++i) append(2, {.producer_id = 9, .producer_epoch = 1, .base_sequence = 2 * i});
  REQUIRE(log->segment_count() > 1);
  kill();
  edit(first(".log"), [](std::string& bytes) { bytes.resize(bytes.size() / 50 * 48); });
  config.cleanup_compact = true;
  open(false, 0);
  CHECK(log->end_offset() == 120);
  kill();
  config.cleanup_compact = false;
  open(false, 0);
  CHECK(log->segment_count() == 1);
  CHECK(log->end_offset() == 96);
  CHECK(tandem::fs::exists(disk, path("00000000000000000100.log.damaged")));
  CHECK(offsets() == range_of(0, 96));
}

TEST_CASE_FIXTURE(Damaged, "a missing or torn index is built again, even after a clean stop") {
  close();
  const auto damage = {
      +[](LogFixture& f) { REQUIRE(f.disk.unlink(f.path(first(".index"))).has_value()); },
      +[](LogFixture& f) { REQUIRE(f.disk.unlink(f.path(first(".timeindex"))).has_value()); },
      +[](LogFixture& f) { f.edit(first(".index"), [](std::string& bytes) { bytes.pop_back(); }); },
      +[](LogFixture& f) { f.edit(first(".timeindex"), [](std::string& bytes) { bytes.append(5, '\0'); }); },
      +[](LogFixture& f) { f.edit(first(".index"), [](std::string& bytes) { bytes.append(4096, '\0'); }); },
      +[](LogFixture& f) {
        f.edit(first(".timeindex"), [](std::string& bytes) { bytes.append(1200, '\0'); });
      },
      +[](LogFixture& f) {  // the last entry is before the first
        f.edit(first(".timeindex"), [](std::string& bytes) { bytes.append(std::string(12, '\0')); });
      },
  };
  int kind = 0;
  for (const auto& break_it : damage) {
    CAPTURE(kind++);
    break_it(*this);
    open(true);
    CHECK(report.rebuilt_indexes == 1);
    CHECK(offsets() == range_of(0, 100));
    CHECK(log->find_timestamp(now - 100)->value().offset == 60);
    CHECK(log->producers().producers().at(9).last_sequence() == 99);
    close();
  }
}

TEST_CASE_FIXTURE(Damaged, "a corrupt producer snapshot is thrown away and the state read from the log") {
  close();
  edit("00000000000000000100.snapshot", [](std::string& bytes) { bytes[20] ^= 1; });
  open(true);
  CHECK(log->producers().producers().at(9).last_sequence() == 99);
  CHECK(!append(2, {.producer_id = 9, .producer_epoch = 1, .base_sequence = 100}).duplicate);
}

TEST_CASE_FIXTURE(
    LogFixture,
    "an epoch whose leader wrote nothing does not move the start of the one before by a recovery") {
  open();
  epoch = 2;
  append(5);
  epoch = 4;
  append(3);
  REQUIRE(log->roll(now).has_value());
  append(2);
  REQUIRE(log->epochs().assign(5, log->end_offset()).has_value());
  REQUIRE(log->epochs().save().has_value());
  const auto before = log->epochs().entries();
  kill();
  open(false, 8);
  CHECK(log->epochs().entries() == std::vector<EpochStart>(before.begin(), before.end() - 1));
  CHECK(log->epochs().end_of(2, log->end_offset()) == EpochEnd{2, 5});
}

TEST_CASE_FIXTURE(LogFixture, "epochs that the batches contradict are taken from the batches") {
  open();
  epoch = 2;
  append(5);
  epoch = 4;
  append(3);
  REQUIRE(log->epochs().clear().has_value());
  REQUIRE(log->epochs().assign(1, 0).has_value());
  REQUIRE(log->epochs().assign(3, 4).has_value());
  kill();
  open();
  CHECK(log->epochs().entries() == std::vector<EpochStart>{{2, 0}, {4, 5}});
}

TEST_CASE_FIXTURE(Damaged, "files that a crash left in the middle of deletion or cleaning are removed") {
  close();
  for (const char* name : {"00000000000000000000.log.deleted", "00000000000000000200.index",
                           "00000000000000000000.log.cleaned", "00000000000000000050.snapshot"}) {
    auto file = *disk.open(path(name), tandem::fs::OpenMode::create);
    REQUIRE(file->append("x").has_value());
  }
  open(true);
  for (const char* name : {"00000000000000000000.log.deleted", "00000000000000000200.index",
                           "00000000000000000000.log.cleaned", "00000000000000000050.snapshot"})
    CHECK(!tandem::fs::exists(disk, path(name)));
  CHECK(offsets() == range_of(0, 100));
}

TEST_CASE_FIXTURE(Damaged, "a log that ends below its start offset begins anew there") {
  kill();
  open(false, 0, 500);
  CHECK(log->start_offset() == 500);
  CHECK(log->end_offset() == 500);
  CHECK(append().first_offset == 500);
}

TEST_CASE_FIXTURE(Damaged, "a segment replaced by the cleaner is swapped in though the stop came first") {
  close();
  REQUIRE(disk.rename(path(first(".log")), path(first(".log.swap"))).has_value());
  REQUIRE(disk.rename(path(first(".index")), path(first(".index.swap"))).has_value());
  REQUIRE(disk.rename(path(first(".timeindex")), path(first(".timeindex.swap"))).has_value());
  open(true);
  CHECK(offsets() == range_of(0, 100));
}

TEST_CASE_FIXTURE(Damaged, "after two deaths in a row a producer's last five batches are still known") {
  for (int life = 0; life < 3; ++life) {
    for (int i = 45; i < 50; ++i)
      CHECK(append(2, {.producer_id = 9, .producer_epoch = 1, .base_sequence = 2 * i}).duplicate);
    kill();
    open();
  }
}
