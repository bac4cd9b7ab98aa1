// The simulated time: events in order of (time, number of their making), on one thread, nothing blocks.
// Owned by the World; an event may make others, none is taken back: it finds out itself that it is stale.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace tandem::sim {

using base::Duration;
using base::Instant;
using std::chrono::milliseconds;

class Scheduler {
 public:
  Instant now() const { return now_; }
  std::uint64_t events() const { return events_; }

  void at(Instant time, std::function<void()> event) {
    queue_.push({std::max(time, now_), next_++, std::move(event)});
  }
  void after(Duration delay, std::function<void()> event) { at(now_ + delay, std::move(event)); }

  // The next event happens so much later than it would.
  void postpone(Duration by) {
    if (queue_.empty()) return;
    Event event = std::move(const_cast<Event&>(queue_.top()));
    queue_.pop();
    queue_.push({event.time + by, next_++, std::move(event.run)});
  }

  // The next event not after `end`; false when there is none, and it is then `end`.
  bool run_one(Instant end) {
    if (queue_.empty() || queue_.top().time > end) {
      now_ = std::max(now_, end);
      return false;
    }
    Event event = std::move(const_cast<Event&>(queue_.top()));
    queue_.pop();
    now_ = event.time;
    ++events_;
    event.run();
    return true;
  }

 private:
  struct Event {
    Instant time;
    std::uint64_t number = 0;
    std::function<void()> run;
    bool operator<(const Event& other) const {  // the queue gives the largest first
      return std::pair(other.time, other.number) < std::pair(time, number);
    }
  };

  Instant now_{std::chrono::seconds(1)};
  std::uint64_t next_ = 0;
  std::uint64_t events_ = 0;
  std::priority_queue<Event> queue_;
};

}  // namespace tandem::sim
