// Requests that wait: for a partition to grow (Waiter, on the partition's list at its owner) and for a
// deadline (Delays, one per shard with one timer). No list is shared between threads and nothing is evaluated
// but what changed.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "base/deadline_set.h"
#include "net/loop.h"
#include "net/timer.h"

namespace tandem::broker::api {

struct Replica;

// Waits on a partition. Called on the partition's owner thread after every change of its log, watermark or
// role.
class Waiter {
 public:
  virtual ~Waiter() = default;
  virtual bool on_change(Replica& replica) = 0;  // true: done with, leave the list
  virtual bool is_done() = 0;                    // answered elsewhere: may leave the list unasked
};

class Delayed {
 public:
  virtual ~Delayed() = default;
  virtual void on_deadline() = 0;
};

// Lives on its loop's thread.
class Delays {
 public:
  explicit Delays(net::Loop& loop) : clock_(loop.clock()), timer_(loop, [this] { run_due(); }) {}

  std::uint64_t add(base::Instant at, std::shared_ptr<Delayed> delayed) {
    const std::uint64_t id = ++last_id_;
    deadlines_.set(id, at);
    delayed_.emplace(id, std::move(delayed));
    timer_.set(deadlines_.next());
    return id;
  }
  void remove(std::uint64_t id) {
    deadlines_.erase(id);
    delayed_.erase(id);
  }
  std::size_t size() const { return delayed_.size(); }

 private:
  void run_due() {
    while (const auto id = deadlines_.pop_due(clock_.now())) {
      const auto node = delayed_.extract(*id);
      if (!node.empty()) node.mapped()->on_deadline();
    }
    timer_.set(deadlines_.next());
  }

  const base::Clock& clock_;
  base::DeadlineSet<std::uint64_t> deadlines_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Delayed>> delayed_;
  std::uint64_t last_id_ = 0;
  net::Timer timer_;
};

}  // namespace tandem::broker::api
