// A log in a directory of its own on the real file system, removed afterwards; and helpers to fill and read
// it. Used by the tests of broker/log. Copied nowhere: what a test changes on disk, it changes through
// `path()`.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>

#include "broker/log/log.h"
#include "fs/posix_disk.h"

namespace tandem::broker::log {

class LogFixture {
 public:
  LogFixture() {
    char name[] = "/tmp/tandem-log-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    root_ = name;
  }
  ~LogFixture() {
    log.reset();
    (void)fs::remove_tree(disk, root_);
  }

  Log& open(bool clean = false, std::int64_t recovery_point = 0, std::int64_t log_start = 0) {
    log.reset();
    report = {};
    auto loaded = Log::load(disk, dir(), {"t", 0}, {config, clean, recovery_point, log_start, now}, report);
    if (!loaded) FAIL(loaded.error().context);
    log = std::move(*loaded);
    return *log;
  }
  void kill() { log.reset(); }
  void close() {
    REQUIRE(log->close(true).has_value());
    log.reset();
  }

  AppendOutcome append(int records = 1, record::BatchOptions options = {}, std::string value = "value") {
    options.base_offset = 0;
    record::BatchBuilder builder(options);
    for (int i = 0; i < records; ++i) builder.append(now, "key", value);
    const std::string bytes = *builder.finish();
    record::Validated validated;
    record::validate(bytes, {.next_offset = log->end_offset(), .leader_epoch = epoch, .now_ms = now},
                     validated);
    REQUIRE(validated.ok());
    auto outcome = log->append(validated, record::Origin::client, now);
    if (!outcome) FAIL(outcome.error().context);
    log->set_high_watermark(log->end_offset());
    return *outcome;
  }

  // The offsets of all records that a reader gets from `from` on.
  std::vector<std::int64_t> offsets(std::int64_t from = 0, std::uint64_t bytes_max = 1 << 30) {
    std::vector<std::int64_t> out;
    while (true) {
      auto range = log->read(from, bytes_max, log->end_offset(), true);
      if (!range) FAIL(range.error().context);
      if (range->size == 0) return out;
      std::string bytes(range->size, '\0');
      REQUIRE(*range->file->pread(range->position, bytes) == bytes.size());
      record::BatchCursor cursor(bytes);
      std::int64_t next = from;
      while (cursor.next()) {
        CHECK(cursor.batch().is_valid());
        record::RecordReader reader(cursor.batch());
        record::RecordView record;
        while (reader.next(record))
          if (record.offset >= from) out.push_back(record.offset);
        next = cursor.batch().next_offset();
      }
      if (next == from) return out;
      from = next;
    }
  }

  std::string dir() const { return fs::join(root_, "t-0"); }
  std::string path(std::string_view name) const { return fs::join(dir(), name); }
  void edit(std::string_view name, const std::function<void(std::string&)>& change) {
    std::string contents = *fs::read_file(disk, path(name), 1U << 30);
    change(contents);
    auto file = *disk.open(path(name), fs::OpenMode::write);
    REQUIRE(file->truncate(0).has_value());
    REQUIRE(file->pwrite(0, contents).has_value());
  }

  fs::PosixDisk disk;
  LogConfig config;
  std::int64_t now = 1'700'000'000'000;
  std::int32_t epoch = 0;
  std::unique_ptr<Log> log;
  LoadReport report;

 private:
  std::string root_;
};

inline std::vector<std::int64_t> range_of(std::int64_t from, std::int64_t to) {
  std::vector<std::int64_t> out;
  for (; from < to; ++from) out.push_back(from);
  return out;
}

}  // namespace tandem::broker::log
