// The choice of a leader: pure rules over values. Source: Kafka 3.9 Election,
// PartitionLeaderElectionAlgorithms.
#pragma once

#include <optional>
#include <set>

#include "broker/zk/topics.h"

namespace tandem::broker::controller {

// `unclean`: as offline, and a replica outside the ISR may lead, because an administrator said so.
enum class Election { offline, unclean, preferred, reassign, controlled_shutdown };

struct ElectionInput {
  zk::Replicas assigned;
  zk::Replicas online;                   // of the assigned: live, their log directory in order
  std::set<std::int32_t> shutting_down;  // of the assigned
  zk::PartitionState current;
  bool unclean = false;         // offline: a replica outside the ISR may lead
  bool recovery_states = true;  // inter-broker protocol 3.2 or later: an unclean leader is RECOVERING
};

// The state to write (epoch raised, version of the znode unchanged), or nullopt when no replica may lead.
std::optional<zk::PartitionState> elect(Election election, const ElectionInput& input);

// The state of a new partition; nullopt when no assigned replica is online.
std::optional<zk::PartitionState> first_state(const zk::Replicas& online, std::int32_t controller_epoch);

}  // namespace tandem::broker::controller
