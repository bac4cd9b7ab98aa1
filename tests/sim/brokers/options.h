// What a seed makes of a run of brokers: the cluster, its settings, the load, which faults there are and how
// often. Printed whole with every violation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "tests/sim/brokers/mutants.h"
#include "tests/sim/scheduler.h"

namespace tandem::sim::brokers {

struct BrokerOptions {
  std::uint64_t seed = 0;
  BrokerMutant mutant = BrokerMutant::none;
  bool wide = false;   // whatever widen() draws
  bool disks = false;  // and endanger_disks()
  int brokers = 3;
  int shards = 1;
  int topics = 2;
  int partitions = 2;  // of each topic
  int replication = 3;
  int min_insync = 2;
  int producers = 2;
  int consumers = 1;
  bool idempotent = true;     // every other producer; else none
  bool durable = false;       // what is acknowledged survives the loss of power:
  bool flush_on_ack = false;  // by tandem.log.flush.on.ack, else by flush.messages=1
  bool takeover = true;       // tandem.registration.takeover
  bool suspicion = true;      // tandem.suspect.brokers and .controller
  bool old_protocol = false;  // 2.7: in-sync sets go straight to the tree
  int segment_bytes = 4096;
  int unclean_topics = 0;  // where a replica out of sync may lead
  int racks = 0;           // of brokers and consumers, who then read from followers
  int log_dirs = 1;        // of each broker
  milliseconds session_timeout{3000};
  milliseconds lag_max{2000};
  milliseconds suspect{0};  // tandem.replica.suspect.ms; zero: Kafka's timing
  milliseconds fetch_wait{100};
  milliseconds socket_timeout{2000};
  milliseconds think{20};        // between the batches of a producer, on average
  milliseconds safety{20000};    // with faults
  milliseconds liveness{90000};  // without
  milliseconds down_max{5000};   // of a broker

  // Mean time between faults of a class; zero: none of it.
  milliseconds kills{0};
  milliseconds power_cuts{0};
  milliseconds blackouts{0};  // power cuts of all
  milliseconds pauses{0};
  milliseconds clean_stops{0};
  milliseconds partitions_cut{0};  // of the network: one broker, a pair, one way, or from the tree
  milliseconds resets{0};
  milliseconds session_losses{0};
  milliseconds slow_disks{0};
  milliseconds disk_errors{0};  // a sync fails
  milliseconds topic_churn{0};  // topics made, grown, deleted
  milliseconds reassignments{0};
  milliseconds elections{0};          // of preferred leaders
  milliseconds unclean_elections{0};  // asked for
  milliseconds unclean_toggles{0};    // allowed, forbidden
  milliseconds deletions{0};          // of records
  milliseconds throttles{0};          // of replication: set, lifted
  milliseconds office_losses{0};      // an operator takes the controller's node away
  milliseconds dir_failures{0};       // a log directory fails
  milliseconds dir_moves{0};          // of replicas, between directories
  milliseconds repair{3000};          // how long an operator needs on average
  double epoch_bumps = 0;             // of an idempotent producer's batches without an answer
  double repetitions = 0;             // of those that are acknowledged: one of the last ones is said again
  int groups = 0;                     // of consumers
  int members = 0;                    // of each
  milliseconds group_session{1000};
  milliseconds group_rebalance{1000};
  Duration latency{std::chrono::microseconds(300)};
  double latency_spikes = 0;

  static BrokerOptions of_seed(std::uint64_t seed, bool wide = false, bool disks = false);
  void widen();
  void endanger_disks();
  std::vector<std::string> dirs() const;
  void suit(BrokerMutant wanted);  // with what it needs to be seen
  std::string text() const;
  std::string rack_of(int host) const { return racks == 0 ? "" : "r" + std::to_string(host % racks); }
};

}  // namespace tandem::sim::brokers
