// Spoiler: those mutants that are made of what a broker has in memory and on its disk, not of what it says:
// before each of its starts and after each of its events. Owned by the Cluster.
#pragma once

#include "tests/sim/brokers/broker.h"

namespace tandem::sim::brokers {

class Spoiler {
 public:
  explicit Spoiler(const BrokerOptions& options) : options_(options) {}

  void before_start(fs::Disk& disk) const;
  void after_event(SimBroker& broker) const;

 private:
  const BrokerOptions& options_;
};

}  // namespace tandem::sim::brokers
