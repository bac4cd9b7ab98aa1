// StopReplica: API key 5, versions 0 to 4, flexible from 2.
// The controller tells a broker to stop, and perhaps delete, replicas.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct StopReplicaResponse;

struct StopReplicaRequest {
  static constexpr ApiKey kApi = ApiKey::stop_replica;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 2;
  using Response = StopReplicaResponse;

  struct StopReplicaPartitionV0 {
    TopicName topic_name;
    std::int32_t partition_index = 0;
    void describe(Fields& f);
    bool operator==(const StopReplicaPartitionV0&) const = default;
  };

  struct StopReplicaTopicV1 {
    TopicName name;
    std::vector<std::int32_t> partition_indexes;
    void describe(Fields& f);
    bool operator==(const StopReplicaTopicV1&) const = default;
  };

  struct StopReplicaPartitionState {
    std::int32_t partition_index = 0;
    std::int32_t leader_epoch = -1;
    bool delete_partition = false;
    void describe(Fields& f);
    bool operator==(const StopReplicaPartitionState&) const = default;
  };

  struct StopReplicaTopicState {
    TopicName topic_name;
    std::vector<StopReplicaPartitionState> partition_states;
    void describe(Fields& f);
    bool operator==(const StopReplicaTopicState&) const = default;
  };

  BrokerId controller_id = 0;
  bool is_k_raft_controller = false;
  std::int32_t controller_epoch = 0;
  std::int64_t broker_epoch = -1;
  bool delete_partitions = false;
  std::vector<StopReplicaPartitionV0> ungrouped_partitions;
  std::vector<StopReplicaTopicV1> topics;
  std::vector<StopReplicaTopicState> topic_states;

  void describe(Fields& f);
  bool operator==(const StopReplicaRequest&) const = default;
};

struct StopReplicaResponse {
  static constexpr ApiKey kApi = ApiKey::stop_replica;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 2;

  struct StopReplicaPartitionError {
    TopicName topic_name;
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    void describe(Fields& f);
    bool operator==(const StopReplicaPartitionError&) const = default;
  };

  ErrorCode error_code = ErrorCode::none;
  std::vector<StopReplicaPartitionError> partition_errors;

  void describe(Fields& f);
  bool operator==(const StopReplicaResponse&) const = default;
};

}  // namespace tandem::broker::protocol
