#include "broker/controller/cluster_state.h"

#include <algorithm>

#include "base/check.h"

namespace tandem::broker::controller {
namespace {

using P = PartitionPhase;
using R = ReplicaPhase;

constexpr std::pair<P, P> kPartitionMoves[] = {
    {P::non_existent, P::new_partition},
    {P::new_partition, P::online},
    {P::online, P::online},
    {P::offline, P::online},
    {P::new_partition, P::offline},
    {P::online, P::offline},
    {P::offline, P::offline},
    {P::offline, P::non_existent},
};

constexpr std::pair<R, R> kReplicaMoves[] = {
    {R::non_existent, R::new_replica},
    {R::new_replica, R::online},
    {R::online, R::online},
    {R::offline, R::online},
    {R::deletion_ineligible, R::online},
    {R::new_replica, R::offline},
    {R::online, R::offline},
    {R::offline, R::offline},
    {R::deletion_ineligible, R::offline},
    {R::offline, R::deletion_started},
    {R::deletion_started, R::deletion_successful},
    {R::offline, R::deletion_ineligible},
    {R::deletion_started, R::deletion_ineligible},
    {R::deletion_successful, R::non_existent},
};

}  // namespace

bool may_become(P from, P to) {
  return std::find(std::begin(kPartitionMoves), std::end(kPartitionMoves), std::pair(from, to)) !=
         std::end(kPartitionMoves);
}

bool may_become(R from, R to) {
  return std::find(std::begin(kReplicaMoves), std::end(kReplicaMoves), std::pair(from, to)) !=
         std::end(kReplicaMoves);
}

std::string_view to_string(P phase) {
  switch (phase) {
    case P::new_partition:
      return "NewPartition";
    case P::online:
      return "OnlinePartition";
    case P::offline:
      return "OfflinePartition";
    case P::non_existent:
      return "NonExistentPartition";
  }
  UNREACHABLE();
}

std::string_view to_string(R phase) {
  switch (phase) {
    case R::new_replica:
      return "NewReplica";
    case R::online:
      return "OnlineReplica";
    case R::offline:
      return "OfflineReplica";
    case R::deletion_started:
      return "ReplicaDeletionStarted";
    case R::deletion_successful:
      return "ReplicaDeletionSuccessful";
    case R::deletion_ineligible:
      return "ReplicaDeletionIneligible";
    case R::non_existent:
      return "NonExistentReplica";
  }
  UNREACHABLE();
}

void ClusterState::set_id(const std::string& topic, const zk::TopicId& id) {
  Topic& known = topics[topic];
  if (!zk::is_none(known.id)) names.erase(known.id);
  known.id = id;
  if (!zk::is_none(id)) names[id] = topic;
}

void ClusterState::forget_topic(const std::string& topic) {
  const auto at = topics.find(topic);
  if (at == topics.end()) return;
  names.erase(at->second.id);
  topics.erase(at);
  std::erase_if(reassigning, [&](const auto& partition) { return partition.topic == topic; });
  for (auto& [broker, partitions] : offline_dirs) {
    std::erase_if(partitions, [&](const auto& partition) { return partition.topic == topic; });
  }
}

const std::string* ClusterState::name_of(const zk::TopicId& id) const {
  const auto at = names.find(id);
  return at == names.end() ? nullptr : &at->second;
}

bool ClusterState::is_reassigning(const std::string& topic) const {
  const auto at = reassigning.lower_bound({topic, 0});
  return at != reassigning.end() && at->topic == topic;
}

zk::TopicAssignment ClusterState::assignment_of(const std::string& name) const {
  const Topic& topic = topics.at(name);
  zk::TopicAssignment out;
  out.id = topic.id;
  for (const auto& [number, partition] : topic.partitions) out.partitions[number] = partition.assignment;
  return out;
}

const Partition* ClusterState::find(const TopicPartition& partition) const {
  const auto topic = topics.find(partition.topic);
  if (topic == topics.end()) return nullptr;
  const auto at = topic->second.partitions.find(partition.partition);
  return at == topic->second.partitions.end() ? nullptr : &at->second;
}

Partition* ClusterState::find(const TopicPartition& partition) {
  return const_cast<Partition*>(std::as_const(*this).find(partition));
}

Partition& ClusterState::at(const TopicPartition& partition) {
  Partition* found = find(partition);
  ENSURE(found != nullptr, "partition {} is not known", partition.text());
  return *found;
}

bool ClusterState::is_online(std::int32_t broker, const TopicPartition& partition) const {
  return is_live(broker) && is_there(broker, partition);
}

bool ClusterState::is_there(std::int32_t broker, const TopicPartition& partition) const {
  if (!brokers.contains(broker)) return false;
  const auto failed = offline_dirs.find(broker);
  return failed == offline_dirs.end() || !failed->second.contains(partition);
}

std::int64_t ClusterState::broker_epoch(std::int32_t broker) const {
  const auto at = brokers.find(broker);
  return at == brokers.end() ? -1 : at->second.epoch;
}

std::vector<std::int32_t> ClusterState::live_brokers() const {
  std::vector<std::int32_t> out;
  for (const auto& [id, broker] : brokers) {
    if (!shutting_down.contains(id)) out.push_back(id);
  }
  return out;
}

std::vector<std::int32_t> ClusterState::live_or_shutting_down() const {
  std::vector<std::int32_t> out;
  for (const auto& [id, broker] : brokers) out.push_back(id);
  return out;
}

std::vector<TopicPartition> ClusterState::partitions() const {
  std::vector<TopicPartition> out;
  for (const auto& [name, topic] : topics) {
    for (const auto& [number, partition] : topic.partitions) out.push_back({name, number});
  }
  return out;
}

std::vector<TopicPartition> ClusterState::partitions_of(const std::string& name) const {
  std::vector<TopicPartition> out;
  if (const auto topic = topics.find(name); topic != topics.end()) {
    for (const auto& [number, partition] : topic->second.partitions) out.push_back({name, number});
  }
  return out;
}

std::vector<TopicPartition> ClusterState::partitions_with_leadership() const {
  std::vector<TopicPartition> out;
  for (const auto& [name, topic] : topics) {
    for (const auto& [number, partition] : topic.partitions) {
      if (partition.leadership) out.push_back({name, number});
    }
  }
  return out;
}

std::vector<TopicPartition> ClusterState::partitions_in(std::set<PartitionPhase> phases) const {
  std::vector<TopicPartition> out;
  for (const auto& [name, topic] : topics) {
    for (const auto& [number, partition] : topic.partitions) {
      if (phases.contains(partition.phase)) out.push_back({name, number});
    }
  }
  return out;
}

std::vector<PartitionReplica> ClusterState::replicas_of(const std::string& name) const {
  std::vector<PartitionReplica> out;
  if (const auto topic = topics.find(name); topic != topics.end()) {
    for (const auto& [number, partition] : topic->second.partitions) {
      for (const auto broker : partition.assignment.replicas) out.push_back({{name, number}, broker});
    }
  }
  return out;
}

std::vector<PartitionReplica> ClusterState::replicas_on(const std::set<std::int32_t>& wanted) const {
  std::vector<PartitionReplica> out;
  for (const auto& [name, topic] : topics) {
    for (const auto& [number, partition] : topic.partitions) {
      for (const auto broker : partition.assignment.replicas) {
        if (wanted.contains(broker)) out.push_back({{name, number}, broker});
      }
    }
  }
  return out;
}

ReplicaPhase ClusterState::phase_of(const PartitionReplica& replica) const {
  const auto* partition = find(replica.partition);
  if (partition == nullptr) return ReplicaPhase::non_existent;
  const auto at = partition->replicas.find(replica.broker);
  return at == partition->replicas.end() ? ReplicaPhase::non_existent : at->second;
}

bool ClusterState::every_replica_is(const std::string& topic, ReplicaPhase phase) const {
  const auto replicas = replicas_of(topic);
  return std::all_of(replicas.begin(), replicas.end(), [&](const auto& r) { return phase_of(r) == phase; });
}

bool ClusterState::any_replica_is(const std::string& topic, ReplicaPhase phase) const {
  const auto replicas = replicas_of(topic);
  return std::any_of(replicas.begin(), replicas.end(), [&](const auto& r) { return phase_of(r) == phase; });
}

}  // namespace tandem::broker::controller
