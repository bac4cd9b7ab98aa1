// OffsetTable: the committed offsets of one group. A commit is pending from its append until it is durable;
// only then it is what fetches see. Expiry follows KIP-211: see expired().
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace tandem::broker::group {

struct Committed {
  std::int64_t offset = -1;
  std::int32_t leader_epoch = -1;
  std::string metadata;
  std::int64_t commit_timestamp = 0;
  std::optional<std::int64_t>
      expire_timestamp;  // of commits with their own retention (OffsetCommit v2 to v4)
  bool operator==(const Committed&) const = default;
};

// `duration_ms` after `at_ms`, at most the largest time there is: clients and records may hold any number.
inline std::int64_t time_after(std::int64_t at_ms, std::int64_t duration_ms) {
  std::int64_t sum;
  if (!__builtin_add_overflow(at_ms, duration_ms, &sum)) return sum;
  return duration_ms > 0 ? std::numeric_limits<std::int64_t>::max()
                         : std::numeric_limits<std::int64_t>::min();
}

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
};

class OffsetTable {
 public:
  void prepare(const TopicPartition& at) { ++pending_[at]; }
  void commit(const TopicPartition& at, Committed value) {
    settle(at);
    offsets_[at] = std::move(value);
  }
  void settle(const TopicPartition& at);  // a pending commit came to nothing
  void load(const TopicPartition& at, Committed value) { offsets_[at] = std::move(value); }
  bool remove(const TopicPartition& at) { return offsets_.erase(at) > 0; }

  const Committed* find(const TopicPartition& at) const;
  const std::map<TopicPartition, Committed>& all() const { return offsets_; }
  bool empty() const { return offsets_.empty() && pending_.empty(); }

  // Offsets whose retention is over. It counts from `base` for all, or from each commit when there is none;
  // topics for which `keeps` says true never expire, nor do offsets with a commit under way.
  template <class Keeps>
  std::vector<TopicPartition> expired(std::optional<std::int64_t> base, std::int64_t now_ms,
                                      std::int64_t retention_ms, Keeps keeps) const {
    std::vector<TopicPartition> gone;
    for (const auto& [at, value] : offsets_) {
      if (pending_.contains(at) || keeps(at.topic)) continue;
      const std::int64_t over =
          value.expire_timestamp.value_or(time_after(base.value_or(value.commit_timestamp), retention_ms));
      if (now_ms >= over) gone.push_back(at);
    }
    return gone;
  }

 private:
  std::map<TopicPartition, Committed> offsets_;
  std::map<TopicPartition, int> pending_;
};

}  // namespace tandem::broker::group
