// Shards: the broker's request threads. Each runs one loop and owns its connections and its partitions; work
// for a partition of another shard is posted to its owner. A partition's owner never changes.
// The server makes and ends them; everything else sees loops by number.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "net/loop.h"

namespace tandem::broker::api {

class Shards {
 public:
  Shards(const base::Clock& clock, std::size_t count, net::LoopOptions options = {});
  ~Shards();  // stops, and drops what was posted and has not run while all loops are there
  Shards(const Shards&) = delete;
  Shards& operator=(const Shards&) = delete;

  void start();
  void stop();  // ends the loops and joins the threads; what was posted and has not run never does

  std::size_t size() const { return shards_.size(); }
  net::Loop& loop(std::size_t shard) { return shards_[shard]->loop; }
  // The shard whose thread is calling; size() when it is none of them.
  std::size_t current() const;
  std::size_t owner(std::string_view topic, std::int32_t partition) const;
  void post(std::size_t shard, std::function<void()> task) { loop(shard).post(std::move(task)); }

 private:
  struct Shard {
    Shard(const base::Clock& clock, const net::LoopOptions& options) : loop(clock, options) {}
    net::Loop loop;
    std::thread thread;
  };
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace tandem::broker::api
