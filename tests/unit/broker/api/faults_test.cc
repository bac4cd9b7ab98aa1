// Log directories that fail under a broker with two of them. Which of them has two of the three partitions is
// left to the shards, which make their logs at the same time.
#include "tests/unit/broker/api/partitions_fixture.h"
#include "tests/unit/fs/forgetful_disk.h"

namespace tandem::broker::api {

using protocol::ErrorCode;

namespace {

struct OwnDisk {
  fs::ForgetfulDisk failing;
};

class TwoDirs : public OwnDisk, public PartitionsFixture {
 public:
  TwoDirs() : PartitionsFixture(failing, 2) {
    std::map<std::string, std::vector<std::int32_t>> placed;
    for (std::int32_t p = 0; p < 3; ++p)
      for (const auto& dir : log_dirs)
        if (fs::exists(disk, fmt::format("{}/t-{}", dir, p))) placed[dir].push_back(p);
    for (const auto& [dir, partitions] : placed) {
      if (partitions.size() == 2) {
        full_dir = dir;
        first = partitions[0];
        second = partitions[1];
      } else {
        other_dir = dir;
        other = partitions.at(0);
      }
    }
  }

  std::string full_dir;   // has partitions `first` and `second`
  std::string other_dir;  // has partition `other`
  std::int32_t first = -1;
  std::int32_t second = -1;
  std::int32_t other = -1;

