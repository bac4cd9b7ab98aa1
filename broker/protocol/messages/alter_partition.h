// AlterPartition: API key 56, versions 0 to 3, flexible from 0.
// A leader asks the controller to change the in-sync replicas.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct AlterPartitionResponse;

struct AlterPartitionRequest {
  static constexpr ApiKey kApi = ApiKey::alter_partition;
  static constexpr std::int16_t kVersionMax = 3;
  static constexpr std::int16_t kFlexibleSince = 0;
  using Response = AlterPartitionResponse;

  struct BrokerState {
    BrokerId broker_id = 0;
    std::int64_t broker_epoch = -1;
    void describe(Fields& f);
    bool operator==(const BrokerState&) const = default;
  };

  struct PartitionData {
    std::int32_t partition_index = 0;
    std::int32_t leader_epoch = 0;
    std::vector<BrokerId> new_isr;
    std::vector<BrokerState> new_isr_with_epochs;
    std::int8_t leader_recovery_state = 0;
    std::int32_t partition_epoch = 0;
    void describe(Fields& f);
    bool operator==(const PartitionData&) const = default;
  };

  struct TopicData {
    TopicName topic_name;
    Uuid topic_id;
    std::vector<PartitionData> partitions;
    void describe(Fields& f);
    bool operator==(const TopicData&) const = default;
  };

  BrokerId broker_id = 0;
  std::int64_t broker_epoch = -1;
  std::vector<TopicData> topics;

  void describe(Fields& f);
  bool operator==(const AlterPartitionRequest&) const = default;
};

struct AlterPartitionResponse {
  static constexpr ApiKey kApi = ApiKey::alter_partition;
  static constexpr std::int16_t kVersionMax = 3;
  static constexpr std::int16_t kFlexibleSince = 0;

  struct PartitionData {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    BrokerId leader_id = 0;
    std::int32_t leader_epoch = 0;
    std::vector<BrokerId> isr;
    std::int8_t leader_recovery_state = 0;
    std::int32_t partition_epoch = 0;
    void describe(Fields& f);
    bool operator==(const PartitionData&) const = default;
  };

  struct TopicData {
    TopicName topic_name;
    Uuid topic_id;
    std::vector<PartitionData> partitions;
    void describe(Fields& f);
    bool operator==(const TopicData&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<TopicData> topics;

  void describe(Fields& f);
  bool operator==(const AlterPartitionResponse&) const = default;
};

}  // namespace tandem::broker::protocol
