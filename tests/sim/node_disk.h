// The disk of a simulated server: the log as the list of transactions it holds, the snapshot as the zxid it
// reaches, the two epoch files. Work is done in order with a latency, log and epoch files each in a queue of
// their own; a crash drops what was not synced, or keeps a part of it. What a restart finds is database().
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "coord/peer/peer.h"
#include "tests/sim/network.h"
#include "tests/sim/options.h"
#include "tests/sim/scheduler.h"

namespace tandem::sim {

using coord::records::TxnBatch;
using coord::records::TxnRef;
using jute::Zxid;

enum class Crash { kill, power };

class NodeDisk {
 public:
  NodeDisk(Scheduler& scheduler, base::Random random, Mutant mutant)
      : scheduler_(scheduler), random_(random), mutant_(mutant) {}

  // Each calls `done` when it is durable, unless a crash comes first.
  void persist(std::shared_ptr<const TxnBatch> batch, std::function<void()> done);
  void drain(std::function<void()> done);
  void truncate(Zxid zxid, std::function<void()> done);
  void install(std::shared_ptr<const Snapshot> snapshot, std::function<void()> done);
  void accepted_epoch(std::int64_t epoch, std::function<void()> done);
  void current_epoch(std::int64_t epoch, std::function<void()> done);

  void crash(Crash kind);
  void slow_down(Duration by) { slow_ = by; }  // of the next work
  void fail_next(std::function<void()> failed) { fail_ = std::move(failed); }

  coord::peer::Database database(std::size_t recent, Zxid through = Zxid(INT64_MAX)) const;
  // Durable, in zxid order.
  const std::vector<TxnRef>& history() const { return history_; }
  const TxnRef* find(Zxid zxid) const;
  // And what was given to the log and is not durable yet: what a server knows that runs.
  std::vector<TxnRef> given() const;
  Zxid snapshot_zxid() const { return snapshot_zxid_; }
  std::int64_t accepted() const { return accepted_; }
  std::int64_t current() const { return current_; }
  // What a log keeps for those who lag: older files are purged now and then.
  Zxid log_floor() const { return log_floor_; }
  void purge(Zxid floor) { log_floor_ = std::max(log_floor_, floor); }

 private:
  struct Work {
    std::vector<TxnRef> txns;                 // given to the log
    std::function<void(double share)> apply;  // how much of it, in a crash
    std::function<void()> done;
  };
  struct Queue {
    std::deque<Work> work;
    bool busy = false;
  };
  void add(Queue& queue, Work work);
  void run(Queue& queue);
  void finish(Queue& queue);

  Scheduler& scheduler_;
  base::Random random_;
  Mutant mutant_;
  std::uint64_t life_ = 0;
  Queue log_;
  Queue epochs_;
  Duration slow_{};
  std::function<void()> fail_;

  std::vector<TxnRef> history_;
  Zxid snapshot_zxid_;
  Zxid log_floor_;
  std::int64_t accepted_ = 0;
  std::int64_t current_ = 0;
};

// What applying `history` leads to.
coord::peer::Database replay(const std::vector<TxnRef>& history, Zxid snapshot_zxid, std::size_t recent,
                             Zxid through);

}  // namespace tandem::sim
