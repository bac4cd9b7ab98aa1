// tandem.log.flush.on.ack: what is acknowledged is on the disk, of the leader for acks=1 and of every in-sync
// replica for acks=all; a sync that fails acknowledges nothing, and is not tried again.
#include "tests/unit/broker/api/partitions_fixture.h"
#include "tests/unit/fs/forgetful_disk.h"

namespace tandem::broker::api {

using protocol::ErrorCode;

namespace {

struct ForgettingDisk {
  fs::ForgetfulDisk forgetful;
  std::atomic<int> failed_syncs{0};
};

class DurableAcks : public ForgettingDisk, public PartitionsFixture {
 public:
  DurableAcks() : PartitionsFixture(forgetful, 2, true) {}

  // The broker loses its power and starts again.
  void power_cycle() {
    shards->stop();
    replicas.reset();
    services.reset();
    shards.reset();
    forgetful.cut_power();
    start();
  }

  ErrorCode put_with(std::int16_t acks, std::int32_t partition, std::string records) {
    return ask(&produce, produce_request(partition, std::move(records), acks), 9)
        .responses.at(0)
        .partition_responses.at(0)
        .error_code;
  }

  // What consumers see: after a start once the disk has confirmed what a recovery read.
  bool ends_at(std::int32_t partition, std::int64_t end) {
    protocol::ListOffsetsRequest request;
    request.replica_id = -1;
    request.topics.push_back({"t", {{partition, -1, -1, 1}}});
    for (int i = 0; i < 2'000; ++i)
      if (ask(&list_offsets, request, 5).topics.at(0).partitions.at(0).offset == end) return true;
    return false;
  }
};

// Led here with broker 2 in sync; on files, so that records can go out.
class WithFollower : public PartitionsFixture {
 public:
  WithFollower() : PartitionsFixture(posix, 1, true) {
    replica_ids = in_sync_ids = {1, 2};
    stop();
    start();
  }

