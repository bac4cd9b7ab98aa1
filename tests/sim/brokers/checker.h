// Checker: what must always hold among brokers (K, P of docs/simulation.md): told of every change of the
// tree, of what clients hear, and after every event of the broker that it was of. It keeps the committed
// records of each partition of the topics t0, t1, ... and of __consumer_offsets: what a leader's high
// watermark has passed. Owned by the Cluster.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "broker/replica/partition.h"
#include "broker/zk/topics.h"
#include "tests/sim/brokers/broker.h"
#include "tests/sim/brokers/groups.h"
#include "tests/sim/brokers/tree.h"

namespace tandem::sim::brokers {

using broker::zk::TopicPartition;

class Checker {
 public:
  explicit Checker(const BrokerOptions& options, Tree& tree);

  static bool is_checked(std::string_view topic) { return topic.starts_with("t") || topic == kOffsetsName; }

  void on_change(const TreeChange& change);
  void on_producer_id(std::int64_t id, int host) { producers_[id] = host; }
  void on_acknowledged(const TopicPartition& partition, int producer, std::int64_t base_offset,
                       const std::vector<std::int64_t>& numbers);
  // Gives the offset behind them.
  std::int64_t on_consumed(const TopicPartition& partition, std::int64_t from, std::string_view batches);
  // After an event of the broker, and when its life has ended.
  void look_at(SimBroker& broker, const std::map<int, SimBroker*>& all);
  void on_end(int broker) { lives_.erase(broker); }

  // ---- groups ----
  GroupRules& groups() { return groups_; }
  const GroupRules& groups() const { return groups_; }
  // What the broker was last told of the partition that the group lives in, and whether that is the newest.
  Office office(int broker, const std::string& group) const;
  bool is_newest(const Office& office, const std::string& group) const;

  void violate(const std::string& invariant, const std::string& text);
  const std::optional<std::string>& violation() const { return violation_; }

  std::function<void(int broker, const std::string& text)> trace;  // every change, where somebody reads it

  // At the end: why the partitions are not all led, in sync and equal; empty when they are.
  std::string unsettled(const std::map<int, SimBroker*>& all);

  std::uint64_t acknowledged() const { return acknowledged_; }
  std::uint64_t consumed() const { return consumed_; }
  std::uint64_t committed() const;
  std::uint64_t leader_changes() const { return leader_changes_; }
  std::uint64_t isr_changes() const { return isr_changes_; }
  std::uint64_t truncations() const { return truncations_; }

 private:
  struct Record {
    std::int32_t leader_epoch = -1;
    int producer = 0;
    std::int64_t number = -1;
    bool idempotent = false;
    std::string stored = {};  // of groups: key and value
    bool operator==(const Record&) const = default;
  };
  struct Committed {
    std::vector<Record> records;               // by offset
    std::vector<std::int32_t> in_epoch;        // under which leader epoch each was committed
    std::map<int, std::int64_t> last_numbers;  // of idempotent producers
    std::map<std::int32_t, int> leaders;       // by leader epoch
    broker::zk::PartitionState state;          // as the tree has it
    std::vector<std::int32_t> replicas;
    bool known = false;
  };
  struct Seen {  // of one replica in one life of its broker
    broker::replica::Role role = broker::replica::Role::none;
    std::int32_t leader_epoch = -1;
    std::int64_t high_watermark = -1;
    std::int64_t end = -1;
    std::int64_t verified = 0;
    bool settled = false;  // it leads, and what it began with is committed
    bool failed = false;   // its log
    Instant since{};       // of all but the last
  };

  void on_state(const TreeChange& change, const TopicPartition& partition);
  void on_topic(const TreeChange& change, const std::string& topic);
  void look_at_replica(SimBroker& looked_at, api::Replica& replica, Seen& seen,
                       const std::map<int, SimBroker*>& all);
  void on_new_leader(int broker, api::Replica& replica, Seen& seen, Committed& committed);
  void on_leader_mark(int broker, api::Replica& replica, Committed& committed,
                      const std::map<int, SimBroker*>& all);
  void verify(int broker, api::Replica& replica, Seen& seen, std::int64_t end, bool commits);
  std::vector<std::pair<std::int64_t, Record>> read(api::Replica& replica, std::int64_t from,
                                                    std::int64_t end);
  void add(const TopicPartition& partition, Committed& committed, const Record& record, std::int32_t epoch);
  static std::vector<std::pair<std::int64_t, Record>> records_of(std::string_view batches,
                                                                 bool of_groups = false);
  void tell_groups(const std::string& stored);

  const BrokerOptions& options_;
  Tree& tree_;
  std::map<TopicPartition, Committed> partitions_;
  std::map<int, std::map<TopicPartition, Seen>> lives_;
  std::map<std::int64_t, int> producers_;  // by producer id
  GroupRules groups_{
      [this](const std::string& invariant, const std::string& text) { violate(invariant, text); }};
  std::int32_t controller_epoch_ = 0;
  std::optional<std::string> violation_;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t consumed_ = 0;
  std::uint64_t leader_changes_ = 0;
  std::uint64_t isr_changes_ = 0;
  std::uint64_t truncations_ = 0;
};

}  // namespace tandem::sim::brokers
