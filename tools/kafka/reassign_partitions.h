// kafka-reassign-partitions.sh: what its files share. The proposals (--generate) are Kafka's own spreading;
// --execute, --verify, --cancel and --list talk to the controller, or with --zookeeper to the tree; throttles
// are settings of brokers and topics.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "broker/controller/topic_assign.h"
#include "broker/protocol/messages/list_partition_reassignments.h"
#include "tools/kafka/admin.h"
#include "tools/kafka/options.h"
#include "tools/kafka/partition_files.h"

namespace tandem::tools::kafka {

struct ReassignState {
  zk::Replicas replicas;
  zk::Replicas adding;
  zk::Replicas removing;
};
using ReassignStates = std::map<zk::TopicPartition, ReassignState>;
using Assignments = std::map<zk::TopicPartition, zk::Replicas>;

inline constexpr std::string_view kReassignmentExists =
    "Cannot execute because there is an existing partition assignment.  Use --additional to override this "
    "and "
    "create a new partition assignment in addition to the existing one. The --additional flag can also be "
    "used "
    "to change the throttle by resubmitting the current reassignment.";
inline constexpr std::string_view kRunVerifyPeriodically =
    "Warning: You must run --verify periodically, until the reassignment completes, to ensure the throttle "
    "is "
    "removed.";

// Apache's tool prints both, and the first without "Error: " before it.
base::Status terse(std::string text);
base::Status error_of(std::string_view text);
base::Status error_of(const base::Error& error);

// ---- reassign_plan.cc: what brokers and tree are asked alike, and what is printed of it ----
base::Result<std::vector<Placement>> placements_of(const Options& options);
base::Result<std::set<std::string>> topics_to_move(const Options& options);
std::string placements_fault(const std::vector<Placement>& placements);  // in Apache's words; empty: none
base::Status print_proposal(const Assignments& standing,
                            std::vector<broker::controller::AssignableBroker> brokers,
                            const Options& options);
void print_standing(const Assignments& standing);
void print_started(const Assignments& proposed);
// `done`: "complete" in Kafka 2.7, "completed" in 3.x.
void print_move_states(std::vector<Placement> placements, const std::set<zk::TopicPartition>& moving,
                       const Assignments& standing, std::string_view done);

// ---- reassign_moves.cc: moves of replicas between log directories ----
struct ReplicaOnBroker {
  std::int32_t broker = -1;
  zk::TopicPartition partition;
  auto operator<=>(const ReplicaOnBroker&) const = default;
  std::string text() const { return partition.text() + "-" + std::to_string(broker); }
};
using LogDirGoals = std::map<ReplicaOnBroker, std::string>;
LogDirGoals log_dir_goals(const std::vector<Placement>& placements);
struct LogDirMove {
  std::string current;  // empty: nowhere
  std::string future;   // empty: no move
  bool broker_knows = true;
};
base::Result<std::map<ReplicaOnBroker, LogDirMove>> find_log_dir_moves(Admin& admin,
                                                                       const LogDirGoals& goals);
// Prints a line for each; true while one is under way.
bool print_log_dir_moves(const std::map<ReplicaOnBroker, LogDirMove>& moves, const LogDirGoals& goals);
base::Status start_log_dir_moves(Admin& admin, LogDirGoals goals, std::int64_t timeout_ms);

// ---- reassign_throttles.cc ----
inline constexpr std::string_view kLeaderRate = "leader.replication.throttled.rate";
inline constexpr std::string_view kFollowerRate = "follower.replication.throttled.rate";
inline constexpr std::string_view kLogDirRate = "replica.alter.log.dirs.io.max.bytes.per.second";
inline constexpr std::string_view kLeaderReplicas = "leader.replication.throttled.replicas";
inline constexpr std::string_view kFollowerReplicas = "follower.replication.throttled.replicas";

struct ThrottlePlan {
  std::map<std::string, std::map<std::string, std::string>> topics;  // settings of each topic
  std::set<std::int32_t> brokers;
};
ThrottlePlan throttle_plan(const ReassignStates& current, const Assignments& proposed,
                           const Assignments& standing);
// Which brokers and topics may have been throttled, of those alive and those named; says so.
struct ThrottledEntities {
  std::set<std::int32_t> brokers;
  std::set<std::string> topics;
};
ThrottledEntities throttled_entities(std::set<std::int32_t> alive, const std::vector<Placement>& placements);
void print_clearing(const std::set<std::int32_t>& brokers);
void print_clearing(const std::set<std::string>& topics);
base::Status set_move_throttle(Admin& admin, const ReassignStates& current, const Assignments& proposed,
                               const Assignments& standing, std::int64_t bytes_per_second);
base::Status set_log_dir_throttle(Admin& admin, const LogDirGoals& goals, std::int64_t bytes_per_second);
base::Status clear_throttles(Admin& admin, const std::vector<Placement>& placements);

// ---- reassign_zookeeper.cc: as Kafka 2.7 with --zookeeper, by the tree alone ----
int reassign_by_zookeeper(const Options& options);

}  // namespace tandem::tools::kafka