  // Broker 2 fetches from `offset` on, what is below `durable` being synced there.
  protocol::FetchResponse::PartitionData follow(std::int64_t offset, std::int64_t durable) {
    protocol::FetchRequest request = fetch_request({{0, offset}});
    request.replica_id = 2;
    request.topics[0].partitions[0].current_leader_epoch = leader_epoch;
    request.topics[0].partitions[0].durable_offset = durable;
    return ask(&fetch, request, 14).responses.at(0).partitions.at(0);
  }
  // A produce of three records with acks=all, which are in the log when this returns.
  std::future<std::string> put_three() {
    auto answer = send(&produce, produce_request(0, batch(3), -1), 9);
    while (follow(0, 0).records.size() == 0) continue;
    return answer;
  }
};

}  // namespace

TEST_CASE_FIXTURE(DurableAcks, "what acks=1 and acks=all have acknowledged survives the power of the disk") {
  for (int round = 0; round < 20; ++round) {
    REQUIRE(put_with(1, 0, batch(3)) == ErrorCode::none);
    REQUIRE(put_with(-1, 1, batch(2)) == ErrorCode::none);
  }
  power_cycle();
  CHECK(ends_at(0, 60));
  CHECK(ends_at(1, 40));
  REQUIRE(put_with(-1, 1, batch(1)) == ErrorCode::none);
  power_cycle();
  CHECK(ends_at(1, 41));
}

TEST_CASE_FIXTURE(DurableAcks, "segments that roll on the way are as durable as the one that is written") {
  config.segment_bytes = 300;
  stop();
  start();
  for (int round = 0; round < 30; ++round) REQUIRE(put_with(-1, 2, batch(3)) == ErrorCode::none);
  power_cycle();
  CHECK(ends_at(2, 90));
}

TEST_CASE_FIXTURE(DurableAcks, "one request for many partitions waits for all of their disks") {
  auto request = produce_request(0, batch(1));
  for (std::int32_t p = 1; p < 3; ++p)
    request.topic_data[0].partition_data.push_back({p, protocol::Records(bytes::Slice::own(batch(p + 1)))});
  const auto answer = ask(&produce, request, 9);
  for (const auto& partition : answer.responses.at(0).partition_responses)
    CHECK(partition.error_code == ErrorCode::none);
  power_cycle();
  for (std::int32_t p = 0; p < 3; ++p) CHECK(ends_at(p, p + 1));
}

TEST_CASE_FIXTURE(DurableAcks, "a sync that fails takes the directory offline and is not tried again") {
  REQUIRE(put_with(1, 0, batch(1)) == ErrorCode::none);
  const bool in_first = fs::exists(forgetful, log_dirs[0] + "/t-0");
  const std::string dir = log_dirs[in_first ? 0 : 1];
  forgetful.fault = [&](std::string_view call, const std::string& path) -> std::optional<base::Errc> {
    if (call != "sync" || !path.starts_with(dir + "/t-0/")) return std::nullopt;
    ++failed_syncs;
    return base::Errc::io;
  };
  const auto sent = batch(3, {.producer_id = 7, .producer_epoch = 0, .base_sequence = 0});
  CHECK(put_with(1, 0, sent) == ErrorCode::kafka_storage_error);
  {
    const std::lock_guard lock(lost_mutex);
    CHECK(lost_dirs == std::vector<std::string>{dir});
  }
  // Neither its repetition nor anything else is acknowledged, with 1 or with all.
  CHECK(put_with(-1, 0, sent) == ErrorCode::kafka_storage_error);
  CHECK(put_with(1, 0, batch(1)) == ErrorCode::kafka_storage_error);
  CHECK(failed_syncs == 1);
  for (std::int32_t p = 1; p < 3; ++p) {
    if (!fs::exists(forgetful, dir + fmt::format("/t-{}", p)))
      CHECK(put_with(-1, p, batch(1)) == ErrorCode::none);
  }
  forgetful.fault = nullptr;
}

TEST_CASE_FIXTURE(WithFollower, "acks=all waits until the follower's disk has what it fetched") {
  auto answer = put_three();
  while (follow(3, 2).high_watermark < 2) continue;  // the own disk
  CHECK(follow(3, 2).high_watermark == 2);
  CHECK(answer.wait_for(std::chrono::seconds(0)) != std::future_status::ready);
  CHECK(follow(3, 3).high_watermark == 3);
  const auto put = receive<protocol::ProduceRequest>(std::move(answer), 9);
  CHECK(put.responses.at(0).partition_responses.at(0).error_code == ErrorCode::none);
}

TEST_CASE_FIXTURE(WithFollower, "a follower that does not tell what it has synced counts with what it has") {
  auto answer = put_three();
  CHECK(follow(3, -1).error_code == ErrorCode::none);
  const auto put = receive<protocol::ProduceRequest>(std::move(answer), 9);
  CHECK(put.responses.at(0).partition_responses.at(0).error_code == ErrorCode::none);
}

TEST_CASE_FIXTURE(WithFollower, "a log that was cut is not written down as whole beyond the cut") {
  in_sync_ids = replica_ids = {1};
  stop();
  start();
  for (int i = 0; i < 10; ++i) REQUIRE(put(0, batch(1)).error_code == ErrorCode::none);
  stop();
  start_without_leaders();
  const auto written = [this] {
    return *fs::read_file(posix, log_dirs[0] + "/recovery-point-offset-checkpoint");
  };
  CHECK(written().find("t 0 10\n") != std::string::npos);
  protocol::LeaderAndIsrRequest request;
  request.controller_epoch = 1;
  request.topic_states.push_back({"t", id, {}});
  auto& state = request.topic_states[0].partition_states.emplace_back();
  state.leader = 2;
  state.leader_epoch = leader_epoch + 1;
  state.isr = state.replicas = {1, 2};
  REQUIRE(ask(&leader_and_isr, request, 7).error_code == ErrorCode::none);
  std::promise<std::int64_t> whole;
  shards->post(replicas->owner("t", 0), [&] {
    Replica& replica = *replicas->find("t", 0);
    replicas->before_cut(replica, 4, [&] { whole.set_value(replica.log->end_offset()); });
  });
  CHECK(whole.get_future().get() == 10);
  CHECK(written().find("t 0 4\n") != std::string::npos);
}

TEST_CASE_FIXTURE(DurableAcks,
                  "a cut waits for no file but that of recovery points, and only where it says more") {
  replica_ids = {1, 2};
  for (int i = 0; i < 10; ++i) REQUIRE(put(0, batch(1)).error_code == ErrorCode::none);
  stop();
  start_without_leaders();
  REQUIRE(told(2, leader_epoch + 1, {1, 2}) == ErrorCode::none);
  std::mutex mutex;
  std::vector<std::string> replaced;
  forgetful.fault = [&](std::string_view call, const std::string& path) -> std::optional<base::Errc> {
    const std::lock_guard lock(mutex);
    if (call == "rename") replaced.push_back(fs::base_name(path));
    return std::nullopt;
  };
  // Whether the cut is made within the call.
  const auto at_once = [this](std::int64_t offset) {
    std::promise<bool> within;
    std::promise<void> cut;
    shards->post(replicas->owner("t", 0), [&] {
      const auto made = std::make_shared<bool>(false);
      replicas->before_cut(*replicas->find("t", 0), offset, [&cut, made] {
        *made = true;
        cut.set_value();
      });
      within.set_value(*made);
    });
    cut.get_future().wait();
    return within.get_future().get();
  };
  CHECK(at_once(10));
  CHECK(replaced.empty());
  CHECK_FALSE(at_once(4));
  CHECK(replaced == std::vector<std::string>{"recovery-point-offset-checkpoint.tmp"});
  CHECK(at_once(4));
  CHECK(replaced.size() == 1);
  forgetful.fault = nullptr;
}

}  // namespace tandem::broker::api
