// What a log promises about power: below its recovery point everything survives a cut, whatever flushes were
// under way; a sync that failed promises nothing.
#include <doctest/doctest.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "broker/log/log.h"
#include "broker/record/builder.h"
#include "broker/record/record.h"
#include "tests/unit/fs/forgetful_disk.h"

using namespace tandem;
using namespace tandem::broker;
using namespace tandem::broker::log;

namespace {

class PoweredLog {
 public:
  PoweredLog() {
    config.segment_bytes = 400;
    config.index_interval_bytes = 100;
    config.flush_messages = 1;
    REQUIRE(disk.make_dirs("/d").has_value());
    REQUIRE(disk.sync_dir("/").has_value());
    open();
    REQUIRE(disk.sync_dir("/d").has_value());
  }

  // As after an unclean stop, from the recovery point that was last written to the checkpoint.
  void open() {
    log.reset();
    LoadReport report;
    auto loaded = Log::load(disk, "/d/t-0", {"t", 0}, {config, false, checkpoint, 0, kNow}, report);
    if (!loaded) FAIL(loaded.error().context);
    log = std::move(*loaded);
  }

  bool append(std::string value = "value", std::int64_t timestamp = kNow) {
    record::BatchBuilder builder(record::BatchOptions{});
    builder.append(timestamp, "key", value);
    record::Validated validated;
    const std::string bytes = *builder.finish();
    record::validate(bytes, {.next_offset = log->end_offset(), .leader_epoch = 0, .now_ms = kNow}, validated);
    REQUIRE(validated.ok());
    return log->append(validated, record::Origin::client, kNow).has_value();
  }

  // As a produce with flush.messages=1 does it. Whether the records up to the end may be acknowledged.
  bool flush() {
    FlushWork work = log->begin_data_flush(kNow);
    log->end_flush(work, Log::run(disk, work));
    return !log->failed() && log->recovery_point() == log->end_offset();
  }

  // What a reader gets.
  template <class Visit>
  void each_batch(Visit visit) {
    std::int64_t next = 0;
    while (true) {
      const auto range = log->read(next, 1 << 20, log->end_offset(), true);
      if (!range) FAIL(range.error().context);
      if (range->size == 0) return;
      std::string bytes(range->size, '\0');
      REQUIRE(*range->file->pread(range->position, bytes) == bytes.size());
      record::BatchCursor cursor(bytes);
      while (cursor.next()) {
        CHECK(cursor.batch().is_valid());
        visit(cursor.batch());
        next = cursor.batch().next_offset();
      }
    }
  }
  std::set<std::int64_t> offsets() {
    std::set<std::int64_t> out;
    each_batch([&](const auto& batch) { out.insert(batch.offset_field()); });
    return out;
  }
  std::vector<std::string> values() {
    std::vector<std::string> out;
    each_batch([&](const auto& batch) {
      record::RecordReader reader(batch);
      record::RecordView record;
      while (reader.next(record)) out.emplace_back(record.value.value_or(""));
    });
    return out;
  }
  // How many of them there are without a gap.
  std::int64_t readable() {
    std::int64_t next = 0;
    for (const std::int64_t offset : offsets()) {
      if (offset != next) break;
      ++next;
    }
    return next;
  }

  // Of the first segment.
  std::string indexes() {
    const std::string base = "/d/t-0/00000000000000000000";
    return fs::read_file(disk, base + ".index").value() + fs::read_file(disk, base + ".timeindex").value();
  }

  static constexpr std::int64_t kNow = 1'700'000'000'000;
  fs::ForgetfulDisk disk;
  LogConfig config;
  std::int64_t checkpoint = 0;
  std::unique_ptr<Log> log;
};

}  // namespace

TEST_CASE_FIXTURE(PoweredLog, "what was flushed survives a power cut, over rolls of the segment") {
  for (int i = 0; i < 30; ++i) {
    REQUIRE(append());
    REQUIRE(flush());
  }
  REQUIRE(log->segment_count() > 3);
  checkpoint = log->recovery_point();
  disk.cut_power();
  open();
  CHECK(readable() == 30);
}

TEST_CASE_FIXTURE(PoweredLog,
                  "a flush that overtakes an unfinished one makes durable what that one has taken up") {
  REQUIRE(append());
  REQUIRE(flush());
  while (log->segment_count() < 3) REQUIRE(append());
  const FlushWork unfinished = log->begin_flush(kNow);
  REQUIRE(append());
  CHECK(flush());
  const auto end = log->end_offset();
  disk.cut_power();
  open();
  CHECK(readable() == end);
}

