// CORE: FollowerWatch: which followers are not there, as their leader sees it before Kafka's lag rule does. A
// follower that keeps a watermark back and has not been heard of is probed; one that answers no probe and
// fetches nothing until the silence has lasted `suspect_after` is a suspect, until it is heard of again. The
// shell owns it and performs the probes of take(); single-threaded. tandem.replica.suspect.ms is its time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace tandem::broker::replica {

class FollowerWatch {
 public:
  explicit FollowerWatch(base::Duration suspect_after) : suspect_after_(suspect_after) {}

  // It has fetched, or answered a probe.
  void on_heard(std::int32_t broker, base::Instant now);
  // Leaders of one shard wait for these, and for no others.
  void on_held_up(std::size_t shard, std::set<std::int32_t> brokers, base::Instant now);
  // The probe could not be asked, or its connection was lost, as with a process that has started anew: it is
  // asked once more in a moment, and the time goes on.
  void on_probe_lost(std::int32_t broker, base::Instant now);
  void on_deadline(base::Instant now);
  std::optional<base::Instant> next_deadline() const;

  std::vector<std::int32_t> take() { return std::exchange(probes_, {}); }  // brokers to be probed
  const std::set<std::int32_t>& suspects() const { return suspects_; }
  // A silence of this length makes it worth asking.
  base::Duration patience() const { return suspect_after_ / kParts; }

 private:
  static constexpr int kParts = 3;  // of the time: silence before a probe, and what is left to its answer
  struct Follower {
    base::Instant heard{};
    std::optional<base::Instant> probed;
    std::optional<base::Instant> again;  // the probe is lost
    bool held_up = false;
  };
  base::Instant verdict(const Follower& follower) const;
  base::Instant due(const Follower& follower) const;

  base::Duration suspect_after_;
  std::map<std::int32_t, Follower> followers_;
  std::map<std::size_t, std::set<std::int32_t>> held_up_;  // by shard
  std::set<std::int32_t> suspects_;
  std::vector<std::int32_t> probes_;
};

}  // namespace tandem::broker::replica
