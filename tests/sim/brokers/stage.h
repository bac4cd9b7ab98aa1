// Stage: what a test of the Checker's judges is played on: a tree, and brokers 1 to 3, each with a replica of
// t0-0 (of u0-0 where the test says so) that is told what to be and what to store, rightly or not. For
// checker_test.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/api/replicas.h"
#include "broker/record/builder.h"
#include "tests/sim/brokers/checker.h"
#include "tests/sim/brokers/mutants.h"
#include "tests/sim/brokers/process.h"
#include "tests/sim/sim_disk.h"

namespace tandem::sim::brokers {

constexpr int kProducer = 100;
constexpr std::int64_t kProducerId = 7;

// Records FIRST, FIRST + 1, ... of kProducer, as a leader of the epoch stores them.
struct Written {
  std::int64_t at = 0;
  std::int64_t first = 0;
  int count = 1;
  std::int32_t leader_epoch = 1;
  bool idempotent = true;
  std::int16_t epoch = 0;  // the producer's
};
std::string batch_of(const Written& written);

class StagedBroker final : public Watched {
 public:
  StagedBroker(Surroundings& around, int number, const TopicPartition& partition);

  int number() const override { return process_.host(); }
  bool serving() const override { return true; }
  api::Replica* find(const TopicPartition& at) override {
    return at == partition_ ? replica_.get() : nullptr;
  }
  fs::Disk& disk() override { return disk_; }
  bool names(int broker) const override { return !unknown.contains(broker); }

  // With this watermark, wherever its log ends.
  void become(int leader, std::int32_t leader_epoch, std::int64_t mark);
  void store(const Written& written);
  void sync();
  void cut(std::int64_t end) { must(log().truncate_to(end).has_value()); }
  void begin_at(std::int64_t start);
  void spoil(const std::string& file, std::uint64_t offset);  // a byte of a file of the log
  broker::log::Log& log() { return *replica_->log; }

  std::set<int> unknown;  // brokers that nobody has told it of

 private:
  static void must(bool done);

  TopicPartition partition_;
  Process process_;
  SimDisk disk_;
  api::Shards shards_;
  api::Node node_;
  api::Replicas replicas_;
  std::shared_ptr<api::Replica> replica_;
};

class Stage {
 public:
  explicit Stage(std::string topic = "t0");
  ~Stage() { brokers_.clear(); }

  StagedBroker& broker(int number) { return *brokers_.at(number); }
  void change(const std::string& path, const std::string& data, bool gone = false);
  struct State {
    int leader = 1;
    std::int32_t leader_epoch = 1;
    std::vector<std::int32_t> isr = {1, 2, 3};
    std::int32_t controller_epoch = 1;
    bool recovering = false;
  };
  void state(const State& state);
  void assign(const std::vector<std::int32_t>& replicas);
  void look(int number) { checker.look_at(broker(number), all_); }
  void wait(Duration time);
  // Brokers 1 to 3 have so many records of epoch 1, which 1 leads and has committed.
  void commit(int count);
  std::string unsettled() { return checker.unsettled(all_); }
  std::string unserved() { return checker.unserved(all_); }
  std::string violated() const;  // "K1"; empty: nothing

  const TopicPartition at;
  BrokerOptions options;

 private:
  Scheduler scheduler_;
  Network network_{scheduler_, base::Random(1), std::chrono::microseconds(300), 0};
  Tree tree_{scheduler_};
  Mutation mutation_{BrokerMutant::none, base::Random(2)};
  Surroundings around_{scheduler_, network_, tree_, mutation_};

 public:
  Checker checker{options, tree_};

 private:
  std::map<int, std::unique_ptr<StagedBroker>> brokers_;
  WatchedBrokers all_;
};

}  // namespace tandem::sim::brokers