TEST_CASE_FIXTURE(PoweredLog,
                  "rolled segments are asked for once, and again when their flush came to nothing") {
  config.flush_messages = kNever;
  log->set_config(config);
  while (log->segment_count() < 3) REQUIRE(append());
  FlushWork first = log->take_rolled_flush();
  CHECK(!first.empty());
  CHECK(log->take_rolled_flush().empty());
  REQUIRE(log->truncate_to(log->end_offset() - 1).has_value());
  REQUIRE(append());
  log->end_flush(first, Log::run(disk, first));
  CHECK(log->recovery_point() == 0);  // the truncation may have made it wrong
  FlushWork second = log->take_rolled_flush();
  CHECK(!second.empty());
  log->end_flush(second, Log::run(disk, second));
  CHECK(log->recovery_point() > 0);
  CHECK(log->take_rolled_flush().empty());
}

TEST_CASE_FIXTURE(PoweredLog, "what recovery read again is synced before the recovery point passes it") {
  while (log->segment_count() < 4) REQUIRE(append());
  open();  // a kill: the page cache holds it all
  REQUIRE(append());
  REQUIRE(flush());
  const auto end = log->end_offset();
  checkpoint = log->recovery_point();
  disk.cut_power();
  open();
  CHECK(readable() == end);
}

TEST_CASE_FIXTURE(PoweredLog, "what a failed sync left in the cache is durable once recovery has kept it") {
  REQUIRE(append());
  REQUIRE(flush());
  checkpoint = log->recovery_point();
  const auto fail_syncs = [](std::string_view call, const std::string&) -> std::optional<base::Errc> {
    return call == "sync" ? std::optional(base::Errc::io) : std::nullopt;
  };
  std::size_t segments = 1;
  bool behind = false;
  SUBCASE("in the active segment") {}
  SUBCASE("in the active segment, with what is flushed behind it") { behind = true; }
  SUBCASE("over rolls") { segments = 4; }
  SUBCASE("over rolls, with what is flushed behind it") {
    segments = 4;
    behind = true;
  }
  do {
    REQUIRE(append());
  } while (log->segment_count() < segments);
  disk.fault = fail_syncs;
  CHECK(!flush());
  disk.fault = nullptr;
  const auto end = log->end_offset();
  open();  // the process ended and starts again
  REQUIRE(log->end_offset() == end);
  if (behind) {
    REQUIRE(append());
    REQUIRE(flush());
    checkpoint = log->recovery_point();
  }
  const auto kept = log->end_offset();
  disk.cut_power();
  open();
  CHECK(readable() == kept);
}

TEST_CASE_FIXTURE(PoweredLog, "a tail that cannot be written anew is not taken for durable") {
  REQUIRE(append());
  REQUIRE(flush());
  checkpoint = log->recovery_point();
  REQUIRE(append());
  disk.fault = [](std::string_view call, const std::string& path) -> std::optional<base::Errc> {
    return call == "sync" && path.ends_with(".log") ? std::optional(base::Errc::io) : std::nullopt;
  };
  LoadReport report;
  CHECK(!Log::load(disk, "/d/t-0", {"t", 0}, {config, false, checkpoint, 0, kNow}, report).has_value());
  config.flush_messages = kNever;  // nothing is promised then, nothing is synced
  CHECK(Log::load(disk, "/d/t-0", {"t", 0}, {config, false, checkpoint, 0, kNow}, report).has_value());
}

TEST_CASE_FIXTURE(PoweredLog, "lost indexes behind a torn segment do not keep the log from being recovered") {
  while (log->segment_count() < 3) REQUIRE(append());
  const auto base = log->segment_times().back().first;
  open();  // it now knows the producers up to within that segment
  REQUIRE(log->end_offset() == base + 1);
  while (log->segment_count() < 5) REQUIRE(append());
  const auto name = [this](std::size_t segment, std::string_view suffix) {
    return fmt::format("/d/t-0/{:020}{}", log->segment_times()[segment].first, suffix);
  };
  const auto torn = *disk.open(name(2, ".log"), fs::OpenMode::write);
  const auto batches = static_cast<std::uint64_t>(log->segment_times()[3].first - base);
  REQUIRE(torn->pwrite(*torn->size() / batches, std::string(61, '\0')).has_value());
  for (const std::size_t lost : {3, 4})
    for (const auto* suffix : {".index", ".snapshot"}) REQUIRE(disk.unlink(name(lost, suffix)).has_value());
  checkpoint = base;
  open();
  CHECK(log->end_offset() == base + 1);
  CHECK(readable() == base + 1);
}

