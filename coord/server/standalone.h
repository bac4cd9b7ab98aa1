// A server that stands alone: recovers the tree, then wires the pipeline to the client port, the log thread,
// the snapshot thread and autopurge. Makes no decision that a core could make. Owned by main, on the loop's
// thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "coord/auth/authorizer.h"
#include "coord/pipeline/pipeline.h"
#include "coord/server/config.h"
#include "coord/server/snapshot_rule.h"
#include "coord/session/session_tracker.h"
#include "coord/shell/client_port.h"
#include "coord/shell/driver.h"
#include "coord/shell/four_letter.h"
#include "coord/shell/log_writer.h"
#include "coord/shell/snapshot_writer.h"
#include "coord/tree/data_tree.h"
#include "fs/disk.h"
#include "logging/logger.h"
#include "net/executors.h"
#include "net/loop.h"
#include "net/timer.h"

namespace tandem::coord::server {

// What main knows of the process.
struct ProcessFacts {
  std::string version;
  std::vector<std::pair<std::string, std::string>> environment;  // for the word envi
};

class Standalone final : private shell::LogEvents {
 public:
  Standalone(const Config& config, net::Loop& loop, fs::Disk& disk, logging::Logger logger,
             base::Random random);
  ~Standalone() override;

  // Recovers and opens the client port. An error is a sentence that ends the process.
  base::Status start(const ProcessFacts& process);
  // Writes what was proposed and closes everything.
  void stop();

 private:
  base::Status recover();
  base::Status first_snapshot();
  void build_core();
  shell::ServerFacts facts(const ProcessFacts& process) const;
  std::vector<std::pair<std::string, std::string>> monitor_values() const;

  void persist(const pipeline::TxnBatch& batch);
  void begin_snapshot();
  void on_snapshot_done(const base::Result<shell::SnapshotResult>& result);
  shell::SessionTimeouts session_timeouts() const;
  void purge();

  void on_durable(jute::Zxid last) override { driver_.on_durable(last); }
  void on_no_space(const base::Error& error) override;
  void on_space_back() override;
  void on_failed(const base::Error& error) override;

  const Config& config_;
  net::Loop& loop_;
  fs::Disk& disk_;
  logging::Logger logger_;
  SnapshotRule snapshot_rule_;
  auth::Authorizer authorizer_;
  session::SessionTracker sessions_;
  std::unique_ptr<tree::DataTree> tree_;
  storage::SnapshotOptions snapshot_options_;
  shell::SnapshotParts snapshot_parts_;

  shell::Driver driver_;
  std::unique_ptr<pipeline::Pipeline> core_;
  std::unique_ptr<shell::SnapshotWriter> snapshots_;
  std::unique_ptr<shell::LogWriter> log_;
  std::unique_ptr<shell::FourLetterWords> words_;
  std::unique_ptr<shell::ClientPort> port_;
  std::unique_ptr<net::Timer> purge_timer_;
  std::unique_ptr<net::ThreadPool> purge_thread_;

  std::uint64_t snapshots_written_ = 0;
  std::int64_t last_snapshot_ms_ = 0;
  jute::Zxid last_snapshot_;
};

}  // namespace tandem::coord::server
