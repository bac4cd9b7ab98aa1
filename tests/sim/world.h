// The world of one run: servers, clients, network, time, faults; a safety phase in which anything may break,
// then a liveness phase in which everything is mended and must come back. Owned by the caller; one thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coord/quorum/config.h"
#include "tests/sim/checker.h"
#include "tests/sim/network.h"
#include "tests/sim/options.h"
#include "tests/sim/scheduler.h"
#include "tests/sim/sim_disk.h"

namespace tandem::sim {

class Client;
class Node;
struct Told;

struct Report {
  std::optional<std::string> violation;
  std::uint64_t hash = 0;
  std::uint64_t events = 0;
  std::uint64_t elections = 0;
  std::uint64_t operations = 0;  // of clients, answered
  std::uint64_t acked_writes = 0;
  double simulated_seconds = 0;
  std::vector<std::pair<std::string, std::uint64_t>> faults;
  std::vector<std::pair<std::string, std::uint64_t>> others;  // what else is to be seen to happen
};

// What an explored run does to its servers, before its so many-th event.
struct Interference {
  enum Kind { kill, power, delay };
  std::uint64_t at = 0;
  Kind kind = kill;
  int server = 0;  // of a crash
};
using Script = std::vector<Interference>;
const char* to_string(Interference::Kind kind);

class World {
 public:
  explicit World(const Options& options, bool verbose = false);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Report run();
  // Without faults but those of the script, until all is done and at rest. Behind the last one `look` is told
  // of every event and the state before it; false ends the run.
  Report follow(const Script& script, std::uint64_t events_max,
                const std::function<bool(std::uint64_t at, std::uint64_t state)>& look);

  // Without faults but one: the leader goes on being heard and hears nobody. How long nobody else leads.
  Report deafen(Duration& alone);

  Scheduler& scheduler() { return scheduler_; }
  Network& network() { return network_; }
  Checker& checker() { return checker_; }
  const Options& options() const { return options_; }
  Node& node(int number) { return *nodes_.at(static_cast<std::size_t>(number - 1)); }
  int node_count() const { return static_cast<int>(nodes_.size()); }
  coord::quorum::QuorumConfig config(int for_node) const;
  void note(int node, const std::string& text);
  // Of a node: it found a reason to end itself; what its disk has does not let it start.
  void process_ended(int number, const std::string& reason);
  void start_failed(int number, const base::Error& error);
  bool verbose() const { return verbose_; }
  // For replays.
  void remember_notification(Said said);
  std::shared_ptr<Said> remember_conversation(int from, int to);

 private:
  struct FaultClass {
    std::string name;
    milliseconds mean;
    void (World::*strike)();
    std::uint64_t count = 0;
  };

  struct Unrest {
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
  void fill_disk();
  void fail_read();
  void rot();
  void jump_clock();
  void replay();
  void restart_apache();
  bool others_vote(int number) const;
  void take_down(int number, Crash kind);
  void start_later(int number);
  Crash any_crash() { return random_.chance(0.5) ? Crash::kill : Crash::power; }
  Node* any_up();
  Node* leading(const Node* but = nullptr);
  void mend();
  void begin();
  Report report() const;
  std::uint64_t fingerprint() const;
  bool advance(Duration time);
  std::optional<Unrest> not_at_rest() const;
  template <class Condition>
  void await(Condition condition, const std::function<Unrest()>& unrest);

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
  std::deque<Said> notifications_;
  std::deque<std::shared_ptr<Said>> conversations_;
  std::uint64_t operator_restarts_ = 0;
  std::set<int> refused_;  // servers whose disk says that an operator must look
  int rotting_ = 0;        // the one server whose disk may rot
  bool safe_ = false;      // the liveness phase: no more faults
};

}  // namespace tandem::sim