TEST_CASE_FIXTURE(PoweredLog, "segments that were cut off do not come back behind what was written since") {
  while (log->segment_count() < 4) REQUIRE(append());
  REQUIRE(flush());
  const auto second = log->segment_times()[1].first;
  const auto first = *disk.open("/d/t-0/00000000000000000000.log", fs::OpenMode::write);
  checkpoint = 1;
  SUBCASE("by a truncation") { REQUIRE(log->truncate_to(1).has_value()); }
  SUBCASE("by a recovery that found the end of the one before them gone") {
    REQUIRE(first->truncate(*first->size() / static_cast<std::uint64_t>(second)).has_value());
    REQUIRE(first->sync().has_value());
    open();
  }
  REQUIRE(log->end_offset() == 1);
  while (log->end_offset() < second) REQUIRE(append());
  REQUIRE(first->sync().has_value());  // as it may get to the disk at any time
  disk.cut_power();
  open();
  CHECK(log->end_offset() == second);
}

TEST_CASE("after a power cut nothing that was cut off is among or behind what took its place") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    base::Random random(seed);
    PoweredLog world;
    std::vector<std::string> before;
    for (int i = 0; i < 9; ++i) REQUIRE(world.append(before.emplace_back(fmt::format("old {}", i))));
    REQUIRE(world.flush());
    REQUIRE(world.log->segment_count() > 1);
    world.checkpoint = 2;
    REQUIRE(world.log->truncate_to(2 + static_cast<std::int64_t>(random.below(6))).has_value());
    std::vector<std::string> after(before.begin(), before.begin() + world.log->end_offset());
    while (after.size() < 8) REQUIRE(world.append(after.emplace_back(fmt::format("new {}", after.size()))));
    world.disk.cut_power(&random);
    world.open();
    const auto there = world.values();
    const auto begins = [&there](const std::vector<std::string>& all) {
      return there.size() <= all.size() && std::equal(there.begin(), there.end(), all.begin());
    };
    CHECK_MESSAGE((begins(before) || begins(after)), fmt::format("{}", fmt::join(there, ", ")));
  }
}

TEST_CASE("a compacted log has nothing behind what a power cut took") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    base::Random random(seed);
    PoweredLog world;
    world.config.cleanup_compact = true;
    world.log->set_config(world.config);
    REQUIRE(world.append());
    REQUIRE(world.flush());
    world.checkpoint = world.log->recovery_point();
    while (world.log->segment_count() < 4) REQUIRE(world.append());
    world.disk.cut_power(&random);
    world.open();
    CHECK(world.readable() == world.log->end_offset());
  }
}

TEST_CASE("a log that is made compacted later has nothing behind what a power cut took") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const bool before_the_cut = seed % 2 == 0;  // otherwise while the broker is down
    CAPTURE(seed);
    base::Random random(seed);
    PoweredLog world;
    REQUIRE(world.append());
    REQUIRE(world.flush());
    world.checkpoint = world.log->recovery_point();
    while (world.log->segment_count() < 4) REQUIRE(world.append());
    world.config.cleanup_compact = true;
    if (before_the_cut) world.log->set_config(world.config);
    world.disk.cut_power(&random);
    world.open();
    CHECK(world.readable() == world.log->end_offset());
  }
}

TEST_CASE("the indexes of a segment are on the disk before the recovery point is behind it") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    base::Random random(seed);
    PoweredLog world;
    while (world.log->segment_count() == 1) {
      REQUIRE(world.flush());
      world.checkpoint = world.log->recovery_point();
      REQUIRE(world.append("value", PoweredLog::kNow + world.log->end_offset()));
    }
    REQUIRE(world.checkpoint == world.log->segment_times().back().first);
    const std::string full = world.indexes();
    world.disk.cut_power(&random);
    world.open();
    CHECK(world.indexes() == full);
  }
}

