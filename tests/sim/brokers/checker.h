// Checker: what must always hold among brokers (K, P of docs/simulation.md): told of every change of the
// tree, of what clients hear, and after every event of the broker that it was of. It keeps the committed
// records of each partition of the topics t0, t1, ... and of __consumer_offsets: what a leader's high
// watermark has passed. Owned by the Cluster.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "broker/zk/topics.h"
#include "tests/sim/brokers/groups.h"
#include "tests/sim/brokers/options.h"
#include "tests/sim/brokers/process.h"
#include "tests/sim/brokers/tree.h"
#include "tests/sim/brokers/watched.h"
#include "tests/sim/sim_disk.h"

namespace tandem::sim::brokers {

class Checker {
 public:
  explicit Checker(const BrokerOptions& options, Tree& tree);

  static bool is_checked(std::string_view topic) {
    return topic.starts_with("t") || is_unclean(topic) || topic == kOffsetsName;
  }
  // Where a replica out of sync may lead, when the topic's settings or an administrator say so.
  static bool is_unclean(std::string_view topic) { return topic.starts_with("u"); }

  void on_change(const TreeChange& change);
  void on_producer_id(std::int64_t id, int host) { producers_[id] = host; }
  void on_acknowledged(const TopicPartition& partition, int producer, std::int64_t base_offset,
                       const std::vector<std::int64_t>& numbers);
  // One of the last batches of a producer, said to a broker again.
  struct Repetition {
    TopicPartition partition;
    int broker = 0;
    Instant first_sent{};      // when it was sent before it was acknowledged
    std::int64_t offset = -1;  // and where it is
  };
  void on_repeated(const Repetition& said, broker::protocol::ErrorCode error, std::int64_t offset);
  // A batch of an epoch that its producer has left, said behind one of the new epoch that is at `newer`.
  void on_left_epoch(const TopicPartition& partition, std::int64_t newer, broker::protocol::ErrorCode error);
  // Gives the offset behind them.
  std::int64_t on_consumed(const TopicPartition& partition, std::int64_t from, std::string_view batches,
                           bool at_follower);
  // The partition is said to begin there; gives where the consumer goes on.
  std::int64_t on_reset(const TopicPartition& partition, std::int64_t from, std::int64_t start);
  void on_sent_to(const TopicPartition& partition, const std::string& rack, int broker);
  // After an event of the broker, and when its life has ended.
  void look_at(Watched& broker, const WatchedBrokers& all);
  // Its process is about to die: what it has synced until then stays, of the rest a kill takes nothing.
  void on_crash(Watched& broker, Crash kind);
  void on_end(int broker) {
    named_.erase(broker);
    lives_.erase(broker);
    stopping_.erase(broker);
  }
  void on_stopping(int broker) { stopping_.insert(broker); }

  // ---- administrators ----
  void on_unclean_asked(const TopicPartition& partition) { partitions_[partition].asked_at = tree_.now(); }
  struct Deletion {
    TopicPartition partition;
    std::int64_t offset = 0;  // -1: up to the watermark
    Instant asked{};
    std::vector<std::int32_t> isr;
    int leader = -1;
  };
  Deletion on_deletion_asked(const TopicPartition& partition, std::int64_t offset);
  void on_deletion_answered(const Deletion& asked, broker::protocol::ErrorCode error,
                            std::int64_t low_watermark);
  std::int64_t somewhere_in(const TopicPartition& partition, base::Random& random) const;

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
  std::string unsettled(const WatchedBrokers& all);
  // While some log directories are gone: what is not served by the replicas that are left.
  std::string unserved(const WatchedBrokers& all);
  bool is_in_sync(const TopicPartition& partition, int broker) const;

  std::uint64_t acknowledged() const { return acknowledged_; }
  std::uint64_t consumed() const { return consumed_; }
  std::uint64_t committed() const;
  std::uint64_t leader_changes() const { return leader_changes_; }
  std::uint64_t isr_changes() const { return isr_changes_; }
  std::uint64_t truncations() const { return truncations_; }
  std::uint64_t consumed_from_followers() const { return consumed_from_followers_; }
  std::uint64_t unclean_elections() const { return unclean_elections_; }
  std::uint64_t lost() const { return lost_; }
  std::uint64_t deleted() const;
  std::uint64_t repeated() const { return repeated_; }
  std::uint64_t fenced() const { return fenced_; }

 private:
  struct Record {
    std::int32_t leader_epoch = -1;
    int producer = 0;
    std::int64_t number = -1;
    bool idempotent = false;
    std::int16_t producer_epoch = -1;
    std::string stored = {};  // of groups: key and value
    bool operator==(const Record&) const = default;
  };
  struct Committed {
    std::vector<Record> records;         // by offset
    std::vector<std::int32_t> in_epoch;  // under which leader epoch each was committed
    struct Last {
      std::int64_t number = -1;  // the highest
      std::int64_t offset = -1;
      std::int16_t epoch = -1;
      std::int64_t repeated = -1;  // the one at `offset`, where it is said again
    };
    std::map<int, Last> last_numbers;     // of idempotent producers
    std::map<std::int32_t, int> leaders;  // by leader epoch
    broker::zk::PartitionState state;     // as the tree has it
    std::vector<std::int32_t> replicas;
    std::vector<std::int32_t> removing;  // of them, by a reassignment
    std::vector<std::int32_t> former;    // those before
    Instant changed{};
    std::int32_t changed_in = -1;         // leader epoch
    std::map<int, std::int64_t> reached;  // how far each broker has ever deleted
    bool known = false;

