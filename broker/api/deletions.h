// What the controller has had this broker delete, by topic id and partition, and in which leader epoch. A
// request that was sent before the deletion may be read behind it, from a connection that the controller has
// given up: it would make an empty replica that leads in an epoch long past. Kafka's brokers know nothing of
// what they have deleted. Without topic ids it is left to control_order.h. It need not outlive the process: a
// request for an earlier life bears another broker epoch. Each shard has its own and is its owner.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <utility>

#include "broker/protocol/uuid.h"

namespace tandem::broker::api {

// Some 2 MiB; a request does not come late behind as many deletions.
inline constexpr std::size_t kDeletionsKeptMax = 10'000;
inline constexpr std::int32_t kTopicIsDeleted = std::numeric_limits<std::int32_t>::max();  // for good

class Deletions {
 public:
  void add(const protocol::Uuid& topic_id, std::int32_t partition, std::int32_t leader_epoch) {
    const Key key{topic_id, partition};
    const auto [at, is_new] = epochs_.emplace(key, leader_epoch);
    at->second = std::max(at->second, leader_epoch);
    if (!is_new) return;
    oldest_first_.push_back(key);
    if (oldest_first_.size() <= kDeletionsKeptMax) return;
    epochs_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }

  // Whether what was sent in this leader epoch is older than the deletion.
  bool cover(const protocol::Uuid& topic_id, std::int32_t partition, std::int32_t leader_epoch) const {
    const auto at = epochs_.find({topic_id, partition});
    return at != epochs_.end() && leader_epoch <= at->second;
  }

 private:
  using Key = std::pair<protocol::Uuid, std::int32_t>;
  std::map<Key, std::int32_t> epochs_;
  std::deque<Key> oldest_first_;
};

}  // namespace tandem::broker::api
