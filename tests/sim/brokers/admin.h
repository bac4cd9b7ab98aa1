// Admin: a client that does what administrators do: makes, grows and deletes topics, moves partitions, asks
// for preferred and for unclean leaders, allows these and forbids them again, deletes records, throttles
// replication, moves replicas between log directories. What it asked for and what was answered goes to the
// checker.
#pragma once

#include "tests/sim/brokers/checker.h"
#include "tests/sim/brokers/client.h"

namespace tandem::sim::brokers {

class Admin final : public SimClient {
 public:
  Admin(Surroundings& around, int host, const BrokerOptions& options, base::Random random, Checker& checker);
  void begin() override;  // makes the topics of the run
  bool made() const { return made_; }
  void churn();
  void reassign();
  void elect();
  void elect_uncleanly();
  void allow_unclean();
  void delete_records();
  void throttle();
  void unthrottle();  // until it is done
  void move_replica();
  bool throttles() const { return throttled_; }
  std::uint64_t done() const { return done_; }

 private:
  struct Setting {
    std::string name;
    std::string value;
  };
  void make_topics();
  template <class Request>
  void tell(
      std::int16_t version, Request request, std::function<void()> done = [] {});
  void set(
      std::int8_t type, const std::string& entity, const std::vector<Setting>& settings, bool on,
      std::function<void()> done = [] {});
  TopicPartition some_unclean();

  Checker& checker_;
  bool made_ = false;
  bool throttled_ = false;
  std::uint64_t done_ = 0;
  int churned_ = 0;
};

}  // namespace tandem::sim::brokers
