// /brokers/topics/T (which brokers hold each partition; versions 1 to 3 are read, 3 is written) and
// .../partitions/P/state (leader, in-sync replicas, epochs). The version of the state's znode is the
// partition epoch. Source: Kafka 3.9 TopicZNode, TopicPartitionStateZNode.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "broker/zk/names.h"

namespace tandem::broker::zk {

using Replicas = std::vector<std::int32_t>;

struct ReplicaAssignment {
  Replicas replicas;
  Replicas adding;
  Replicas removing;
  bool operator==(const ReplicaAssignment&) const = default;
  bool reassigning() const { return !adding.empty() || !removing.empty(); }
  Replicas origin() const;                                  // before the reassignment
  Replicas target() const;                                  // after it
  ReplicaAssignment moving_to(const Replicas& goal) const;  // `goal` first, in its order
};

struct TopicAssignment {
  TopicId id{};                                          // zero: none yet
  std::map<std::int32_t, ReplicaAssignment> partitions;  // by partition number
  bool operator==(const TopicAssignment&) const = default;
};

std::string encode_topic(const TopicAssignment& topic);
base::Result<TopicAssignment> decode_topic(std::string_view name, std::string_view json);

enum class LeaderRecovery : std::int8_t { recovered = 0, recovering = 1 };

constexpr std::int32_t kNoLeader = -1;
constexpr std::int32_t kLeaderDuringDelete = -2;

struct PartitionState {
  std::int32_t leader = kNoLeader;
  std::int32_t leader_epoch = 0;
  Replicas isr;
  LeaderRecovery recovery = LeaderRecovery::recovered;
  std::int32_t controller_epoch = 0;
  std::int32_t partition_epoch = 0;  // version of the znode, not in the JSON
  bool operator==(const PartitionState&) const = default;
};

std::string encode_state(const PartitionState& state);
base::Result<PartitionState> decode_state(const TopicPartition& partition, std::string_view json,
                                          std::int32_t znode_version);

}  // namespace tandem::broker::zk
