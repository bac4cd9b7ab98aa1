// kafka-reassign-partitions.sh: what its files share. The proposals (--generate) are Kafka's own spreading;
// --execute, --verify, --cancel and --list talk to the controller; throttles are settings of brokers and
// topics.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "broker/protocol/messages/list_partition_reassignments.h"
#include "tools/kafka/admin.h"
#include "tools/kafka/partition_files.h"

namespace tandem::tools::kafka {

struct ReassignState {
  zk::Replicas replicas;
  zk::Replicas adding;
  zk::Replicas removing;
};
using ReassignStates = std::map<zk::TopicPartition, ReassignState>;
using Assignments = std::map<zk::TopicPartition, zk::Replicas>;

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
base::Status set_move_throttle(Admin& admin, const ReassignStates& current, const Assignments& proposed,
                               const Assignments& standing, std::int64_t bytes_per_second);
base::Status set_log_dir_throttle(Admin& admin, const LogDirGoals& goals, std::int64_t bytes_per_second);
base::Status clear_throttles(Admin& admin, const std::vector<Placement>& placements);

}  // namespace tandem::tools::kafka
