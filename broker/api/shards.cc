#include "broker/api/shards.h"

#include <fmt/core.h>

#include <future>

#include "base/check.h"
#include "base/checksum.h"
#include "net/executors.h"

namespace tandem::broker::api {

Shards::Shards(const base::Clock& clock, std::size_t count, net::LoopOptions options) {
  ENSURE(count > 0);
  for (std::size_t i = 0; i < count; ++i) shards_.push_back(std::make_unique<Shard>(clock, options));
}

// What one loop still has may be a request of another's connection, which is told that there is no answer.
Shards::~Shards() {
  stop();
  for (auto& shard : shards_) shard->loop.discard();
}

// None runs before all are known by their threads: what comes first, a connection that was waiting for the
// port, asks for the current one.
void Shards::start() {
  std::promise<void> all_known;
  const std::shared_future<void> known = all_known.get_future().share();
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    Shard& shard = *shards_[i];
    shard.thread = std::thread([&shard, i, known] {
      net::name_this_thread(fmt::format("shard-{}", i));
      known.wait();
      shard.loop.run();
    });
  }
  all_known.set_value();
}

void Shards::stop() {
  for (auto& shard : shards_) {
    if (!shard->thread.joinable()) continue;
    shard->loop.stop();
    shard->thread.join();
  }
}

std::size_t Shards::current() const {
  const auto self = std::this_thread::get_id();
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    if (shards_[i]->thread.get_id() == self) return i;
  }
  return shards_.size();
}

std::size_t Shards::owner(std::string_view topic, std::int32_t partition) const {
  // Neighbouring partitions of a topic go to different shards.
  return (base::crc32c(topic) + static_cast<std::uint32_t>(partition)) % shards_.size();
}

}  // namespace tandem::broker::api
