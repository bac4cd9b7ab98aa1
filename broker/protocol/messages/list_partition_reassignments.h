// ListPartitionReassignments: API key 46, version 0, flexible from 0.
// The moves of partitions that are under way.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct ListPartitionReassignmentsResponse;

struct ListPartitionReassignmentsRequest {
  static constexpr ApiKey kApi = ApiKey::list_partition_reassignments;
  static constexpr std::int16_t kVersionMax = 0;
  static constexpr std::int16_t kFlexibleSince = 0;
  using Response = ListPartitionReassignmentsResponse;

  struct ListPartitionReassignmentsTopics {
    TopicName name;
    std::vector<std::int32_t> partition_indexes;
    void describe(Fields& f);
    bool operator==(const ListPartitionReassignmentsTopics&) const = default;
  };

  std::int32_t timeout_ms = 60000;
  std::optional<std::vector<ListPartitionReassignmentsTopics>> topics;

  void describe(Fields& f);
  bool operator==(const ListPartitionReassignmentsRequest&) const = default;
};

struct ListPartitionReassignmentsResponse {
  static constexpr ApiKey kApi = ApiKey::list_partition_reassignments;
  static constexpr std::int16_t kVersionMax = 0;
  static constexpr std::int16_t kFlexibleSince = 0;

  struct OngoingPartitionReassignment {
    std::int32_t partition_index = 0;
    std::vector<BrokerId> replicas;
    std::vector<BrokerId> adding_replicas;
    std::vector<BrokerId> removing_replicas;
    void describe(Fields& f);
    bool operator==(const OngoingPartitionReassignment&) const = default;
  };

  struct OngoingTopicReassignment {
    TopicName name;
    std::vector<OngoingPartitionReassignment> partitions;
    void describe(Fields& f);
    bool operator==(const OngoingTopicReassignment&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> error_message = "";
  std::vector<OngoingTopicReassignment> topics;

  void describe(Fields& f);
  bool operator==(const ListPartitionReassignmentsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
