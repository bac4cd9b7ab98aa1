// Everything the active controller knows of the cluster, as plain data: live brokers, topics, who holds,
// leads and follows each partition, and in which state each partition and replica is. Owned by the
// Controller; the state machines change it only after the tree has accepted the change. Source: Kafka 3.9
// ControllerContext.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "broker/zk/brokers.h"
#include "broker/zk/names.h"
#include "broker/zk/topics.h"

namespace tandem::broker::controller {

using zk::PartitionState;
using zk::ReplicaAssignment;
using zk::Replicas;
using zk::TopicPartition;

enum class PartitionPhase : std::uint8_t { new_partition, online, offline, non_existent };
enum class ReplicaPhase : std::uint8_t {
  new_replica,
  online,
  offline,
  deletion_started,
  deletion_successful,
  deletion_ineligible,
  non_existent,
};

// The tables of legal transitions.
bool may_become(PartitionPhase from, PartitionPhase to);
bool may_become(ReplicaPhase from, ReplicaPhase to);
std::string_view to_string(PartitionPhase phase);
std::string_view to_string(ReplicaPhase phase);

struct Partition {
  ReplicaAssignment assignment;
  std::optional<PartitionState> leadership;
  PartitionPhase phase = PartitionPhase::non_existent;
  std::map<std::int32_t, ReplicaPhase> replicas;
};

struct Topic {
  zk::TopicId id{};
  std::map<std::int32_t, Partition> partitions;
};

struct LiveBroker {
  zk::BrokerRegistration registration;
  std::int64_t epoch = -1;
};

struct PartitionReplica {
  TopicPartition partition;
  std::int32_t broker = -1;
  auto operator<=>(const PartitionReplica&) const = default;
};

class ClusterState {
 public:
  std::int32_t epoch = 0;                      // of this controller
  std::int32_t epoch_version = 0;              // of the znode /controller_epoch: the fence of every write
  std::map<std::int32_t, LiveBroker> brokers;  // live or shutting down
  std::set<std::int32_t> shutting_down;
  // Registered still, with this epoch, and their listeners refuse: they count as dead (suspicion.cc).
  std::map<std::int32_t, std::int64_t> suspects;
  std::map<std::string, Topic> topics;
  std::map<std::int32_t, std::set<TopicPartition>> offline_dirs;  // replicas in failed log directories
  std::set<std::string> deleting;                                 // topics queued for deletion
  std::set<std::string> deletion_started;
  std::set<std::string> deletion_ineligible;
  std::set<TopicPartition> reassigning;      // moves under way
  std::map<zk::TopicId, std::string> names;  // of topics by id

  void set_id(const std::string& topic, const zk::TopicId& id);
  void forget_topic(const std::string& topic);
  const std::string* name_of(const zk::TopicId& id) const;  // null: no such topic
  bool is_reassigning(const std::string& topic) const;      // a partition of it
  zk::TopicAssignment assignment_of(const std::string& topic) const;

  Partition* find(const TopicPartition& partition);
  const Partition* find(const TopicPartition& partition) const;
  Partition& at(const TopicPartition& partition);

  bool is_live(std::int32_t broker) const {
    return brokers.contains(broker) && !shutting_down.contains(broker);
  }
  bool is_online(std::int32_t broker, const TopicPartition& partition) const;
  // The same of one that may be shutting down: its log directory is online.
  bool is_there(std::int32_t broker, const TopicPartition& partition) const;
  std::int64_t broker_epoch(std::int32_t broker) const;
  std::vector<std::int32_t> live_brokers() const;
  std::vector<std::int32_t> live_or_shutting_down() const;

  std::vector<TopicPartition> partitions() const;
  std::vector<TopicPartition> partitions_of(const std::string& topic) const;
  std::vector<TopicPartition> partitions_with_leadership() const;
  std::vector<TopicPartition> partitions_in(std::set<PartitionPhase> phases) const;
  std::vector<PartitionReplica> replicas_of(const std::string& topic) const;
  std::vector<PartitionReplica> replicas_on(const std::set<std::int32_t>& brokers) const;
  ReplicaPhase phase_of(const PartitionReplica& replica) const;
  bool every_replica_is(const std::string& topic, ReplicaPhase phase) const;
  bool any_replica_is(const std::string& topic, ReplicaPhase phase) const;
};

}  // namespace tandem::broker::controller
