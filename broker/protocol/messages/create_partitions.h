// CreatePartitions: API key 37, versions 0 to 3, flexible from 2.
// Adds partitions to topics.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct CreatePartitionsResponse;

struct CreatePartitionsRequest {
  static constexpr ApiKey kApi = ApiKey::create_partitions;
  static constexpr std::int16_t kVersionMax = 3;
  static constexpr std::int16_t kFlexibleSince = 2;
  using Response = CreatePartitionsResponse;

  struct CreatePartitionsAssignment {
    std::vector<BrokerId> broker_ids;
    void describe(Fields& f);
    bool operator==(const CreatePartitionsAssignment&) const = default;
  };

  struct CreatePartitionsTopic {
    TopicName name;
    std::int32_t count = 0;
    std::optional<std::vector<CreatePartitionsAssignment>> assignments;
    void describe(Fields& f);
    bool operator==(const CreatePartitionsTopic&) const = default;
  };

  std::vector<CreatePartitionsTopic> topics;
  std::int32_t timeout_ms = 0;
  bool validate_only = false;

  void describe(Fields& f);
  bool operator==(const CreatePartitionsRequest&) const = default;
};

struct CreatePartitionsResponse {
  static constexpr ApiKey kApi = ApiKey::create_partitions;
  static constexpr std::int16_t kVersionMax = 3;
  static constexpr std::int16_t kFlexibleSince = 2;

  struct CreatePartitionsTopicResult {
    TopicName name;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    void describe(Fields& f);
    bool operator==(const CreatePartitionsTopicResult&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<CreatePartitionsTopicResult> results;

  void describe(Fields& f);
  bool operator==(const CreatePartitionsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
