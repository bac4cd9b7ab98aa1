// scatter(): the partitions of one request are worked on by the shards that own them. `work(shard)` runs on
// each shard named, in place when it is the caller's; the last to finish calls `done` on its thread (or, with
// `done_at_home`, on the caller's shard). State is shared by pointer and written by item, so shards never
// touch the same item.
#pragma once

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "broker/api/shards.h"

namespace tandem::broker::api {

// Which shards a request concerns; small and without allocation for the usual number of shards.
class ShardSet {
 public:
  explicit ShardSet(std::size_t shards) : used_(shards, false) {}
  void add(std::size_t shard) {
    if (used_[shard]) return;
    used_[shard] = true;
    ++count_;
  }
  bool has(std::size_t shard) const { return used_[shard]; }
  std::size_t count() const { return count_; }
  std::size_t size() const { return used_.size(); }

 private:
  std::vector<bool> used_;
  std::size_t count_ = 0;
};

template <class State>
void scatter(Shards& shards, const ShardSet& set, std::shared_ptr<State> state,
             void (State::*work)(std::size_t), void (State::*done)(), bool done_at_home = false) {
  const std::size_t home = shards.current();
  if (set.count() == 0 || (set.count() == 1 && home < set.size() && set.has(home))) {
    if (set.count() == 1) ((*state).*work)(home);
    ((*state).*done)();
    return;
  }
  auto left = std::make_shared<std::atomic<std::size_t>>(set.count());
  const auto finish = [&shards, state, left, done, done_at_home, home] {
    if (left->fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if (!done_at_home || shards.current() == home || home >= shards.size()) {
      ((*state).*done)();
    } else {
      shards.post(home, [state, done] { ((*state).*done)(); });
    }
  };
  for (std::size_t shard = 0; shard < set.size(); ++shard) {
    if (!set.has(shard) || shard == home) continue;
    shards.post(shard, [state, work, shard, finish] {
      ((*state).*work)(shard);
      finish();
    });
  }
  if (home < set.size() && set.has(home)) {
    ((*state).*work)(home);
    finish();
  }
}

}  // namespace tandem::broker::api
