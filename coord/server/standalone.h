// A server that stands alone: recovers the tree, then wires the pipeline to the client port, the log thread,
// the snapshot thread and autopurge. Makes no decision that a core could make. Owned by main, on the loop's
// thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "coord/auth/authorizer.h"
#include "coord/pipeline/pipeline.h"
#include "coord/server/config.h"
#include "coord/server/parts.h"
#include "coord/server/store.h"
#include "coord/session/session_tracker.h"
#include "coord/shell/client_port.h"
#include "coord/shell/driver.h"
#include "coord/shell/four_letter.h"
#include "coord/tree/data_tree.h"
#include "fs/disk.h"
#include "logging/logger.h"
#include "net/loop.h"

namespace tandem::coord::server {

class Standalone final : private StoreEvents {
 public:
  Standalone(const Config& config, net::Loop& loop, fs::Disk& disk, logging::Logger logger,
             base::Random random);
  ~Standalone() override;

  // Recovers and opens the client port.
  std::optional<StartFailure> start(const ProcessFacts& process);
  // Writes what was proposed and closes everything.
  void stop();

 private:
  base::Status open(const ProcessFacts& process);
  base::Status recover();
  void build_core();
  std::vector<std::pair<std::string, std::string>> monitor_values() const;
  void persist(const pipeline::TxnBatch& batch);

  void on_durable(jute::Zxid last) override { driver_.on_durable(last); }
  void on_log_full(const base::Error& error) override;
  void on_log_space() override;

  const Config& config_;
  net::Loop& loop_;
  fs::Disk& disk_;
  logging::Logger logger_;
  auth::Authorizer authorizer_;
  session::SessionTracker sessions_;
  std::unique_ptr<tree::DataTree> tree_;
  Store store_;  // before the tree goes, its threads do

  shell::Driver driver_;
  std::unique_ptr<pipeline::Pipeline> core_;
  std::unique_ptr<shell::FourLetterWords> words_;
  std::unique_ptr<shell::ClientPort> port_;
};

}  // namespace tandem::coord::server
