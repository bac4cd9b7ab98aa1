// Partitions of a follower's session in which nothing happens: nobody looks at them, and nothing is missed.
#include "tests/unit/broker/api/partitions_fixture.h"

namespace tandem::broker::api {

namespace {

using protocol::FetchRequest;
using protocol::FetchResponse;

// Broker 2 follows the three partitions, which lie on both shards.
struct RestingFixture : PartitionsFixture {
  RestingFixture() {
    replica_ids = in_sync_ids = {1, 2};
    lead(++leader_epoch);
    request = fetch_request({{0, 0}, {1, 0}, {2, 0}});
    request.replica_id = 2;
    request.session_epoch = 0;
    request.session_id = ask(&fetch, request, 12).session_id;
    REQUIRE(request.session_id != 0);
    settle();
  }

  // The next of the session: no row unless one is given.
  FetchRequest next(std::int32_t min_bytes, std::vector<std::pair<std::int32_t, std::int64_t>> rows = {}) {
    FetchRequest out = fetch_request(std::move(rows), min_bytes);
    if (out.topics[0].partitions.empty()) out.topics.clear();
    out.replica_id = 2;
    out.session_id = request.session_id;
    out.session_epoch = ++request.session_epoch;
    return out;
  }
  void settle() {
    for (int i = 0; i < 3; ++i) (void)ask(&fetch, next(0), 12);
    CHECK(ask(&fetch, next(0), 12).responses.empty());
  }
  void write(std::int32_t partition) {
    const auto put = ask(&produce, produce_request(partition, batch(2), 1), 11);
    REQUIRE(put.responses.at(0).partition_responses.at(0).error_code == protocol::ErrorCode::none);
  }
  static const FetchResponse::PartitionData& only(const FetchResponse& response) {
    REQUIRE(response.responses.size() == 1);
    REQUIRE(response.responses[0].partitions.size() == 1);
    return response.responses[0].partitions[0];
  }

  FetchRequest request;
};

}  // namespace

TEST_CASE_FIXTURE(RestingFixture,
                  "a fetch that waits is woken by what is written to a partition that rests") {
  for (const std::int32_t partition : {0, 1, 2}) {
    auto waiting = send(&fetch, next(1), 12);
    write(partition);
    const auto response = receive<FetchRequest>(std::move(waiting), 12);
    CHECK(only(response).partition_index == partition);
    CHECK(only(response).records.size() > 0);
    // What is fetched is acknowledged by the next fetch, and the watermark told with it.
    const auto told = ask(&fetch, next(0, {{partition, 2}}), 12);
    CHECK(only(told).high_watermark == 2);
    CHECK(only(told).records.size() == 0);
    settle();
  }
}

TEST_CASE_FIXTURE(RestingFixture, "what is written between two fetches is in the second") {
  write(1);
  const auto response = ask(&fetch, next(1), 12);
  CHECK(only(response).partition_index == 1);
  CHECK(only(response).records.size() > 0);
  // Not confirmed yet: the same again.
  CHECK(only(ask(&fetch, next(1), 12)).records.size() > 0);
}

TEST_CASE_FIXTURE(RestingFixture, "acks=all waits for a follower whose partition rested") {
  auto produced = send(&produce, produce_request(2, batch(2), -1), 11);
  CHECK(only(ask(&fetch, next(1), 12)).partition_index == 2);
  (void)ask(&fetch, next(0, {{2, 2}}), 12);
  const auto response = receive<protocol::ProduceRequest>(std::move(produced), 11);
  CHECK(response.responses.at(0).partition_responses.at(0).error_code == protocol::ErrorCode::none);
}

TEST_CASE_FIXTURE(RestingFixture, "another leader epoch wakes the fetch that waits") {
  auto waiting = send(&fetch, next(1), 12);
  // These go to both shards and back, as that one did before: it waits now.
  for (int i = 0; i < 3; ++i) (void)ask(&fetch, fetch_request({{0, 0}, {1, 0}, {2, 0}}), 12);
  lead(++leader_epoch);
  const auto begin = std::chrono::steady_clock::now();
  (void)receive<FetchRequest>(std::move(waiting), 12);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));  // of ten that it may wait
}

TEST_CASE_FIXTURE(RestingFixture,
                  "a partition that the session forgets while it rests is not told of any more") {
  auto forgetting = next(0);
  forgetting.forgotten_topics_data.push_back({"t", id, {1}});
  CHECK(ask(&fetch, forgetting, 12).responses.empty());
  write(1);
  CHECK(ask(&fetch, next(0), 12).responses.empty());
  CHECK(only(ask(&fetch, next(0, {{1, 0}}), 12)).records.size() > 0);
}

}  // namespace tandem::broker::api
