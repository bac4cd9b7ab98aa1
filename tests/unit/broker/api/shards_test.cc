#include "broker/api/shards.h"

#include <doctest/doctest.h>

#include <array>
#include <future>
#include <memory>

namespace tandem::broker::api {
namespace {

constexpr int kStarts = 200;
constexpr std::size_t kShards = 4;

// A task that is dropped tells the next shard, by another such task: as often as is said.
void post_telling(Shards& shards, std::size_t shard, int times, int& dropped) {
  const auto tell = [&shards, shard, times](int* count) {
    ++*count;
    if (times > 0) post_telling(shards, (shard + 1) % shards.size(), times - 1, *count);
  };
  shards.post(shard, [companion = std::shared_ptr<int>(&dropped, tell)] { FAIL("ran"); });
}

}  // namespace

TEST_CASE("a shard knows its number in the first task that it runs") {
  const base::SystemClock clock;
  for (int start = 0; start < kStarts; ++start) {
    Shards shards(clock, kShards);
    std::array<std::promise<std::size_t>, kShards> seen;
    for (std::size_t i = 0; i < kShards; ++i)
      shards.post(i, [&shards, &seen, i] { seen[i].set_value(shards.current()); });
    shards.start();
    for (std::size_t i = 0; i < kShards; ++i) CHECK(seen[i].get_future().get() == i);
  }
}

TEST_CASE("a task that its shard drops at the end may tell another shard, whichever of the two was first") {
  constexpr int kTimes = 5;  // once around all shards, and on
  const base::SystemClock clock;
  int dropped = 0;
  {
    Shards shards(clock, kShards);
    for (std::size_t i = 0; i < kShards; ++i) post_telling(shards, i, kTimes, dropped);
  }
  CHECK(dropped == static_cast<int>(kShards) * (1 + kTimes));
}

}  // namespace tandem::broker::api
