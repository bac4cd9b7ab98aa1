#include <sys/stat.h>

#include <deque>

#include "log_fixture.h"

using namespace tandem::broker;
using namespace tandem::broker::log;

TEST_CASE_FIXTURE(LogFixture,
                  "what was appended is read back from every offset, across segments and a clean stop") {
  config.segment_bytes = 2000;
  open();
  for (int i = 0; i < 100; ++i) CHECK(append(3).first_offset == 3 * i);
  CHECK(log->segment_count() > 5);
  for (int round = 0; round < 2; ++round) {
    CHECK(log->end_offset() == 300);
    CHECK(offsets() == range_of(0, 300));
    for (std::int64_t from = 0; from < 300; from += 7) CHECK(offsets(from, 500) == range_of(from, 300));
    close();
    open(true);
    CHECK(report.recovered_segments == 0);
    CHECK(report.rebuilt_indexes == 0);
  }
}

TEST_CASE_FIXTURE(LogFixture, "staged batches are written together, and before the segment rolls") {
  config.segment_bytes = 2000;
  open();
  const auto size = [&] { return tandem::fs::read_file(disk, path("00000000000000000000.log"))->size(); };
  std::deque<std::string> kept;  // what is staged stays where it is
  const auto stage = [&] {
    record::BatchBuilder builder({});
    builder.append(now, "key", std::string(300, 'v'));
    kept.push_back(*builder.finish());
    record::Validated validated;
    record::validate(kept.back(), {.next_offset = log->end_offset(), .now_ms = now}, validated);
    REQUIRE(log->append(validated, record::Origin::client, now, true).has_value());
  };
  append();
  const std::size_t written = size();
  for (int i = 0; i < 3; ++i) stage();
  CHECK(log->has_staged());
  CHECK(size() == written);
  REQUIRE(log->write_staged().has_value());
  CHECK(!log->has_staged());
  CHECK(size() > written + 900);
  for (int i = 0; i < 5; ++i) stage();
  CHECK(log->segment_count() == 2);
  append();  // not staged: what was goes first
  CHECK(!log->has_staged());
  CHECK(offsets() == range_of(0, 10));
}

