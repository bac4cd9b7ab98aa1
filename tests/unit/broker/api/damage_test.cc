// Bytes of a log that rotted on the disk: no reader gets them, and who has them elsewhere helps.
#include <fcntl.h>

#include "tests/unit/broker/api/partitions_fixture.h"

namespace tandem::broker::api {

using protocol::ErrorCode;

namespace {

class Followed final : public Following {
 public:
  void follow(Replica& replica) override { follows.push_back(replica.log->end_offset()); }
  void unfollow(Replica&) override {}
  std::vector<std::int64_t> follows;  // from where
};

class Rotten : public PartitionsFixture {
 public:
  // Ten batches of a record each, the sixth of which is no longer what was written.
  void rot(std::vector<std::int32_t> in_sync) {
    for (int i = 0; i < 10; ++i) REQUIRE(put(0, batch(1)).error_code == ErrorCode::none);
    stop();
    const std::string path = log_dirs[0] + "/t-0/00000000000000000000.log";
    const std::size_t size = batch(1).size();
    const int file = ::open(path.c_str(), O_RDWR);
    REQUIRE(file >= 0);
    REQUIRE(::pwrite(file, "X", 1, static_cast<off_t>(5 * size + size - 3)) == 1);
    ::close(file);
    replica_ids = in_sync_ids = std::move(in_sync);
    start();
    replicas->attach(&following, nullptr);
  }

  protocol::FetchResponse::PartitionData read(std::int64_t offset) {
    return ask(&fetch, fetch_request({{0, offset}}), 13).responses.at(0).partitions.at(0);
  }

  Followed following;
};

}  // namespace

TEST_CASE_FIXTURE(Rotten, "what stands before rotten bytes is read, they are not") {
  rot({1});
  const auto before = read(0);
  CHECK(before.error_code == ErrorCode::none);
  CHECK(before.records.size() == 5 * batch(1).size());
  CHECK(read(5).error_code == ErrorCode::corrupt_message);
  CHECK(read(6).records.size() == 4 * batch(1).size());
  CHECK(put(0, batch(1)).base_offset == 10);  // nobody else has it: the rest is served
  CHECK(replica_failures == 0);
}

TEST_CASE_FIXTURE(Rotten,
                  "a leader that finds rotten bytes makes room for another, and fetches them from it") {
  rot({1, 2});
  // All that a follower would read, too.
  auto debug = fetch_request({{0, 5}});
  debug.replica_id = -2;
  CHECK(ask(&fetch, debug, 13).responses.at(0).partitions.at(0).error_code == ErrorCode::kafka_storage_error);
  CHECK(replica_failures == 1);
  CHECK(put(0, batch(1)).error_code == ErrorCode::kafka_storage_error);
  // The controller asks what has failed, then names another leader.
  CHECK(told(1, leader_epoch, {1}) == ErrorCode::kafka_storage_error);
  CHECK(told(-1, leader_epoch + 1, {2}) == ErrorCode::kafka_storage_error);
  CHECK(following.follows.empty());
  CHECK(told(2, leader_epoch + 2, {2}) == ErrorCode::none);
  CHECK(following.follows == std::vector<std::int64_t>{5});
  CHECK(fs::exists(posix, log_dirs[0] + "/t-0/00000000000000000000.log.damaged"));
}

}  // namespace tandem::broker::api
