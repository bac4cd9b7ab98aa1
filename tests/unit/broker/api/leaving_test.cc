// A broker that shuts down: whom it still follows, and which of its followers its watermarks wait for.
#include "tests/unit/broker/api/partitions_fixture.h"

namespace tandem::broker::api {

using protocol::ErrorCode;

namespace {

class LeadersFollowed final : public Following {
 public:
  void follow(Replica& replica) override { leaders.push_back(replica.core.leader()); }
  void unfollow(Replica&) override {}
  std::vector<std::int32_t> leaders;
};

class Leaving : public PartitionsFixture {
 public:
  Leaving() {
    stop();
    replica_ids = in_sync_ids = {1, 2, 3};
    start();
    replicas->attach(&following, nullptr);
  }

  LeadersFollowed following;
};

}  // namespace

TEST_CASE_FIXTURE(Leaving, "a broker that shuts down follows nobody in whose in-sync set it is not") {
  replicas->begin_shutdown();
  CHECK(told(2, leader_epoch + 1, {2, 3}) == ErrorCode::none);
  CHECK(put(0, batch(1)).error_code == ErrorCode::not_leader_or_follower);
  CHECK(following.leaders.empty());
  CHECK(told(3, leader_epoch + 2, {1, 3}) == ErrorCode::none);  // what waits for it has it
  CHECK(following.leaders == std::vector<std::int32_t>{3});
}

}  // namespace tandem::broker::api
