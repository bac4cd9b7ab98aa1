// What a server keeps on disk, and the threads that write it: recovery, the transaction log, snapshots while
// requests go on, autopurge. Decides nothing but when a snapshot is due (snapshot_rule.h). A log that cannot
// be trusted any more ends the process here. Owned by the server, on the loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "coord/records/txn_batch.h"
#include "coord/server/config.h"
#include "coord/server/snapshot_rule.h"
#include "coord/server/tree_restore.h"
#include "coord/shell/log_writer.h"
#include "coord/shell/snapshot_writer.h"
#include "coord/tree/data_tree.h"
#include "fs/disk.h"
#include "logging/logger.h"
#include "net/executors.h"
#include "net/loop.h"
#include "net/timer.h"

namespace tandem::coord::server {

class StoreEvents {
 public:
  virtual ~StoreEvents() = default;
  virtual void on_durable(jute::Zxid last) = 0;
  virtual void on_log_full(const base::Error& error) = 0;  // as shell::LogEvents::on_no_space
  virtual void on_log_space() = 0;
};

// What the disk held.
struct StoreContents {
  std::unique_ptr<tree::DataTree> tree;
  TreeRestore::Sessions sessions;
  std::vector<records::TxnRef> recent;  // the last transactions, in order, without a hole
  jute::Zxid mixed_until;               // TreeRestore::comparable_from
  bool has_snapshot = false;
};

class Store final : private shell::LogEvents {
 public:
  Store(const Config& config, net::Loop& loop, fs::Disk& disk, logging::Logger logger, base::Random random);
  ~Store() override;
  // Writes what was appended and ends the threads.
  void close();

  // Everything from disk; up to `recent_max` transactions are handed out as they were logged.
  // `doubt_is_damage`: storage::RecoveryOptions.
  base::Result<StoreContents> recover(std::size_t recent_max, bool doubt_is_damage);
  // On this thread, durable when it returns.
  base::Status write_snapshot(tree::DataTree& tree, const shell::SessionTimeouts& sessions);

  // ---- the log --------------------------------------------------------------------------------------------
  void open_log(StoreEvents& events);
  // No event comes any more. All that was appended is durable when it returns true; otherwise the disk is
  // full, and only what on_durable said, or a little more, is in the log.
  bool close_log();
  bool log_is_open() const { return log_ != nullptr; }
  void append(const records::TxnBatch& batch);
  void submit();  // what was appended, to the log thread

  // ---- snapshots ------------------------------------------------------------------------------------------
  bool snapshot_due() const { return snapshot_rule_.due() && !snapshots_->running(); }
  // The tree must live until the snapshot is done or given up. Later transactions go to a new log file.
  // False when one is being written already.
  bool begin_snapshot(tree::DataTree& tree, const shell::SessionTimeouts& sessions,
                      std::function<void(base::Status)> done = nullptr);
  void give_up_snapshot();

  // The log behind it was replayed, or written since.
  jute::Zxid loaded_snapshot() const { return loaded_snapshot_; }

  void start_purging();
  std::vector<std::pair<std::string, std::string>> monitor_values() const;
  tree::TreeOptions tree_options() const;
  const storage::SnapshotOptions& snapshot_options() const { return snapshot_options_; }

 private:
  void on_snapshot_done(const base::Result<shell::SnapshotResult>& result);
  void add_log_stats();
  void purge();

  void on_durable(jute::Zxid last) override { events_->on_durable(last); }
  void on_no_space(const base::Error& error) override { events_->on_log_full(error); }
  void on_space_back() override { events_->on_log_space(); }
  void on_failed(const base::Error& error) override;

  const Config& config_;
  net::Loop& loop_;
  fs::Disk& disk_;
  logging::Logger logger_;
  SnapshotRule snapshot_rule_;
  storage::SnapshotOptions snapshot_options_;
  shell::SnapshotParts snapshot_parts_;
  std::unique_ptr<shell::SnapshotWriter> snapshots_;
  StoreEvents* events_ = nullptr;
  std::unique_ptr<shell::LogWriter> log_;
  jute::Zxid last_appended_;  // to this log_
  std::unique_ptr<net::Timer> purge_timer_;
  std::unique_ptr<net::ThreadPool> purge_thread_;

  // Of logs that were closed.
  struct {
    std::uint64_t batches = 0;
    std::uint64_t syncs_over_threshold = 0;
    std::uint64_t sync_time_us = 0;
    std::uint64_t sync_time_us_max = 0;
  } closed_logs_;
  std::uint64_t snapshots_written_ = 0;
  std::int64_t last_snapshot_ms_ = 0;
  jute::Zxid last_snapshot_;
  jute::Zxid loaded_snapshot_;
};

}  // namespace tandem::coord::server
