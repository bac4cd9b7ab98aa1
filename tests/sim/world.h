// The world of one run: servers, clients, network, time, faults; a safety phase in which anything may break,
// then a liveness phase in which everything is mended and must come back. Owned by the caller; one thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coord/quorum/config.h"
#include "tests/sim/checker.h"
#include "tests/sim/network.h"
#include "tests/sim/options.h"
#include "tests/sim/scheduler.h"

namespace tandem::sim {

class Client;
class Node;
struct Told;
enum class Crash;

struct Report {
  std::optional<std::string> violation;
  std::uint64_t hash = 0;
  std::uint64_t events = 0;
  std::uint64_t elections = 0;
  std::uint64_t operations = 0;  // of clients, answered
  std::uint64_t acked_writes = 0;
  double simulated_seconds = 0;
  std::vector<std::pair<std::string, std::uint64_t>> faults;
};

class World {
 public:
  explicit World(const Options& options, bool verbose = false);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Report run();

  Scheduler& scheduler() { return scheduler_; }
  Network& network() { return network_; }
  Checker& checker() { return checker_; }
  const Options& options() const { return options_; }
  Node& node(int number) { return *nodes_.at(static_cast<std::size_t>(number - 1)); }
  int node_count() const { return static_cast<int>(nodes_.size()); }
  coord::quorum::QuorumConfig config(int for_node) const;
  void note(int node, const std::string& text);
  bool verbose() const { return verbose_; }

 private:
  struct FaultClass {
    std::string name;
    milliseconds mean;
    void (World::*strike)();
    std::uint64_t count = 0;
  };

  struct Finding {
    std::string invariant;
    std::string text;
  };

  void schedule(std::size_t fault);
  void kill();
  void cut_power();
  void pause();
  void partition();
  void reset_connection();
  void slow_disk();
  void fail_disk();
  void purge();
  void take_down(int number, Crash kind);
  Node* any_up();
  void mend();
  bool advance(Duration time);
  std::optional<Finding> not_at_rest() const;
  template <class Condition>
  void await(Condition condition, const std::function<Finding()>& finding);

  Options options_;
  bool verbose_;
  Scheduler scheduler_;
  base::Random random_;
  Network network_;
  Checker checker_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::unique_ptr<Told> told_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<FaultClass> faults_;
  bool safe_ = false;  // the liveness phase: no more faults
};

}  // namespace tandem::sim
