// Earliest-first deadlines by key, for cores: one deadline per key, next() for the shell's one timer,
// pop_due() to run what is due. O(log n); deterministic order (time, then key).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/clock.h"

namespace tandem::base {

template <class Key>
class DeadlineSet {
 public:
  // Sets or moves the deadline of a key.
  void set(const Key& key, Instant at) {
    erase(key);
    by_key_.emplace(key, at);
    by_time_.emplace(at, key);
  }

  void erase(const Key& key) {
    const auto it = by_key_.find(key);
    if (it == by_key_.end()) return;
    by_time_.erase({it->second, key});
    by_key_.erase(it);
  }

  bool contains(const Key& key) const { return by_key_.contains(key); }
  std::size_t size() const { return by_key_.size(); }

  std::optional<Instant> next() const {
    if (by_time_.empty()) return std::nullopt;
    return by_time_.begin()->first;
  }

  // The earliest key whose deadline is not after `now`; it is removed.
  std::optional<Key> pop_due(Instant now) {
    if (by_time_.empty() || by_time_.begin()->first > now) return std::nullopt;
    Key key = by_time_.begin()->second;
    erase(key);
    return key;
  }

 private:
  std::map<Key, Instant> by_key_;
  std::set<std::pair<Instant, Key>> by_time_;
};

}  // namespace tandem::base
