// AlterPartitionReassignments: API key 45, version 0, flexible from 0.
// Starts or cancels moves of partitions.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct AlterPartitionReassignmentsResponse;

struct AlterPartitionReassignmentsRequest {
  static constexpr ApiKey kApi = ApiKey::alter_partition_reassignments;
  static constexpr std::int16_t kVersionMax = 0;
  static constexpr std::int16_t kFlexibleSince = 0;
  using Response = AlterPartitionReassignmentsResponse;

  struct ReassignablePartition {
    std::int32_t partition_index = 0;
    std::optional<std::vector<BrokerId>> replicas;
    void describe(Fields& f);
    bool operator==(const ReassignablePartition&) const = default;
  };

  struct ReassignableTopic {
    TopicName name;
    std::vector<ReassignablePartition> partitions;
    void describe(Fields& f);
    bool operator==(const ReassignableTopic&) const = default;
  };

  std::int32_t timeout_ms = 60000;
  std::vector<ReassignableTopic> topics;

  void describe(Fields& f);
  bool operator==(const AlterPartitionReassignmentsRequest&) const = default;
};

struct AlterPartitionReassignmentsResponse {
  static constexpr ApiKey kApi = ApiKey::alter_partition_reassignments;
  static constexpr std::int16_t kVersionMax = 0;
  static constexpr std::int16_t kFlexibleSince = 0;

  struct ReassignablePartitionResponse {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    void describe(Fields& f);
    bool operator==(const ReassignablePartitionResponse&) const = default;
  };

  struct ReassignableTopicResponse {
    TopicName name;
    std::vector<ReassignablePartitionResponse> partitions;
    void describe(Fields& f);
    bool operator==(const ReassignableTopicResponse&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> error_message = "";
  std::vector<ReassignableTopicResponse> responses;

  void describe(Fields& f);
  bool operator==(const AlterPartitionReassignmentsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
