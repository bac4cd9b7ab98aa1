// Bytes that are not what was written: never read, and cut off where they can be had elsewhere.
#include <fcntl.h>
#include <unistd.h>

#include "broker/log/damage.h"
#include "tests/unit/broker/log/log_fixture.h"

namespace tandem::broker::log {

namespace {

class DamagedLog : public LogFixture {
 public:
  // Ten batches of a record each, in segments of four; bits of a byte of the seventh are others.
  void fill_and_damage(std::int64_t byte, char mask = '\xff') {
    open();
    append();
    config.segment_bytes = static_cast<std::int64_t>(4 * log->size());
    log->set_config(config);
    for (int i = 1; i < 10; ++i) append();
    batch_size = static_cast<std::int64_t>(log->size() / 10);
    close();
    const int file = ::open(path("00000000000000000004.log").c_str(), O_RDWR);
    const std::int64_t position = 2 * batch_size + byte;
    char bits = 0;
    REQUIRE(::pread(file, &bits, 1, position) == 1);
    bits = static_cast<char>(bits ^ mask);
    REQUIRE(::pwrite(file, &bits, 1, position) == 1);
    ::close(file);
    open(true);
  }
  // What lies before the rotten batch is read, and what it is is told.
  void check_read_up_to_the_rotten() {
    const auto before = log->read(4, 1 << 20, 10, true);
    REQUIRE(before.has_value());
    CHECK(before->size == 2 * static_cast<std::uint64_t>(batch_size));
    const auto at = log->read(6, 1 << 20, 10, true);
    REQUIRE(at.has_error());
    CHECK(at.error().code == base::Errc::corrupt);
  }
  void check_set_aside_from_the_rotten() {
    const auto cut = log->set_aside(6);
    REQUIRE(cut.has_value());
    CHECK(*cut == 4 * static_cast<std::uint64_t>(batch_size));
    CHECK(offsets() == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5});
  }
  std::int64_t batch_size = 0;
};

constexpr std::int64_t kOfTheBaseOffset = 7;  // its lowest byte
constexpr std::int64_t kOfTheLength = 9;      // in a batch
constexpr std::int64_t kOfTheLeaderEpoch = 12;
constexpr std::int64_t kOfARecord = 65;

}  // namespace

TEST_CASE_FIXTURE(DamagedLog, "rotten batches are not read, the others are, and nothing else is wrong") {
  fill_and_damage(kOfARecord);
  CHECK(log->read(0, 1 << 20, 10, true).has_value());
  check_read_up_to_the_rotten();
  CHECK(!log->failed());
  CHECK(log->read(7, 1 << 20, 10, true).has_value());
  CHECK(log->read(8, 1 << 20, 10, true).has_value());
}

TEST_CASE_FIXTURE(DamagedLog,
                  "what is rotten is set aside with what follows it, and the log goes on from there") {
  fill_and_damage(kOfARecord);
  log->fail(base::make_error(base::Errc::corrupt, "found by a reader"));
  check_set_aside_from_the_rotten();
  CHECK(!log->failed());
  CHECK(log->end_offset() == 6);
  CHECK(fs::exists(disk, path("00000000000000000004.log.damaged")));
  CHECK(append().first_offset == 6);
  close();
  open(true);
  CHECK(offsets().size() == 7);
}

TEST_CASE_FIXTURE(DamagedLog, "a header that leads nowhere is set aside like a body that rotted") {
  fill_and_damage(kOfTheLength);
  CHECK(log->read(6, 1 << 20, 10, true).has_error());
  REQUIRE(log->set_aside(6).has_value());
  CHECK(log->end_offset() == 6);
  CHECK(append().first_offset == 6);
}

TEST_CASE_FIXTURE(DamagedLog, "a base offset that rotted is found by its neighbours, up or down") {
  for (const char mask : {'\x08', '\x01', '\x04', '\x02'}) {  // 14, 7; 2, 4
    CAPTURE(static_cast<int>(mask));
    (void)fs::remove_tree(disk, dir());
    config = {};
    fill_and_damage(kOfTheBaseOffset, mask);
    check_read_up_to_the_rotten();
    CHECK(log->read(8, 1 << 20, 10, true).has_value());
    check_set_aside_from_the_rotten();
    CHECK(append().first_offset == 6);
    close();
  }
}

TEST_CASE_FIXTURE(DamagedLog,
                  "a reader that begins where an index entry points sees a base offset that rotted") {
  config.index_interval_bytes = 0;
  fill_and_damage(kOfTheBaseOffset, '\x02');
  const auto at = log->read(6, 1 << 20, 10, true);
  REQUIRE(at.has_error());
  CHECK(at.error().code == base::Errc::corrupt);
}

TEST_CASE_FIXTURE(DamagedLog, "a leader epoch that rotted is found by what the log knows of its epochs") {
  for (const std::int64_t byte : {0, 1, 2, 3}) {
    CAPTURE(byte);
    (void)fs::remove_tree(disk, dir());
    config = {};
    fill_and_damage(kOfTheLeaderEpoch + byte, '\x10');
    check_read_up_to_the_rotten();
    CHECK(log->read(7, 1 << 20, 10, true).has_value());
    check_set_aside_from_the_rotten();
    CHECK(log->epochs().entries() == std::vector<EpochStart>{{0, 0}});
    CHECK(append().first_offset == 6);
    close();
  }
}

TEST_CASE_FIXTURE(DamagedLog, "a log whose epochs once began again at lower ones has not rotted for that") {
  open();
  for (const std::int32_t each : {2, 5, 5, 3, 3}) {
    epoch = each;
    REQUIRE(log->epochs().assign(each, log->end_offset()).has_value());
    append();
  }
  CHECK(log->epochs().entries() == std::vector<EpochStart>{{2, 0}, {3, 3}});
  close();
  open(true);
  CHECK(offsets() == range_of(0, 5));
  CHECK(*log->set_aside(0) == 0);
}

TEST_CASE_FIXTURE(DamagedLog,
                  "batches from before the first epoch that the log knows are taken as they are") {
  open();
  append();
  append();
  close();
  REQUIRE(disk.unlink(path("leader-epoch-checkpoint")).has_value());
  open(true);
  REQUIRE(log->epochs().assign(3, 2).has_value());
  close();
  open(true);
  CHECK(offsets() == range_of(0, 2));
}

TEST_CASE_FIXTURE(DamagedLog, "a log that is sound loses nothing to being looked at") {
  open();
  for (int i = 0; i < 5; ++i) append();
  const auto cut = log->set_aside(2);
  REQUIRE(cut.has_value());
  CHECK(*cut == 0);
  CHECK(offsets().size() == 5);
}

TEST_CASE_FIXTURE(LogFixture, "a whole batch behind damage is found wherever it begins") {
  open();
  append();
  close();
  const std::string name = "00000000000000000000.log";
  const std::string batch = *fs::read_file(disk, path(name));
  const auto behind = [&](std::size_t gap, std::int64_t at_least) {
    edit(name, [&](std::string& bytes) { bytes = std::string(gap, 2) + batch; });  // each like a magic
    const auto file = *disk.open(path(name), fs::OpenMode::read);
    return *batch_behind(*file, 0, gap + batch.size(), at_least);
  };
  for (const std::size_t gap : {1, 2, 16, 17, 18}) CHECK(behind(gap, 0));
  for (std::size_t gap = (1U << 20) - 20; gap < (1U << 20) + 4; ++gap) CHECK(behind(gap, 0));
  CHECK(!behind(0, 0));
  CHECK(!behind(100, 1));  // it is older than what it should follow
}

}  // namespace tandem::broker::log
