// LogDirs: the log directories of all brokers of a run with --disks: what goes wrong with them, what an
// operator does about it, and what a broker may not do because of it (L1 of docs/simulation.md). A device is
// replaced by an empty one only where nobody is in sync by what was on it: other copies then have all that
// is committed. Owned by the Cluster, which stops and starts the brokers.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "tests/sim/brokers/broker.h"
#include "tests/sim/brokers/checker.h"

namespace tandem::sim::brokers {

class LogDirs {
 public:
  LogDirs(const BrokerOptions& options, Scheduler& scheduler, base::Random random, Checker& checker)
      : options_(options), scheduler_(scheduler), random_(random), checker_(checker) {}

  void add(int broker, SimDisk& disk);
  // Something happens to a directory, which may pass by itself.
  void strike();
  // For the last time, of brokers that have another directory; what is wrong then stays so.
  void end_strikes();
  // After an event, or when it has ended by itself.
  void judge(SimBroker& broker);
  // Whether an operator is needed who does not know of it yet; from now on one does.
  bool calls_operator(int broker);
  // It has failed, or would if it were asked for something.
  bool is_wrong(int broker) const { return wrong(broker) > 0; }
  bool is_all_wrong(int broker) const { return wrong(broker) == options_.dirs().size(); }
  // The operator comes: what is wrong is put right, and a directory may be empty after the next start.
  void repair(int broker);
  // It did not start, for what is in its log directories: there may be two of one partition, after a move of
  // which the old one could not be put away. That goes now, by an operator who knows from where the partition
  // was served.
  void choose(int broker);
  // The broker is down and is to start. False: one of its replicas is in sync by what is to be replaced; to
  // be asked again, until it is not or nobody has the patience any more.
  bool replace(int broker);

  std::function<void(int broker, const std::string& text)> note = [](int, const std::string&) {};
  // By what happened.
  const std::map<std::string, std::uint64_t>& counts() const { return counts_; }

 private:
  std::size_t wrong(int broker) const;
  bool all_failed(int broker) const;
  bool in_sync_by(int broker, const std::string& dir);
  void set(int broker, const std::string& dir, Trouble trouble);
  void look_at_places(SimBroker& broker);
  void end_after(SimDisk& disk, const std::string& dir, Duration time);

  const BrokerOptions& options_;
  Scheduler& scheduler_;
  base::Random random_;
  Checker& checker_;
  std::map<int, SimDisk*> disks_;
  std::set<int> called_;  // for these brokers
  struct Wish {
    std::string dir;
    int patience = 40;
  };
  std::map<int, Wish> to_replace_;
  bool ended_ = false;
  std::map<std::string, std::uint64_t> counts_;
  std::set<std::pair<int, std::string>> offline_;  // seen so in this life
  struct Place {
    std::string dir;
    bool moved = false;  // it was in another one before
  };
  std::map<std::pair<int, std::string>, Place> places_;  // by broker and partition's directory
};

}  // namespace tandem::sim::brokers
