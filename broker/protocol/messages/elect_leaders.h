// ElectLeaders: API key 43, versions 0 to 2, flexible from 2.
// Elects preferred or unclean leaders.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct ElectLeadersResponse;

struct ElectLeadersRequest {
  static constexpr ApiKey kApi = ApiKey::elect_leaders;
  static constexpr std::int16_t kVersionMax = 2;
  static constexpr std::int16_t kFlexibleSince = 2;
  using Response = ElectLeadersResponse;

  struct TopicPartitions {
    TopicName topic;
    std::vector<std::int32_t> partitions;
    void describe(Fields& f);
    bool operator==(const TopicPartitions&) const = default;
  };

  std::int8_t election_type = 0;
  std::optional<std::vector<TopicPartitions>> topic_partitions;
  std::int32_t timeout_ms = 60000;

  void describe(Fields& f);
  bool operator==(const ElectLeadersRequest&) const = default;
};

struct ElectLeadersResponse {
  static constexpr ApiKey kApi = ApiKey::elect_leaders;
  static constexpr std::int16_t kVersionMax = 2;
  static constexpr std::int16_t kFlexibleSince = 2;

  struct PartitionResult {
    std::int32_t partition_id = 0;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    void describe(Fields& f);
    bool operator==(const PartitionResult&) const = default;
  };

  struct ReplicaElectionResult {
    TopicName topic;
    std::vector<PartitionResult> partition_result;
    void describe(Fields& f);
    bool operator==(const ReplicaElectionResult&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<ReplicaElectionResult> replica_election_results;

  void describe(Fields& f);
  bool operator==(const ElectLeadersResponse&) const = default;
};

}  // namespace tandem::broker::protocol