TEST_CASE_FIXTURE(LogFixture,
                  "a log that grew has blocks past its end, also after a cut, and none when closed") {
  open();
  const std::string value(900'000, 'v');
  const std::string file = path("00000000000000000000.log");
  const auto past_end = [&] {
    struct stat info {};
    REQUIRE(::stat(file.c_str(), &info) == 0);
    return info.st_blocks * 512 - info.st_size;
  };
  for (int i = 0; i < 14; ++i) append(1, {}, value);
  CHECK(past_end() > 1 << 20);
  REQUIRE(log->truncate_to(11).has_value());
  CHECK(past_end() < 64 << 10);
  append(1, {}, value);
  CHECK(past_end() > 1 << 20);
  close();
  CHECK(past_end() < 64 << 10);
  CHECK(disk.info(file)->modified_ms == now);  // retention counts from the last append
  open(true);
  CHECK(offsets() == range_of(0, 12));
}

TEST_CASE_FIXTURE(LogFixture, "a segment whose time of change cannot be set back is rolled, with a note") {
  open();
  for (int i = 0; i < 14; ++i) append(1, {}, std::string(900'000, 'v'));
  const std::string file = path("00000000000000000000.log");
  REQUIRE(disk.rename(file, path("away")).has_value());
  CHECK(log->roll(now).has_value());
  REQUIRE(disk.rename(path("away"), file).has_value());
  CHECK(log->segment_count() == 2);
  CHECK(log->take_notes().size() == 1);
  CHECK(log->take_notes().empty());
  append();
  CHECK(offsets() == range_of(0, 15));
}

TEST_CASE_FIXTURE(LogFixture,
                  "a read stops below the given offset and gives a whole first batch when asked to") {
  open();
  for (int i = 0; i < 10; ++i) append(2);
  const auto all = *log->read(0, 1 << 20, 20, true);
  const auto half = *log->read(0, 1 << 20, 10, true);
  CHECK(half.size * 2 == all.size);
  CHECK(log->read(10, 1 << 20, 10, true)->size == 0);
  CHECK(log->read(0, 1, 20, true)->size == all.size / 10);
  CHECK(log->read(0, 1, 20, false)->size == 1);
  CHECK(log->read(20, 100, 20, true)->size == 0);
}

TEST_CASE_FIXTURE(LogFixture, "an offset is found by its timestamp, deep inside a batch") {
  config.segment_bytes = 3000;
  open();
  for (int i = 0; i < 60; ++i, now += 10) {
    record::BatchBuilder builder({.codec = record::Codec::gzip});
    for (int k = 0; k < 3; ++k) builder.append(now + k, "k", "v");
    record::Validated validated;
    const std::string sent = *builder.finish();
    record::validate(sent, {.next_offset = log->end_offset(), .leader_epoch = 3}, validated);
    REQUIRE(log->append(validated, record::Origin::client, now).has_value());
  }
  const std::int64_t start = now - 600;
  CHECK(log->find_timestamp(start)->value().offset == 0);
  CHECK(log->find_timestamp(start + 101)->value().offset == 31);
  CHECK(log->find_timestamp(start + 103)->value().offset == 33);
  CHECK(log->find_timestamp(start + 103)->value().leader_epoch == 3);
  CHECK(!log->find_timestamp(now + 1000)->has_value());
  CHECK(log->find_max_timestamp()->value().offset == 179);
}

TEST_CASE_FIXTURE(LogFixture, "time rolls a segment, counted from its first record") {
  config.segment_ms = 1000;
  open();
  append();
  now += 1000;
  append();
  CHECK(log->segment_count() == 1);
  now += 1;
  append();
  CHECK(log->segment_count() == 2);
}

TEST_CASE_FIXTURE(LogFixture, "a full index rolls the segment, the time index with one slot left") {
  config.index_bytes_max = 80;
  config.index_interval_bytes = 1;
  open();
  for (int i = 0; i < 30; ++i, now += 1) append();
  CHECK(log->segment_count() == 5);
  CHECK(offsets() == range_of(0, 30));
}

TEST_CASE_FIXTURE(
    LogFixture,
    "retention by time removes whole segments, the active one as well, never beyond the watermark") {
  config.segment_bytes = 200;
  config.retention_ms = 10000;
  open();
  for (int i = 0; i < 10; ++i, now += 1000) append();
  log->set_high_watermark(5);
  auto gone = *log->apply_retention(now + 100000);
  CHECK(!gone.files.empty());
  CHECK(log->start_offset() <= 5);
  CHECK(log->start_offset() >= 4);
  for (const auto& file : gone.files) CHECK(file.ends_with(".deleted"));
  log->set_high_watermark(10);
  REQUIRE(log->apply_retention(now + 100000).has_value());
  CHECK(log->start_offset() == 10);
  CHECK(log->end_offset() == 10);
  CHECK(append().first_offset == 10);
  kill();
  open(false, 0, 10);
  CHECK(offsets(10) == range_of(10, 11));
}

TEST_CASE_FIXTURE(LogFixture,
                  "retention by size keeps at least the limit, and a compact-only topic loses nothing") {
  config.segment_bytes = 200;
  config.retention_bytes = 500;
  config.retention_ms = -1;
  config.cleanup_delete = false;
  config.cleanup_compact = true;
  open();
  for (int i = 0; i < 20; ++i) append();
  REQUIRE(log->apply_retention(now + 1000000000000).has_value());
  CHECK(log->start_offset() == 0);
  config.cleanup_delete = true;
  log->set_config(config);
  const auto before = log->size();
  REQUIRE(log->apply_retention(now).has_value());
  CHECK(log->size() >= 500);
  CHECK(log->size() < before);
  CHECK(log->start_offset() > 0);
}

TEST_CASE_FIXTURE(LogFixture, "a raised start offset lets whole segments below it go") {
  config.segment_bytes = 200;
  open();
  for (int i = 0; i < 20; ++i) append();
  REQUIRE(log->advance_start(11).has_value());
  REQUIRE(log->apply_retention(now).has_value());
  CHECK(log->start_offset() == 11);
  CHECK(offsets(11) == range_of(11, 20));
  close();
  open(true, 20, 11);
  CHECK(log->start_offset() == 11);
}

TEST_CASE_FIXTURE(LogFixture,
                  "a truncation that cuts nothing forgets an epoch in which nothing was appended") {
  open();
  append(2);
  REQUIRE(log->epochs().assign(7, log->end_offset()).has_value());
  REQUIRE(log->epochs().latest() == 7);
  CHECK(log->truncate_to(log->end_offset()).value() == 0);
  CHECK(log->epochs().latest() == 0);
  CHECK(offsets() == range_of(0, 2));
}

TEST_CASE_FIXTURE(LogFixture, "truncation cuts at the batch that holds the offset and appends go on there") {
  config.segment_bytes = 300;
  open();
  for (int i = 0; i < 20; ++i) {
    if (i == 12) epoch = 4;
    append(2);
  }
  REQUIRE(log->truncate_to(27).has_value());
  CHECK(log->end_offset() == 26);
  CHECK(offsets() == range_of(0, 26));
  CHECK(append(2).first_offset == 26);
  REQUIRE(log->truncate_to(10).has_value());
  CHECK(log->epochs().latest() == 0);
  CHECK(offsets() == range_of(0, 10));
  REQUIRE(log->truncate_fully_at(100).has_value());
  CHECK(append().first_offset == 100);
  close();
  open(true);
  CHECK(offsets(100) == range_of(100, 101));
}

TEST_CASE_FIXTURE(LogFixture, "leader epochs give the end offset of each epoch") {
  open();
  append(5);
  epoch = 2;
  append(5);
  epoch = 5;
  append(5);
  LeaderEpochs& epochs = log->epochs();
  CHECK(epochs.end_of(5, 15) == EpochEnd{5, 15});
  CHECK(epochs.end_of(4, 15) == EpochEnd{2, 10});
  CHECK(epochs.end_of(1, 15) == EpochEnd{0, 5});
  CHECK(epochs.end_of(6, 15) == EpochEnd{});
  CHECK(epochs.end_of(-1, 15) == EpochEnd{});
  REQUIRE(epochs.truncate_from_start(7).has_value());
  CHECK(epochs.end_of(0, 15) == EpochEnd{0, 7});
  close();
  open(true, 15, 7);
  CHECK(log->epochs().entries() == std::vector<EpochStart>{{2, 7}, {5, 10}});
}

TEST_CASE_FIXTURE(LogFixture, "flushing moves the recovery point, a failed sync ends the log") {
  open();
  append(5);
  CHECK(log->recovery_point() == 0);
  auto work = log->begin_flush(now);
  append(5);
  log->end_flush(work, Log::run(disk, work));
  CHECK(log->recovery_point() == 5);
  work = log->begin_flush(now);
  log->end_flush(work, tandem::base::make_error(tandem::base::Errc::io, "no disk"));
  CHECK(log->failed());
  CHECK(!log->read(0, 100, 10, true).has_value());
}

TEST_CASE_FIXTURE(LogFixture, "a deleted log's directory is renamed as Kafka renames it") {
  open();
  append();
  const auto gone = *log->mark_deleted("0123456789abcdef0123456789abcdef");
  CHECK(gone.directory.ends_with("/t-0.0123456789abcdef0123456789abcdef-delete"));
  CHECK(tandem::fs::exists(disk, gone.directory));
  CHECK(!tandem::fs::exists(disk, dir()));
}
