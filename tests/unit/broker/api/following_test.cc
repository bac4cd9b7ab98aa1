// A follower whose log ends within a batch of its leader's, which is sent whole and begins below that end.
#include "tests/unit/broker/api/partitions_fixture.h"

namespace tandem::broker::api {

using protocol::ErrorCode;

namespace {

class LeaderEpochsFollowed final : public Following {
 public:
  void follow(Replica& replica) override { epochs.push_back(replica.core.leader_epoch()); }
  void unfollow(Replica&) override {}
  std::vector<std::int32_t> epochs;
};

// Offsets 0 to 2 and 3 to 4, written as leader; then broker 2 leads.
class EndsWithin : public PartitionsFixture {
 public:
  EndsWithin() {
    stop();
    replica_ids = in_sync_ids = {1, 2};
    start();
    replicas->attach(&following, nullptr);
    put(0, batch(3), 1);
    put(0, batch(2), 1);
    REQUIRE(told(2, ++leader_epoch, {2}) == ErrorCode::none);
  }

  void put(std::int32_t partition, std::string records, std::int16_t acks) {
    const auto put = ask(&produce, produce_request(partition, std::move(records), acks), 9);
    REQUIRE(put.responses.at(0).partition_responses.at(0).error_code == ErrorCode::none);
  }

  // Of the leader: offsets 4 to 8.
  std::string five() const {
    record::BatchBuilder builder({.base_offset = 4, .leader_epoch = leader_epoch});
    for (std::int64_t offset = 4; offset < 9; ++offset) builder.append(offset, 1'700'000'000'000, "k", "v");
    return *builder.finish();
  }

  // What becomes of partition 0 when the leader, whose log begins at `leader_start`, sends this.
  struct Stored {
    ErrorCode error = ErrorCode::none;
    std::int64_t start = 0;
    std::int64_t end = 0;
    std::int64_t high_watermark = 0;
    bool operator==(const Stored&) const = default;
  };
  Stored fetched(std::int64_t leader_start, std::string records) {
    std::promise<Stored> stored;
    shards->post(replicas->owner("t", 0), [&] {
      Replica& replica = *replicas->find("t", 0);
      const auto error = replica.append_fetched(replica.log->end_offset(), leader_start, records);
      stored.set_value(
          {error, replica.log->start_offset(), replica.log->end_offset(), replica.core.high_watermark()});
    });
    return stored.get_future().get();
  }

  LeaderEpochsFollowed following;
};

}  // namespace

TEST_CASE_FIXTURE(EndsWithin,
                  "a log of which the leader has deleted all begins anew with the leader's batch") {
  CHECK(fetched(5, five()) == Stored{ErrorCode::none, 5, 9, 5});
  stop();
  CHECK(fs::exists(posix, log_dirs[0] + "/t-0/00000000000000000004.log"));
  CHECK_FALSE(fs::exists(posix, log_dirs[0] + "/t-0/00000000000000000000.log"));
}

TEST_CASE_FIXTURE(EndsWithin, "nothing is given up for a batch that came damaged") {
  std::string records = five();
  records.back() ^= 1;
  CHECK(fetched(5, records) == Stored{ErrorCode::corrupt_message, 0, 5, 0});
  CHECK(fetched(5, five()) == Stored{ErrorCode::none, 5, 9, 5});
}

TEST_CASE_FIXTURE(EndsWithin,
                  "a log that its leader's does not fit is kept, and followed in the next leader epoch") {
  CHECK(fetched(4, five()) == Stored{ErrorCode::offset_out_of_range, 0, 5, 0});
  CHECK(following.epochs == std::vector<std::int32_t>{leader_epoch});
  CHECK(told(2, leader_epoch + 1, {2}) == ErrorCode::none);
  CHECK(following.epochs == std::vector<std::int32_t>{leader_epoch, leader_epoch + 1});
  CHECK(lost_dirs.empty());
  CHECK(fetched(5, five()) == Stored{ErrorCode::none, 5, 9, 5});
}

}  // namespace tandem::broker::api
