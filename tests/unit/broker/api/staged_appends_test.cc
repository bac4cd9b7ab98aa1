// The produce requests of one receive: what they append is one write to each log, and none is answered before
// it. A turn runs on a shard as a connection's does, up to the end that the test gives it.
#include "broker/api/staged_appends.h"

#include "tests/unit/broker/api/partitions_fixture.h"
#include "tests/unit/fs/forgetful_disk.h"

namespace tandem::broker::api {

using protocol::ErrorCode;
using protocol::ProduceRequest;

namespace {

using Answer = std::future<std::string>;
using Partition = protocol::ProduceResponse::PartitionProduceResponse;

constexpr std::int16_t kVersion = 11;

class Turns : public PartitionsFixture {
 public:
  using PartitionsFixture::PartitionsFixture;

  // The first partition of a shard.
  std::int32_t on(std::size_t shard) const { return shards->owner("t", 0) == shard ? 0 : 1; }

  // Runs on a shard's thread, and waits for it.
  void run(std::size_t shard, std::function<void()> task) {
    std::promise<void> done;
    shards->post(shard, [&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }
  template <class Request>
  Answer call_here(void (*handle)(Call, Request), Request request, std::int16_t version, bool gathers) {
    auto sink = std::make_shared<AwaitedSink>();
    auto answer = sink->done.get_future();
    handle(call<Request>(sink, version, gathers), std::move(request));
    return answer;
  }
  // One turn on shard 0: `before_end` runs when all was handed out and nothing is written.
  std::vector<Answer> turn(std::vector<ProduceRequest> requests, std::function<void()> before_end = {}) {
    std::vector<Answer> answers;
    run(0, [&] {
      for (auto& request : requests)
        answers.push_back(call_here(&produce, std::move(request), kVersion, true));
      for (const auto& answer : answers) answered_early += is_there(answer) ? 1 : 0;
      if (before_end) before_end();
      replicas->staged(0).finish();
    });
    return answers;
  }
  Partition partition_of(Answer answer) {
    return receive<ProduceRequest>(std::move(answer), kVersion).responses.at(0).partition_responses.at(0);
  }
  static bool is_there(const Answer& answer) {
    return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  static std::string text(Answer answer) {
    REQUIRE(answer.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
    return answer.get();
  }
  static std::string numbered(std::int32_t sequence, int count = 3) {
    return batch(count, {.producer_id = 7, .producer_epoch = 0, .base_sequence = sequence});
  }
  std::size_t bytes_in(const protocol::FetchResponse& response) const {
    std::size_t bytes = 0;
    for (const auto& topic : response.responses)
      for (const auto& partition : topic.partitions) bytes += partition.records.size();
    return bytes;
  }

  int answered_early = 0;
};

struct MemoryDisk {
  fs::ForgetfulDisk memory;
};

class TurnsInMemory : public MemoryDisk, public Turns {
 public:
  TurnsInMemory() : Turns(memory, 1) {
    memory.fault = [this](std::string_view call, const std::string& path) -> std::optional<base::Errc> {
      if (call != "write" || !path.ends_with(".log")) return std::nullopt;
      ++writes;
      return failing ? std::optional(base::Errc::no_space) : std::nullopt;
    };
  }
  ~TurnsInMemory() {
    stop();
    memory.fault = nullptr;
  }

  std::atomic<int> writes{0};
  std::atomic<bool> failing{false};
};

}  // namespace

TEST_CASE_FIXTURE(TurnsInMemory, "batches of one turn for one partition are one write, answered behind it") {
  const auto here = on(0);
  auto answers = turn({produce_request(here, batch(3)), produce_request(here, batch(2), 1),
                       produce_request(here, batch(1), 0), produce_request(here, batch(4))},
                      [&] { CHECK(writes == 0); });
  CHECK(answered_early == 0);
  CHECK(writes == 1);
  CHECK(text(std::move(answers[2])) == "nothing");
  const std::int64_t offsets[] = {0, 3, -1, 6};
  for (const std::size_t i : {0, 1, 3}) {
    const auto answer = partition_of(std::move(answers[i]));
    CHECK(answer.error_code == ErrorCode::none);
    CHECK(answer.base_offset == offsets[i]);
    CHECK(answer.log_start_offset == 0);
  }
  CHECK(put(here, batch(1)).base_offset == 10);
}

TEST_CASE_FIXTURE(TurnsInMemory, "a write that fails is the failure of every batch that waited for it") {
  const auto here = on(0);
  REQUIRE(put(here, batch(2)).base_offset == 0);
  failing = true;
  auto answers = turn({produce_request(here, numbered(0)), produce_request(here, batch(2), 1),
                       produce_request(here, batch(1), 0), produce_request(here, numbered(0))});
  failing = false;
  CHECK(answered_early == 0);
  CHECK(text(std::move(answers[2])) == "closed");
  for (const std::size_t i : {0, 1, 3}) {
    const auto answer = partition_of(std::move(answers[i]));
    CHECK(answer.error_code == ErrorCode::kafka_storage_error);
    CHECK(answer.index == here);
    CHECK(answer.base_offset == -1);
  }
  run(0, [&] { CHECK(replicas->find("t", here)->core.high_watermark() == 2); });
  // The sequence was seen, but nothing of it is in the log: sent again it is no duplicate to be confirmed.
  CHECK(put(here, numbered(0)).error_code == ErrorCode::kafka_storage_error);
  stop();
  start();
  CHECK(put(here, numbered(0)).base_offset == 2);
}

TEST_CASE_FIXTURE(TurnsInMemory, "a duplicate of what is not written yet waits for the write it repeats") {
  const auto here = on(0);
  auto answers = turn({produce_request(here, numbered(0)), produce_request(here, numbered(0)),
                       produce_request(here, numbered(3)), produce_request(here, numbered(0))});
  CHECK(answered_early == 0);
  CHECK(writes == 1);
  const std::int64_t offsets[] = {0, 0, 3, 0};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto answer = partition_of(std::move(answers[i]));
    CHECK(answer.error_code == ErrorCode::none);
    CHECK(answer.base_offset == offsets[i]);
  }
  CHECK(put(here, batch(1)).base_offset == 6);
}

TEST_CASE_FIXTURE(TurnsInMemory, "a refused batch is answered at once, what is staged around it is written") {
  const auto here = on(0);
  auto broken = batch(3);
  broken.back() ^= 1;
  std::vector<Answer> answers =
      turn({produce_request(here, batch(3)), produce_request(here, broken), produce_request(here, batch(3))});
  CHECK(answered_early == 1);
  CHECK(partition_of(std::move(answers[0])).base_offset == 0);
  CHECK(partition_of(std::move(answers[1])).error_code == ErrorCode::corrupt_message);
  CHECK(partition_of(std::move(answers[2])).base_offset == 3);
}

TEST_CASE_FIXTURE(TurnsInMemory, "a request over several shards repeats what is staged and is answered") {
  const auto here = on(0);
  std::promise<void> turn_over;
  shards->post(1, [over = turn_over.get_future().share()] { over.wait(); });
  auto wide = produce_request(here, numbered(0));
  wide.topic_data[0].partition_data.push_back({on(1), protocol::Records(bytes::Slice::own(batch(2)))});
  std::vector<Answer> answers;
  run(0, [&] {
    answers.push_back(call_here(&produce, produce_request(here, numbered(0)), kVersion, true));
    answers.push_back(call_here(&produce, std::move(wide), kVersion, true));
    replicas->staged(0).finish();
  });
  turn_over.set_value();  // the other shard appends when nothing ends a turn of this one any more
  CHECK(partition_of(std::move(answers[0])).base_offset == 0);
  const auto both = receive<ProduceRequest>(std::move(answers[1]), kVersion).responses.at(0);
  for (const auto& answer : both.partition_responses) {
    CHECK(answer.error_code == ErrorCode::none);
    CHECK(answer.base_offset == 0);
  }
}

TEST_CASE_FIXTURE(Turns, "who fetches sees nothing of what is staged before it is written") {
  const auto here = on(0);
  auto waiting = send(&fetch, fetch_request({{here, 0}}, 1), 11);
  std::optional<Answer> at_once;
  const std::string one = batch(3);
  auto answers = turn({produce_request(here, one), produce_request(here, one)}, [&] {
    at_once = call_here(&fetch, fetch_request({{here, 0}}), 11, false);
    CHECK(!is_there(waiting));
    CHECK(replicas->find("t", here)->core.high_watermark() == 0);
  });
  CHECK(bytes_in(receive<protocol::FetchRequest>(std::move(*at_once), 11)) == 0);
  CHECK(bytes_in(receive<protocol::FetchRequest>(std::move(waiting), 11)) == 2 * one.size());
  for (auto& answer : answers) CHECK(partition_of(std::move(answer)).error_code == ErrorCode::none);
}

TEST_CASE_FIXTURE(Turns, "segments that roll within a turn hold all of it") {
  const auto here = on(0);
  const std::string one = batch(2);
  config.segment_bytes = static_cast<std::int32_t>(2 * one.size() + one.size() / 2);
  replicas->config_changed("");
  for (const std::size_t shard : {0, 1}) run(shard, [] {});
  constexpr int kBatches = 7;
  auto answers = turn(std::vector<ProduceRequest>(kBatches, produce_request(here, one)));
  CHECK(answered_early == 0);
  for (int i = 0; i < kBatches; ++i) CHECK(partition_of(std::move(answers[i])).base_offset == 2 * i);
  for (const bool again : {false, true}) {
    if (again) {
      stop();
      start();
    }
    for (int i = 0; i < kBatches; ++i) {
      const auto response = ask(&fetch, fetch_request({{here, 2 * i}}), 11);
      const auto records = response.responses.at(0).partitions.at(0).records.slice();
      record::BatchCursor cursor(records.view());
      REQUIRE(cursor.next());
      CHECK(cursor.batch().offset_field() == 2 * i);
      CHECK(cursor.batch().is_valid());
      CHECK(cursor.batch().size() == one.size());
      CHECK(records.view().size() <= 2 * one.size());
    }
  }
}

}  // namespace tandem::broker::api