  // From now on `call` on paths that hold `part` gives the error.
  void fail(std::string_view call, std::string part, base::Errc code) {
    failing.fault = [call = std::string(call), part = std::move(part), code](
                        std::string_view made, const std::string& path) -> std::optional<base::Errc> {
      if (made == call && path.find(part) != std::string::npos) return code;
      return std::nullopt;
    };
  }
  // Logs take up their settings on their shards.
  void set_config(const log::LogConfig& value) {
    config = value;
    replicas->config_changed("");
    for (std::size_t shard = 0; shard < shards->size(); ++shard) {
      std::promise<void> done;
      shards->post(shard, [&done] { done.set_value(); });
      done.get_future().wait();
    }
  }
  std::vector<std::string> lost() {
    const std::lock_guard lock(lost_mutex);
    return lost_dirs;
  }
  // As the controller asks for a partition with this replica alone.
  ErrorCode lead_one(const std::string& topic, std::int32_t partition, std::int32_t epoch = 50,
                     bool is_new = false) {
    protocol::LeaderAndIsrRequest request;
    request.controller_epoch = 1;
    request.topic_states.push_back({topic, {}, {}});
    auto& state = request.topic_states[0].partition_states.emplace_back();
    state.partition_index = partition;
    state.leader = 1;
    state.leader_epoch = epoch;
    state.isr = state.replicas = {1};
    state.is_new = is_new;
    return ask(&leader_and_isr, request, 7).topics.at(0).partition_errors.at(0).error_code;
  }
  ErrorCode end_offset_error(std::int32_t partition) {
    protocol::ListOffsetsRequest request;
    request.replica_id = -1;
    request.topics.push_back({"t", {}});
    request.topics[0].partitions.emplace_back().partition_index = partition;
    request.topics[0].partitions[0].timestamp = -1;
    return ask(&list_offsets, request, 5).topics.at(0).partitions.at(0).error_code;
  }
};

log::LogConfig flushed_each() {
  log::LogConfig config;
  config.flush_messages = 1;
  return config;
}

}  // namespace

TEST_CASE_FIXTURE(TwoDirs,
                  "a directory whose sync fails goes offline with its partitions, the other serves on") {
  set_config(flushed_each());
  const auto sent = batch(3, {.producer_id = 7, .producer_epoch = 0, .base_sequence = 0});
  for (std::int32_t p = 0; p < 3; ++p) REQUIRE(put(p, batch(1)).error_code == ErrorCode::none);
  fail("sync", fmt::format("{}/t-{}/", full_dir, first), base::Errc::io);
  CHECK(put(first, sent).error_code == ErrorCode::kafka_storage_error);
  CHECK(lost() == std::vector<std::string>{full_dir});
  CHECK(!lost_all);
  failing.fault = nullptr;
  // The batch is in the file, but it was not acknowledged: sent again it is no duplicate to be confirmed.
  CHECK(put(first, sent).error_code == ErrorCode::kafka_storage_error);
  CHECK(put(second, batch(1)).error_code == ErrorCode::kafka_storage_error);
  CHECK(end_offset_error(second) == ErrorCode::kafka_storage_error);
  CHECK(put(other, batch(1)).base_offset == 1);
  CHECK(end_offset_error(other) == ErrorCode::none);
  const auto dirs = ask(&describe_log_dirs, protocol::DescribeLogDirsRequest{}, 4);
  REQUIRE(dirs.results.size() == 2);
  for (const auto& dir : dirs.results)
    CHECK(dir.error_code == (dir.log_dir == full_dir ? ErrorCode::kafka_storage_error : ErrorCode::none));
}

TEST_CASE_FIXTURE(TwoDirs,
                  "a full directory goes offline, and what was acknowledged is there after a restart") {
  for (std::int32_t p = 0; p < 3; ++p) REQUIRE(put(p, batch(4)).error_code == ErrorCode::none);
  fail("write", fmt::format("{}/t-{}/", full_dir, second), base::Errc::no_space);
  CHECK(put(second, batch(1)).error_code == ErrorCode::kafka_storage_error);
  CHECK(put(first, batch(1)).error_code == ErrorCode::kafka_storage_error);
  CHECK(put(other, batch(1)).base_offset == 4);
  failing.fault = nullptr;
  stop();
  start();
  CHECK(put(first, batch(1)).base_offset == 4);
  CHECK(put(other, batch(1)).base_offset == 5);
  CHECK(put(second, batch(1)).base_offset == 4);
}

TEST_CASE_FIXTURE(TwoDirs, "the last directory that goes is reported as the last") {
  set_config(flushed_each());
  fail("sync", full_dir + "/t-", base::Errc::io);
  CHECK(put(first, batch(1)).error_code == ErrorCode::kafka_storage_error);
  CHECK(!lost_all);
  fail("sync", other_dir + "/t-", base::Errc::io);
  CHECK(put(other, batch(1)).error_code == ErrorCode::kafka_storage_error);
  CHECK(lost() == std::vector<std::string>{full_dir, other_dir});
  CHECK(lost_all);
}

TEST_CASE_FIXTURE(TwoDirs, "a rolled segment whose sync fails later takes the directory offline too") {
  log::LogConfig small;
  small.segment_bytes = 300;
  set_config(small);
  fail("sync", fmt::format("{}/t-{}/00000000000000000000.log", full_dir, first), base::Errc::io);
  ErrorCode error = ErrorCode::none;
  for (int i = 0; i < 100'000 && error == ErrorCode::none; ++i) error = put(first, batch(1)).error_code;
  CHECK(error == ErrorCode::kafka_storage_error);
  CHECK(lost() == std::vector<std::string>{full_dir});
  CHECK(put(other, batch(1)).error_code == ErrorCode::none);
}

TEST_CASE_FIXTURE(TwoDirs, "where new logs cannot be made to last, LeaderAndIsr says so of each of them") {
  failing.fault = [dir = full_dir](std::string_view call,
                                   const std::string& path) -> std::optional<base::Errc> {
    if (call == "sync_dir" && path == dir) return base::Errc::io;
    return std::nullopt;
  };
  protocol::LeaderAndIsrRequest request;
  request.controller_epoch = 1;
  request.topic_states.push_back({"u", {}, {}});
  for (std::int32_t p = 0; p < 6; ++p) {
    auto& state = request.topic_states[0].partition_states.emplace_back();
    state.partition_index = p;
    state.leader = 1;
    state.isr = state.replicas = {1};
    state.is_new = true;
  }
  for (std::int32_t epoch = 0; epoch < 2; ++epoch) {  // told again it is no better
    for (auto& state : request.topic_states[0].partition_states) state.leader_epoch = epoch;
    const auto answer = ask(&leader_and_isr, request, 7);
    int refused = 0;
    for (const auto& partition : answer.topics.at(0).partition_errors) {
      const bool gone = fs::exists(disk, fmt::format("{}/u-{}", full_dir, partition.partition_index));
      CHECK(partition.error_code == (gone ? ErrorCode::kafka_storage_error : ErrorCode::none));
      refused += gone ? 1 : 0;
    }
    CHECK(refused > 0);
    CHECK(refused < 6);
  }
  CHECK(lost() == std::vector<std::string>{full_dir});
  CHECK(put(first, batch(1)).error_code == ErrorCode::kafka_storage_error);
  CHECK(put(other, batch(1)).error_code == ErrorCode::none);
}

TEST_CASE_FIXTURE(TwoDirs,
                  "a log that could not be made goes to another directory if nothing of it is left") {
  base::Errc error = base::Errc::io;
  SUBCASE("as its directory was made, and could be put away") { fail("open", full_dir + "/u-", error); }
  SUBCASE("as not even its directory could be made") { fail("make_dirs", full_dir + "/u-", error); }
  SUBCASE("as the device is full") { fail("write", full_dir + "/u-", error = base::Errc::no_space); }
  std::int32_t second_try = 0;
  while (lead_one("u", second_try, 0, true) == ErrorCode::none) ++second_try;
  const std::string name = fmt::format("/u-{}", second_try);
  CHECK(lost() == std::vector<std::string>{full_dir});
  CHECK(!fs::exists(disk, full_dir + name));
  CHECK(lead_one("u", second_try, 0, true) == ErrorCode::none);
  CHECK(fs::exists(disk, other_dir + name));
  failing.fault = nullptr;
  stop();
  failing.cut_power();
  start_without_leaders();
  CHECK(lead_one("u", second_try, 1) == ErrorCode::none);
}

TEST_CASE_FIXTURE(TwoDirs, "a log that was half made is not made again in another directory") {
  std::string put_away = "rename";
  SUBCASE("as it cannot be renamed") {}
  SUBCASE("as that would not last") { put_away = "sync_dir"; }
  failing.fault = [&](std::string_view call, const std::string& path) -> std::optional<base::Errc> {
    const bool fails =
        call == "open" ? path.starts_with(full_dir + "/u-") : call == put_away && path.starts_with(full_dir);
    return fails ? std::optional(base::Errc::io) : std::nullopt;
  };
  std::int32_t half_made = 0;
  while (lead_one("u", half_made, 0, true) == ErrorCode::none) ++half_made;
  CHECK(fs::exists(disk, fmt::format("{}/u-{}", full_dir, half_made)) == (put_away == "rename"));
  CHECK(lead_one("u", half_made, 0, true) == ErrorCode::kafka_storage_error);
  failing.fault = nullptr;
  stop();
  start_without_leaders();
  CHECK(lead_one("u", half_made, 0, true) == ErrorCode::none);
}

TEST_CASE_FIXTURE(TwoDirs,
                  "while a directory is offline no empty log takes the place of one that may be in it") {
  REQUIRE(put(first, batch(3)).error_code == ErrorCode::none);
  stop();
  fail("open", full_dir + "/", base::Errc::io);
  start_without_leaders();
  CHECK(lost().empty());  // the server said so at its start
  CHECK(lead_one("t", first) == ErrorCode::kafka_storage_error);
  CHECK(lead_one("u", first, 0, true) == ErrorCode::none);
  // Added by a reassignment, which is said again at each start.
  CHECK(lead_one("t", first, 50, true) == ErrorCode::kafka_storage_error);
  failing.fault = nullptr;
  stop();
  start_without_leaders();
  CHECK(lead_one("t", first) == ErrorCode::none);
  CHECK(put(first, batch(1)).base_offset == 3);
}

TEST_CASE_FIXTURE(TwoDirs, "a directory that cannot be written at a start is offline, the other one serves") {
  REQUIRE(put(first, batch(3)).error_code == ErrorCode::none);
  stop();
  SUBCASE("the marker of the clean stop stays") {
    fail("unlink", full_dir + "/.kafka_cleanshutdown", base::Errc::io);
  }
  SUBCASE("it cannot be synced") { fail("sync_dir", full_dir, base::Errc::io); }
  SUBCASE("whose it is cannot be written") {
    REQUIRE(disk.unlink(full_dir + "/meta.properties").has_value());
    fail("open", full_dir + "/meta.properties.tmp", base::Errc::no_space);
  }
  start_without_leaders();
  CHECK(lead_one("t", first) == ErrorCode::kafka_storage_error);
  CHECK(lead_one("t", other) == ErrorCode::none);
  CHECK(put(other, batch(1)).error_code == ErrorCode::none);
  failing.fault = nullptr;
  stop();
  start_without_leaders();
  CHECK(lead_one("t", first) == ErrorCode::none);
  CHECK(put(first, batch(1)).base_offset == 3);
}

}  // namespace tandem::broker::api
