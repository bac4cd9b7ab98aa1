// The disk of a simulated server as its node sees it: work that is done after a while, and what a restart
// finds. Two kinds: list_disk.h, a list of transactions and two numbers, fast, with work that may be slow in
// every part; store_disk.h, the real storage code on a disk that forgets (sim_disk.h). Here: what both know
// of their history, for the checker.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "coord/peer/peer.h"
#include "tests/sim/network.h"
#include "tests/sim/options.h"
#include "tests/sim/scheduler.h"
#include "tests/sim/sim_disk.h"

namespace tandem::sim {

using coord::records::TxnBatch;
using coord::records::TxnRef;
using jute::Zxid;

using Sessions = std::vector<std::pair<jute::SessionId, std::int32_t>>;

// A learner's part of the log, piece by piece.
class LogSource {
 public:
  virtual ~LogSource() = default;
  virtual coord::zab::LogChunk next() = 0;
};

// A tree on its way to a learner.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // Appends a piece; false: that was the last.
  virtual bool next(std::string& out) = 0;
};

class NodeDisk {
 public:
  using Database = coord::peer::Database;
  using Failed = std::function<void(const std::string& reason)>;

  NodeDisk(Scheduler& scheduler, base::Random random, Mutant mutant)
      : scheduler_(scheduler), random_(random), mutant_(mutant) {}
  virtual ~NodeDisk() = default;

  // What a start finds. `failed` is told of what ends the process, once in a life.
  virtual base::Result<coord::peer::PeerStart> open(Failed failed) = 0;
  // The process is about to be gone: lets go of its tree.
  virtual void let_go() {}
  virtual void crash(Crash kind) = 0;

  // ---- work; each calls `done` when it is durable, unless a crash comes first
  // -------------------------------
  virtual void persist(std::shared_ptr<const TxnBatch> batch, std::function<void()> done) = 0;
  virtual void drain(std::function<void()> done) = 0;
  virtual void truncate(Zxid zxid, std::function<void(Zxid, Database)> done) = 0;
  virtual void accepted_epoch(std::int64_t epoch, std::function<void()> done) = 0;
  virtual void current_epoch(std::int64_t epoch, std::function<void()> done) = 0;
  virtual bool snapshot_due() const { return false; }
  virtual void begin_snapshot(coord::tree::DataTree&, const Sessions&) {}
  virtual void purge() = 0;
  // Whether this server gives no vote; durable at once. PeerStart::incomplete says it to the core.
  virtual void withhold_vote(const std::string&) { vote_withheld_ = true; }
  virtual void restore_vote() { vote_withheld_ = false; }

  // ---- learners
  // ---------------------------------------------------------------------------------------------
  virtual std::unique_ptr<LogSource> read_log(Zxid from, Zxid through) = 0;  // null: it does not reach back
  // Null: the history alone is sent.
  virtual std::unique_ptr<BodySource> read_tree(coord::tree::DataTree&, const Sessions&) { return nullptr; }

  // ---- a snapshot from the leader
  // ----------------------------------------------------------------------------- With a body, that is to be
  // given to take() until it says true.
  virtual void begin_install(std::shared_ptr<const Snapshot> snapshot) = 0;
  virtual base::Result<bool> take(std::string_view& bytes) = 0;
  virtual void finish_install(std::function<void(Zxid, Database)> done) = 0;
  virtual void abort_install() = 0;

  // ---- faults
  // -----------------------------------------------------------------------------------------------
  void slow_down(Duration by) { slow_ = by; }  // of the next work
  virtual void fail_next() = 0;
  virtual bool die_soon(std::function<void()>) { return false; }  // within work, if it can
  virtual void set_full(bool) {}
  virtual void fail_next_read() {}
  virtual bool rot() { return false; }
  virtual bool rotten() const { return false; }

  // ---- what is known of it, for the checker
  // ----------------------------------------------------------------- Durable, in zxid order, from the first
  // transaction on.
  const std::vector<TxnRef>& history() const { return history_; }
  const TxnRef* find(Zxid zxid) const;
  // And what was given to the log and is not durable yet: what a server knows that runs.
  virtual std::vector<TxnRef> given() const = 0;
  virtual std::size_t work_left() const { return 0; }
  Zxid snapshot_zxid() const { return snapshot_zxid_; }
  // Of what it holds and has to do.
  std::uint64_t fingerprint() const;
  // Until here the tree is a mixture of states, as a snapshot is that was made while transactions went on.
  Zxid comparable_from() const { return comparable_from_; }
  std::int64_t accepted() const { return accepted_; }
  std::int64_t current() const { return current_; }
  bool vote_withheld() const { return vote_withheld_; }
  std::uint64_t healed() const { return healed_; }  // how often it was set aside and made whole

 protected:
  void cut_history(Zxid last);

  Scheduler& scheduler_;
  base::Random random_;
  Mutant mutant_;
  Duration slow_{};
  std::vector<TxnRef> history_;
  Zxid snapshot_zxid_;
  Zxid comparable_from_;
  std::int64_t accepted_ = 0;
  std::int64_t current_ = 0;
  bool vote_withheld_ = false;
  std::uint64_t healed_ = 0;
};

std::vector<TxnRef> refs_of(const std::shared_ptr<const TxnBatch>& batch);

// Time that a piece of work takes.
Duration work_time(base::Random& random);

}  // namespace tandem::sim
