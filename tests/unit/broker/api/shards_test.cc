#include "broker/api/shards.h"

#include <doctest/doctest.h>

#include <array>
#include <future>

namespace tandem::broker::api {
namespace {

constexpr int kStarts = 200;
constexpr std::size_t kShards = 4;

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

}  // namespace tandem::broker::api
