// A disk that is a list: the log as the transactions it holds, the snapshot as the zxid it reaches, the two
// epochs. Work is done in order with a latency, log and epochs each in a queue of their own; a crash drops
// what was not done, or keeps a part of it.
#pragma once

#include <deque>

#include "tests/sim/node_disk.h"

namespace tandem::sim {

class ListDisk final : public NodeDisk {
 public:
  // In groups: what comes while something is written is written as one, and reported once.
  ListDisk(Scheduler& scheduler, base::Random random, Mutant mutant, std::size_t recent, bool in_groups)
      : NodeDisk(scheduler, random, mutant), recent_(recent), in_groups_(in_groups) {}

  base::Result<coord::peer::PeerStart> open(Failed failed) override;
  void crash(Crash kind) override;

  void persist(std::shared_ptr<const TxnBatch> batch, std::function<void()> done) override;
  void drain(std::function<void()> done) override;
  void truncate(Zxid zxid, std::function<void(Zxid, Database)> done) override;
  void accepted_epoch(std::int64_t epoch, std::function<void()> done) override;
  void current_epoch(std::int64_t epoch, std::function<void()> done) override;
  void purge() override;

  std::unique_ptr<LogSource> read_log(Zxid from, Zxid through) override;

  void begin_install(std::shared_ptr<const Snapshot> snapshot) override { coming_ = std::move(snapshot); }
  base::Result<bool> take(std::string_view&) override { return true; }
  void finish_install(std::function<void(Zxid, Database)> done) override;
  void abort_install() override { coming_.reset(); }

  void fail_next() override { fail_ = true; }
  std::vector<TxnRef> given() const override;
  std::size_t work_left() const override { return log_.work.size() * 10 + epochs_.work.size(); }

 private:
  struct Work {
    std::vector<TxnRef> txns;                 // given to the log
    std::function<void(double share)> apply;  // how much of it, in a crash
    std::function<void()> done;
    bool may_grow = false;
  };
  struct Queue {
    std::deque<Work> work;
    bool busy = false;
  };
  void add(Queue& queue, Work work);
  void run(Queue& queue);
  void finish(Queue& queue);
  std::function<void(double share)> append(std::vector<TxnRef> txns);

  std::size_t recent_;
  bool in_groups_;
  std::uint64_t life_ = 0;
  Failed failed_;
  Queue log_;
  Queue epochs_;
  bool fail_ = false;
  std::shared_ptr<const Snapshot> coming_;
  Zxid log_floor_;  // older files are purged now and then
};

}  // namespace tandem::sim
