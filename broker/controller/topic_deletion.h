// Deletion of topics: replicas go offline, are deleted on their brokers, and when all have confirmed, the
// znodes go. A topic with a replica on a dead broker waits until it is back. Owned by the Controller; runs
// inside its scripts. Source: Kafka 3.9 TopicDeletionManager.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "broker/controller/state_machines.h"

namespace tandem::broker::controller {

class TopicDeletion {
 public:
  TopicDeletion(bool enabled, ClusterState& state, StateMachines& machines, ZkPort& zk)
      : enabled_(enabled), state_(state), machines_(machines), zk_(zk) {}

  bool enabled() const { return enabled_; }
  Task<void> init(std::set<std::string> topics, std::set<std::string> ineligible);
  Task<void> enqueue(std::set<std::string> topics);
  Task<void> resume();
  Task<void> resume_for(std::set<std::string> topics);  // they have become eligible again
  void halt(const std::string& topic);
  Task<void> replicas_failed(std::vector<PartitionReplica> replicas);
  Task<void> replicas_deleted(std::vector<PartitionReplica> replicas);
  Task<void> forget_requests(std::set<std::string> topics);  // their /admin/delete_topics nodes

 private:
  void mark_ineligible(const std::set<std::string>& topics);
  Task<void> start(std::set<std::string> topics);
  Task<void> delete_replicas(std::set<std::string> topics);
  Task<void> finish(std::string topic);
  Task<void> remove_tree(std::string path);

  bool enabled_;
  ClusterState& state_;
  StateMachines& machines_;
  ZkPort& zk_;
};

}  // namespace tandem::broker::controller
