// The real storage code under a simulated server: log, snapshots, recovery, truncation, epoch files and purge
// of coord/storage on a disk that forgets. What coord/server does with threads is done here with time: a log
// thread that writes, syncs and takes what came meanwhile as its next batch, a snapshot that is written a few
// nodes at a time while transactions go on. Beside it the history that the disk should hold, and at every
// start the question whether it does.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "coord/server/snapshot_rule.h"
#include "coord/shell/snapshot_transfer.h"
#include "coord/storage/recovery.h"
#include "coord/storage/snapshot_file.h"
#include "coord/storage/txn_log.h"
#include "coord/tree/snapshot_view.h"
#include "tests/sim/node_disk.h"

namespace tandem::sim {

struct StoreOptions {
  std::size_t recent = 500;
  std::int64_t snap_count = 1000;
  std::uint64_t preallocate_bytes = 4096;
  std::uint64_t log_bytes_max = 0;
  bool others_suffice = false;  // StartRules
  DiskLies lies;
};

class StoreDisk final : public NodeDisk {
 public:
  using Violated = std::function<void(const std::string& invariant, const std::string& text)>;

  StoreDisk(Scheduler& scheduler, base::Random random, Mutant mutant, StoreOptions options,
            Violated violated);
  ~StoreDisk() override;

  base::Result<coord::peer::PeerStart> open(Failed failed) override;
  void let_go() override;
  void crash(Crash kind) override;

  void persist(std::shared_ptr<const TxnBatch> batch, std::function<void()> done) override;
  void drain(std::function<void()> done) override;
  void truncate(Zxid zxid, std::function<void(Zxid, Database)> done) override;
  void accepted_epoch(std::int64_t epoch, std::function<void()> done) override;
  void current_epoch(std::int64_t epoch, std::function<void()> done) override;
  bool snapshot_due() const override { return !snapshot_ && rule_.due(); }
  void begin_snapshot(coord::tree::DataTree& tree, const Sessions& sessions) override;
  void purge() override;
  void withhold_vote(const std::string& reason) override;
  void restore_vote() override;

  std::unique_ptr<LogSource> read_log(Zxid from, Zxid through) override;
  std::unique_ptr<BodySource> read_tree(coord::tree::DataTree& tree, const Sessions& sessions) override;

  void begin_install(std::shared_ptr<const Snapshot> snapshot) override;
  base::Result<bool> take(std::string_view& bytes) override;
  void finish_install(std::function<void(Zxid, Database)> done) override;
  void abort_install() override;

  void fail_next() override { disk_.fail_next_sync(); }
  bool die_soon(std::function<void()> died) override;
  void die_in(std::uint64_t changes, std::function<void()> died) {
    disk_.die_after(changes, std::move(died));
  }
  void set_full(bool full) override { disk_.set_full(full); }
  void fail_next_read() override { disk_.fail_next_read(); }
  // Only where it can be known: what the durable mark speaks for, what other files follow, snapshots.
  bool rot() override;
  bool rotten() const override { return rotten_; }

  std::vector<TxnRef> given() const override;

 private:
  struct Batch {
    bool roll = false;
    bool written = false;
    Zxid first;
    std::string bytes;
    std::vector<TxnRef> txns;
    std::function<void()> done;
  };
  struct Rot {
    std::string path;
    std::uint64_t offset = 0;
    char mask = 0;
  };
  struct SnapshotJob {
    std::unique_ptr<coord::tree::SnapshotView> view;
    std::unique_ptr<coord::storage::SnapshotWriter> writer;
    coord::tree::DataTree* tree = nullptr;
  };

  using History = std::vector<TxnRef>;

  base::Result<Database> recover();
  void settle_history(const coord::storage::Recovered& recovered);
  void settle_replacement(Zxid found);
  void take_history(Zxid snapshot);
  void keep_beneath(History history);
  void cut_histories(Zxid last);
  void begin_batch();
  bool write_batch();
  bool settle_log();
  bool sync_batch();
  void end_batch();
  bool close_log();
  void write_slice();
  void give_up_snapshot() { snapshot_.reset(); }
  void epoch(bool accepted, std::int64_t epoch, std::function<void()> done);
  void fail(const base::Error& error);
  void later(std::function<void()> task);
  bool rot_unseen(const std::string& path);

  StoreOptions options_;
  Violated violated_;
  SimDisk disk_;
  coord::storage::SnapshotOptions snapshot_options_;
  coord::server::SnapshotRule rule_;
  std::uint64_t life_ = 0;
  Failed failed_;

  std::optional<coord::storage::TxnLog> log_;
  bool unsettled_ = false;  // what was synced last
  bool roll_next_ = false;
  std::deque<Batch> batches_;  // the first is being written
  bool busy_ = false;
  std::uint64_t work_ = 0;  // batches begun
  std::optional<SnapshotJob> snapshot_;
  std::unique_ptr<coord::shell::SnapshotIntake> intake_;

  // For the checker.
  std::shared_ptr<const Snapshot> coming_;     // its tree is on its way
  std::shared_ptr<const Snapshot> replacing_;  // until a start or its end shows what came of it
  History maybe_;                              // of the life before: what may be found
  bool settled_ = false;                       // the history is what a start found
  Zxid certain_;                               // what must be found, at least
  // By snapshot, where that stands for another history than this one: the one that was there before a
  // snapshot came from a leader, as far as a death in the middle of its installation left it.
  std::map<Zxid, std::shared_ptr<History>> beneath_;
  Zxid whole_from_;                   // beneath this snapshot anything may be gone
  std::map<Zxid, Zxid> mixed_until_;  // by snapshot
  bool rotten_ = false;
  bool vote_unsure_ = false;   // whether that is on the disk
  bool set_aside_ = false;     // and is not whole again
  bool rotten_anew_ = false;   // since then
  std::vector<Rot> unproven_;  // in the last file of the log
};

}  // namespace tandem::sim
