// The replicas' half of StateMachines.
#include <fmt/format.h>

#include <algorithm>

#include "broker/controller/state_machines.h"
#include "broker/zk/paths.h"

namespace tandem::broker::controller {
namespace {

bool holds(const Replicas& brokers, std::int32_t broker) {
  return std::find(brokers.begin(), brokers.end(), broker) != brokers.end();
}

}  // namespace

Replicas strangers_in(const PartitionState& state, const zk::ReplicaAssignment& assignment) {
  Replicas strangers = state.isr;
  std::erase_if(strangers,
                [&](auto broker) { return broker == state.leader || holds(assignment.replicas, broker); });
  return strangers.size() == state.isr.size() ? Replicas() : strangers;
}

Task<void> StateMachines::start_replicas() {
  std::vector<PartitionReplica> online;
  std::vector<PartitionReplica> offline;
  for (auto& [name, topic] : state_.topics) {
    for (auto& [number, partition] : topic.partitions) {
      for (const auto broker : partition.assignment.replicas) {
        const bool live = state_.is_online(broker, {name, number});
        partition.replicas[broker] = live ? ReplicaPhase::online : ReplicaPhase::offline;
        // A dead broker's replica cannot be deleted until the broker is back.
        if (!live && state_.deleting.contains(name))
          partition.replicas[broker] = ReplicaPhase::deletion_ineligible;
        (live ? online : offline).push_back({{name, number}, broker});
      }
    }
  }
  co_await change(std::move(online), ReplicaPhase::online);
  std::erase_if(offline,
                [&](const auto& replica) { return state_.deleting.contains(replica.partition.topic); });
  co_await change(std::move(offline), ReplicaPhase::offline);
}

void StateMachines::enter(const PartitionReplica& replica, ReplicaPhase phase) {
  state_.at(replica.partition).replicas[replica.broker] = phase;
}

void StateMachines::on_new_replica(const PartitionReplica& replica) {
  const Partition& partition = state_.at(replica.partition);
  if (partition.leadership) {
    if (partition.leadership->leader == replica.broker) {
      note(fmt::format("replica {} of {} cannot be new: it leads", replica.broker, replica.partition.text()));
      return;
    }
    batch_.leader_and_isr({replica.broker}, replica.partition, true);
  }
  enter(replica, ReplicaPhase::new_replica);
}

void StateMachines::on_online_replica(const PartitionReplica& replica) {
  Partition& partition = state_.at(replica.partition);
  auto& assigned = partition.assignment.replicas;
  if (state_.phase_of(replica) == ReplicaPhase::new_replica) {
    if (std::find(assigned.begin(), assigned.end(), replica.broker) == assigned.end()) {
      assigned.push_back(replica.broker);
    }
  } else if (partition.leadership) {
    batch_.leader_and_isr({replica.broker}, replica.partition, false);
  }
  enter(replica, ReplicaPhase::online);
}

void StateMachines::stop(const std::vector<PartitionReplica>& replicas) {
  for (const auto& replica : replicas) batch_.stop_replica(replica.broker, replica.partition, false);
  send();
}

Task<void> StateMachines::change(std::vector<PartitionReplica> replicas, ReplicaPhase phase) {
  std::map<std::int32_t, std::vector<TopicPartition>> going_offline;
  for (const auto& replica : replicas) {
    if (!may_become(state_.phase_of(replica), phase)) {
      note(fmt::format("replica {} of {} cannot go from {} to {}", replica.broker, replica.partition.text(),
                       to_string(state_.phase_of(replica)), to_string(phase)));
      continue;
    }
    switch (phase) {
      case ReplicaPhase::new_replica:
        on_new_replica(replica);
        break;
      case ReplicaPhase::online:
        on_online_replica(replica);
        break;
      case ReplicaPhase::offline:
        batch_.stop_replica(replica.broker, replica.partition, false);
        going_offline[replica.broker].push_back(replica.partition);
        break;
      case ReplicaPhase::deletion_started:
        batch_.stop_replica(replica.broker, replica.partition, true);
        enter(replica, phase);
        break;
      case ReplicaPhase::deletion_successful:
      case ReplicaPhase::deletion_ineligible:
        enter(replica, phase);
        break;
      case ReplicaPhase::non_existent:
        state_.at(replica.partition).replicas.erase(replica.broker);
        break;
    }
  }
  for (auto& [broker, partitions] : going_offline) co_await take_offline(broker, partitions);
  send();
}

Task<void> StateMachines::take_offline(std::int32_t broker, std::vector<TopicPartition> partitions) {
  std::vector<TopicPartition> led;
  std::vector<TopicPartition> others;
  for (auto& partition : partitions) {
    (state_.at(partition).leadership ? led : others).push_back(partition);
    enter({partition, broker}, ReplicaPhase::offline);
  }
  std::vector<TopicPartition> changed;
  co_await remove_from_isr(Replicas(1, broker), std::move(led), changed);
  for (const auto& partition : changed) {
    if (state_.deleting.contains(partition.topic)) continue;
    Replicas rest = state_.at(partition).assignment.replicas;
    std::erase(rest, broker);
    batch_.leader_and_isr(rest, partition, false);
  }
  if (!others.empty()) batch_.update_metadata(state_.live_or_shutting_down(), others);
}

Task<void> StateMachines::leave_isr(Replicas brokers, TopicPartition partition) {
  if (!state_.at(partition).leadership) co_return;
  std::vector<TopicPartition> one;
  one.push_back(partition);
  std::vector<TopicPartition> changed;
  co_await remove_from_isr(std::move(brokers), std::move(one), changed);
}

Task<void> StateMachines::remove_from_isr(Replicas brokers, std::vector<TopicPartition> partitions,
                                          std::vector<TopicPartition>& changed) {
  for (int round = 0; !partitions.empty() && round < kConflictRoundsMax; ++round) {
    partitions = co_await remove_from_isr_once(brokers, std::move(partitions), changed);
  }
}

// Who is not assigned goes with the brokers: alone in sync it would keep the others from leading for ever.
// The last member of an ISR stays in it: only its being leader ends. Where nobody leads, nothing changes, and
// nothing is written. Kafka 3.9 writes the same leader and ISR again with the next leader epoch, at each
// failover once for every such partition: the write that took the leader away has fenced him already (leader
// epoch and version are others since), and a cluster that has lost a broker may have a hundred thousand.
Task<std::vector<TopicPartition>> StateMachines::remove_from_isr_once(Replicas brokers,
                                                                      std::vector<TopicPartition> partitions,
                                                                      std::vector<TopicPartition>& changed) {
  Failures failures;
  const auto attempts = co_await read_states(std::move(partitions), failures);
  std::vector<Attempt> next;
  for (const auto& attempt : attempts) {
    PartitionState state = attempt.current;
    const Replicas strangers = strangers_in(state, state_.at(attempt.partition).assignment);
    std::erase_if(state.isr, [&](auto each) { return holds(strangers, each); });
    for (const auto broker : brokers) {
      if (!holds(state.isr, broker)) continue;
      if (state.leader == broker) state.leader = zk::kNoLeader;
      if (state.isr.size() > 1) std::erase(state.isr, broker);
    }
    if (state == attempt.current) {
      state_.at(attempt.partition).leadership = state;
      changed.push_back(attempt.partition);
      continue;
    }
    ++state.leader_epoch;
    state.controller_epoch = state_.epoch;
    next.push_back({attempt.partition, std::move(state)});
  }
  auto again = co_await write_states(std::move(next), changed, failures);
  for (const auto& [partition, error] : failures) {
    note(fmt::format("{} stays in the ISR of {}: {}", fmt::join(brokers, ","), partition.text(),
                     error.message));
  }
  co_return again;
}

}  // namespace tandem::broker::controller
