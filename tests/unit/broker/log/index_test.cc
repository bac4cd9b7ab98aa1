#include "log_fixture.h"

using namespace tandem::broker::log;

TEST_CASE_FIXTURE(LogFixture, "an offset index finds the entry at or below, in the file and behind it") {
  REQUIRE(disk.make_dirs(dir()).has_value());
  OffsetIndex index(disk, path("i.index"), 1000);
  REQUIRE(index.create().has_value());
  CHECK(index.lookup(5000)->position == 0);
  for (int i = 1; i <= 2000; ++i) REQUIRE(index.append(1000 + 10 * i, 100 * i).has_value());
  CHECK(index.count() == 2000);
  for (const int i : {1, 2, 511, 512, 513, 1023, 1024, 1500, 1999, 2000}) {
    CHECK(index.lookup(1000 + 10 * i)->position == 100 * i);
    CHECK(index.lookup(1000 + 10 * i + 9)->position == 100 * i);
    CHECK(index.lookup(1000 + 10 * i - 1)->position == 100 * (i - 1));
  }
  REQUIRE(index.append(1005, 7).has_value());  // does not ascend
  CHECK(index.count() == 2000);
  REQUIRE(index.truncate_to(1000 + 10 * 600).has_value());
  CHECK(index.count() == 599);
  REQUIRE(index.file().flush().has_value());
  OffsetIndex again(disk, path("i.index"), 1000);
  REQUIRE(again.open().has_value());
  CHECK(again.last()->offset == 6990);
  CHECK(disk.info(path("i.index"))->size == 599 * 8);
}

TEST_CASE_FIXTURE(LogFixture, "a time index keeps ascending timestamps only and leaves one slot free") {
  REQUIRE(disk.make_dirs(dir()).has_value());
  TimeIndex index(disk, path("i.timeindex"), 0);
  REQUIRE(index.create().has_value());
  REQUIRE(index.maybe_append({100, 1}).has_value());
  REQUIRE(index.maybe_append({90, 2}).has_value());
  REQUIRE(index.maybe_append({100, 3}).has_value());
  REQUIRE(index.maybe_append({110, 4}).has_value());
  CHECK(index.count() == 2);
  CHECK(index.lookup(99)->offset == 0);
  CHECK(index.lookup(100)->offset == 1);
  CHECK(index.lookup(109)->offset == 1);
  CHECK(index.lookup(5000)->offset == 4);
  CHECK(index.full(36));
  CHECK(!index.full(48));
}

TEST_CASE_FIXTURE(LogFixture, "an unsorted transaction index or one of another version is refused") {
  REQUIRE(disk.make_dirs(dir()).has_value());
  const std::string file = path("i.txnindex");
  CHECK(read_aborted(disk, file)->empty());
  REQUIRE(append_aborted(disk, file, {1, 10, 20, 30}).has_value());
  REQUIRE(append_aborted(disk, file, {2, 15, 40, 50}).has_value());
  CHECK(read_aborted(disk, file)->size() == 2);
  CHECK(disk.info(file)->size == 68);
  REQUIRE(append_aborted(disk, file, {3, 15, 39, 50}).has_value());
  CHECK(!read_aborted(disk, file).has_value());
  REQUIRE(write_aborted(disk, file, {}).has_value());
  CHECK(!tandem::fs::exists(disk, file));
}
