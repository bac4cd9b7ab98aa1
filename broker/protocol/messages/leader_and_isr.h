// LeaderAndIsr: API key 4, versions 0 to 7, flexible from 4.
// The controller tells a broker which partitions it leads or follows.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct LeaderAndIsrResponse;

struct LeaderAndIsrRequest {
  static constexpr ApiKey kApi = ApiKey::leader_and_isr;
  static constexpr std::int16_t kVersionMax = 7;
  static constexpr std::int16_t kFlexibleSince = 4;
  using Response = LeaderAndIsrResponse;

  struct LeaderAndIsrPartitionState {
    TopicName topic_name;
    std::int32_t partition_index = 0;
    std::int32_t controller_epoch = 0;
    BrokerId leader = 0;
    std::int32_t leader_epoch = 0;
    std::vector<BrokerId> isr;
    std::int32_t partition_epoch = 0;
    std::vector<BrokerId> replicas;
    std::vector<BrokerId> adding_replicas;
    std::vector<BrokerId> removing_replicas;
    bool is_new = false;
    std::int8_t leader_recovery_state = 0;
    void describe(Fields& f);
    bool operator==(const LeaderAndIsrPartitionState&) const = default;
  };

  struct LeaderAndIsrTopicState {
    TopicName topic_name;
    Uuid topic_id;
    std::vector<LeaderAndIsrPartitionState> partition_states;
    void describe(Fields& f);
    bool operator==(const LeaderAndIsrTopicState&) const = default;
  };

  struct LeaderAndIsrLiveLeader {
    BrokerId broker_id = 0;
    std::string host_name;
    std::int32_t port = 0;
    void describe(Fields& f);
    bool operator==(const LeaderAndIsrLiveLeader&) const = default;
  };

  BrokerId controller_id = 0;
  bool is_k_raft_controller = false;
  std::int32_t controller_epoch = 0;
  std::int64_t broker_epoch = -1;
  std::int8_t type = 0;
  std::vector<LeaderAndIsrPartitionState> ungrouped_partition_states;
  std::vector<LeaderAndIsrTopicState> topic_states;
  std::vector<LeaderAndIsrLiveLeader> live_leaders;

  void describe(Fields& f);
  bool operator==(const LeaderAndIsrRequest&) const = default;
};

struct LeaderAndIsrResponse {
  static constexpr ApiKey kApi = ApiKey::leader_and_isr;
  static constexpr std::int16_t kVersionMax = 7;
  static constexpr std::int16_t kFlexibleSince = 4;

  struct LeaderAndIsrPartitionError {
    TopicName topic_name;
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    void describe(Fields& f);
    bool operator==(const LeaderAndIsrPartitionError&) const = default;
  };

  struct LeaderAndIsrTopicError {
    Uuid topic_id;
    std::vector<LeaderAndIsrPartitionError> partition_errors;
    void describe(Fields& f);
    bool operator==(const LeaderAndIsrTopicError&) const = default;
  };

  ErrorCode error_code = ErrorCode::none;
  std::vector<LeaderAndIsrPartitionError> partition_errors;
  std::vector<LeaderAndIsrTopicError> topics;

  void describe(Fields& f);
  bool operator==(const LeaderAndIsrResponse&) const = default;
};

}  // namespace tandem::broker::protocol
