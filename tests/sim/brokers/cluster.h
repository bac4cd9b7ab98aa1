// Cluster: one run of brokers, a tree and clients on simulated time: a phase of faults, then none, and within
// a bound every partition is led, in sync and without lag again. A seed decides everything.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "logging/log.h"
#include "tests/sim/brokers/admin.h"
#include "tests/sim/brokers/broker.h"
#include "tests/sim/brokers/checker.h"
#include "tests/sim/brokers/log_dirs.h"
#include "tests/sim/brokers/members.h"
#include "tests/sim/brokers/spoiler.h"
#include "tests/sim/brokers/workload.h"

namespace tandem::sim::brokers {

struct ClusterReport {
  std::optional<std::string> violation;
  double simulated_seconds = 0;
  std::uint64_t events = 0;
  std::uint64_t hash = 0;
  std::map<std::string, std::uint64_t> faults;
  std::map<std::string, std::uint64_t> counts;
};

class Cluster {
 public:
  Cluster(const BrokerOptions& options, bool verbose);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  ClusterReport run();

 private:
  struct Machine {
    std::unique_ptr<SimDisk> disk;
    std::unique_ptr<SimBroker> broker;
    std::uint64_t life = 0;  // the number of its start
    bool stopping = false;
    bool starts = false;  // a start is due
  };
  struct FaultKind {
    std::string name;
    milliseconds mean;
    void (Cluster::*strike)();
    std::uint64_t count = 0;
  };
  class EventClock;
  class BrokerOutput;

  void note(int host, const std::string& text);
  bool advance(Duration time);
  template <class Condition>
  bool await(Duration at_most, Condition condition);
  void schedule(std::size_t fault);
  void watch_over();
  WatchedBrokers running();
  int any_running();
  void boot(int number);
  void take_down(int number, Crash kind, Duration down);
  void repair_soon(int number);
  void repair(int number);
  Duration pause_of(std::int64_t low_ms, std::int64_t high_ms);

  void kill();
  void cut_power();
  void black_out();
  void pause();
  void pause_member();
  void stop_cleanly();
  void stop_cleanly(int number, Duration down);
  void cut_network();
  void reset_connection();
  void lose_session();
  void slow_disk();
  void fail_sync();
  void fail_dir() { dirs_.strike(); }
  void churn() { admin_->churn(); }
  void reassign() { admin_->reassign(); }
  void elect() { admin_->elect(); }
  void elect_uncleanly() { admin_->elect_uncleanly(); }
  void allow_unclean() { admin_->allow_unclean(); }
  void delete_records() { admin_->delete_records(); }
  void throttle() { admin_->throttle(); }
  void lose_office();
  void move_replica() { admin_->move_replica(); }

  Instant last_awakening() const;
  void mend();
  bool serve_without();
  std::string unsettled();
  std::string unsettled_groups() const;
  ClusterReport report() const;

  BrokerOptions options_;
  bool verbose_;
  Scheduler scheduler_;
  base::Random random_;
  Network network_;
  Tree tree_;
  Mutation mutation_;
  Spoiler spoiler_{options_};
  Surroundings around_;
  Checker checker_;
  LogDirs dirs_;
  std::shared_ptr<const broker::config::Tables> tables_;
  std::unique_ptr<EventClock> clock_;
  std::vector<std::unique_ptr<logging::Log>> logs_;
  std::map<int, Machine> machines_;
  std::unique_ptr<Admin> admin_;
  std::vector<std::unique_ptr<Producer>> producers_;
  std::vector<std::unique_ptr<Consumer>> consumers_;
  std::vector<std::unique_ptr<GroupMember>> members_;
  std::vector<FaultKind> faults_;
  std::uint64_t hash_ = 1;
  std::uint64_t expired_ = 0;
  std::uint64_t starts_ = 0;
  bool safe_ = false;
  bool operator_rests_ = false;
};

}  // namespace tandem::sim::brokers