    // ---- deletions ----
    std::int64_t asked_start = 0;  // up to where somebody asked to delete
    int open_ended = 0;            // requests to delete up to the watermark, whatever it is

    // ---- unclean elections ----
    std::int32_t lineage = -1;  // the leader epoch of the last one
    bool cut = true;            // what its leader does not have is no longer among `records`
    int chosen = 0;             // that leader,
    bool lost_power = false;    // since it has led
    std::int64_t firm = 0;      // what it had synced then, or a leader has committed since the election
    Instant asked_at{};         // by an administrator
    std::multimap<std::int64_t, Record> abandoned;  // what was committed before, or by who did not know of it
  };
  struct Seen {  // of one replica in one life of its broker
    broker::replica::Role role = broker::replica::Role::none;
    std::int32_t leader_epoch = -1;
    std::int64_t high_watermark = -1;
    std::int64_t start = -1;
    std::int64_t end = -1;
    std::int64_t verified = 0;
    Instant made{};            // first seen
    std::int32_t synced = -1;  // the last leader epoch in which it led or stored what a leader had
    bool settled = false;      // it leads, and what it began with is committed
    bool failed = false;       // its log
    Instant since{};           // of all but the last
    std::size_t segments = 0;  // when its indexes were looked at,
    std::int64_t indexed = 0;  // up to the one that begins there
  };

  void on_state(const TreeChange& change, const TopicPartition& partition);
  bool is_told_late(const Committed& known, const broker::zk::PartitionState& state, std::int32_t id) const;
  void on_topic(const TreeChange& change, const std::string& topic);
  void on_registration(const TreeChange& change);
  void on_topic_settings(const TreeChange& change, const std::string& topic);
  using Say = std::function<void(const char* invariant, const std::string& what)>;
  void on_unclean_election(const TopicPartition& partition, Committed& known,
                           const broker::zk::PartitionState& state, const Say& say);
  bool is_there(const TopicPartition& partition, std::int32_t broker) const;
  void cut(api::Replica& replica, Committed& committed);
  void cut_unsynced(int broker, api::Replica& replica, Committed& committed);
  void look_at_abandoned(api::Replica& replica, const Seen& seen, Committed& committed);
  void look_at_content(Watched& looked_at, api::Replica& replica, Seen& seen, const Say& say,
                       const WatchedBrokers& all);
  void note_names(const Watched& broker);
  static void look_at_start(const api::Replica& replica, const Seen& seen, Committed& committed,
                            const Say& say);
  std::string unserved(const TopicPartition& partition, const Committed& committed,
                       const WatchedBrokers& all) const;
  void look_at_indexes(Watched& watched, const api::Replica& replica, Seen& seen, const Say& say);
  void compare(int broker, api::Replica& replica, const Committed& committed);
  static bool was_committed(const Committed& committed, std::int64_t at, int producer, std::int64_t number);
  void look_at_replica(Watched& looked_at, api::Replica& replica, Seen& seen, const WatchedBrokers& all);
  void on_new_leader(int broker, api::Replica& replica, Seen& seen, Committed& committed);
  void on_leader_mark(int broker, api::Replica& replica, Committed& committed, const WatchedBrokers& all);
  void verify(int broker, api::Replica& replica, Seen& seen, std::int64_t end, bool commits);
  using Records = std::vector<std::pair<std::int64_t, Record>>;  // by offset
  Records read(api::Replica& replica, std::int64_t from, std::int64_t end);
  Records read_files(const api::Replica& replica, std::int64_t from, std::int64_t end) const;
  void add(const TopicPartition& partition, Committed& committed, const Record& record, std::int32_t epoch);
  static std::vector<std::pair<std::int64_t, Record>> records_of(std::string_view batches,
                                                                 bool of_groups = false);
  void tell_groups(const std::string& stored);

  const BrokerOptions& options_;
  Tree& tree_;
  std::map<TopicPartition, Committed> partitions_;
  std::map<int, std::map<TopicPartition, Seen>> lives_;
  Watched* looked_at_ = nullptr;
  std::map<std::int64_t, int> producers_;  // by producer id
  GroupRules groups_{
      [this](const std::string& invariant, const std::string& text) { violate(invariant, text); }};
  std::map<int, Instant> registered_;            // since when
  std::map<int, std::map<int, Instant>> named_;  // by a broker's metadata, and since when
  std::set<int> stopping_;
  struct Allowed {
    bool now = false;
    Instant up_to{};  // when it is not any more
  };
  std::map<std::string, Allowed> unclean_allowed_;  // by topic
  std::int32_t controller_epoch_ = 0;
  std::optional<std::string> violation_;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t consumed_ = 0;
  std::uint64_t leader_changes_ = 0;
  std::uint64_t isr_changes_ = 0;
  std::uint64_t truncations_ = 0;
  std::uint64_t consumed_from_followers_ = 0;
  std::uint64_t unclean_elections_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t repeated_ = 0;
  std::uint64_t fenced_ = 0;
};

}  // namespace tandem::sim::brokers