TEST_CASE("indexes that a start built again are on the disk where no start will read their segment") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    base::Random random(seed);
    PoweredLog world;
    while (world.log->segment_count() < 3) {
      REQUIRE(world.append("value", PoweredLog::kNow + world.log->end_offset()));
      REQUIRE(world.flush());
    }
    world.checkpoint = world.log->recovery_point();
    const std::string full = world.indexes();
    const auto index = *world.disk.open("/d/t-0/00000000000000000000.timeindex", fs::OpenMode::write);
    REQUIRE(index->truncate(1).has_value());
    REQUIRE(index->sync().has_value());
    world.open();
    REQUIRE(world.indexes() == full);
    world.disk.cut_power(&random);
    world.open();
    CHECK(world.indexes() == full);
  }
}

TEST_CASE_FIXTURE(PoweredLog, "a flush fails when a file of it cannot be opened or synced") {
  while (log->segment_count() < 3) REQUIRE(append());
  std::string failing_call;
  std::string failing_name;
  disk.fault = [&](std::string_view call, const std::string& path) -> std::optional<base::Errc> {
    if (call == failing_call && path.ends_with(failing_name)) return base::Errc::io;
    return std::nullopt;
  };
  SUBCASE("the active segment") {
    failing_call = "sync";
    failing_name = fmt::format("{:020}.log", log->segment_times().back().first);
  }
  SUBCASE("a rolled segment") {
    failing_call = "sync";
    failing_name = "00000000000000000000.log";
  }
  SUBCASE("a rolled segment that recovery read") {
    open();
    failing_call = "open";
    failing_name = "00000000000000000000.log";
  }
  SUBCASE("an index of a rolled segment") {
    failing_call = "sync";
    failing_name = "00000000000000000000.timeindex";
  }
  SUBCASE("the directory") {
    failing_call = "sync_dir";
    failing_name = "t-0";
  }
  const auto before = log->recovery_point();
  CHECK(!flush());
  CHECK(log->failed());
  CHECK(log->recovery_point() == before);
  disk.fault = nullptr;
  CHECK(!append());
  CHECK(!flush());  // the pages may be gone: never tried again
  CHECK(log->recovery_point() == before);
}

TEST_CASE_FIXTURE(PoweredLog, "a write that fails is not in the log, and nothing is appended behind it") {
  REQUIRE(append());
  REQUIRE(flush());
  for (const auto code : {base::Errc::io, base::Errc::no_space}) {
    CAPTURE(static_cast<int>(code));
    disk.fault = [&](std::string_view call, const std::string&) -> std::optional<base::Errc> {
      return call == "write" ? std::optional(code) : std::nullopt;
    };
    CHECK(!append());
    CHECK(log->failed());
    CHECK(log->failure()->code == code);
    CHECK(log->end_offset() == 1);
    disk.fault = nullptr;
    CHECK(!append());
    open();
    CHECK(readable() == 1);
  }
}

TEST_CASE(
    "random appends, flushes that finish late, kills and power cuts lose nothing below the recovery point") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    base::Random random(seed);
    PoweredLog world;
    std::vector<FlushWork> under_way;
    std::set<std::int64_t> durable;
    std::int64_t durable_end = 0;
    for (int step = 0; step < 120; ++step) {
      const auto choice = random.below(100);
      if (choice < 55) {
        REQUIRE(world.append(std::string(random.below(200), 'x')));
      } else if (choice < 70) {
        REQUIRE(world.flush());
      } else if (choice < 80) {
        under_way.push_back(random.below(2) == 0 ? world.log->begin_flush(0)
                                                 : world.log->take_rolled_flush());
      } else if (choice < 90 && !under_way.empty()) {
        const auto which = under_way.begin() + static_cast<std::ptrdiff_t>(random.below(under_way.size()));
        world.log->end_flush(*which, Log::run(world.disk, *which));
        under_way.erase(which);
      } else if (choice >= 96) {
        under_way.clear();
        if (random.below(3) != 0) world.disk.cut_power(random.below(2) == 0 ? &random : nullptr);
        world.open();
        // Of what was not synced an earlier segment may lack what a later one has.
        const auto there = world.offsets();
        REQUIRE(std::includes(there.begin(), there.end(), durable.begin(), durable.end()));
      }
      REQUIRE(world.log->recovery_point() <= world.log->end_offset());
      if (world.log->recovery_point() > durable_end) {
        durable_end = world.log->recovery_point();
        durable = world.offsets();
        durable.erase(durable.lower_bound(durable_end), durable.end());
      }
      if (choice % 10 == 0) world.checkpoint = world.log->recovery_point();
    }
  }
}
