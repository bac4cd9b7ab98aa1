// CreateTopics: API key 19, versions 0 to 7, flexible from 5.
// Creates topics.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct CreateTopicsResponse;

struct CreateTopicsRequest {
  static constexpr ApiKey kApi = ApiKey::create_topics;
  static constexpr std::int16_t kVersionMax = 7;
  static constexpr std::int16_t kFlexibleSince = 5;
  using Response = CreateTopicsResponse;

  struct CreatableReplicaAssignment {
    std::int32_t partition_index = 0;
    std::vector<BrokerId> broker_ids;
    void describe(Fields& f);
    bool operator==(const CreatableReplicaAssignment&) const = default;
  };

  struct CreatableTopicConfig {
    std::string name;
    std::optional<std::string> value;
    void describe(Fields& f);
    bool operator==(const CreatableTopicConfig&) const = default;
  };

  struct CreatableTopic {
    TopicName name;
    std::int32_t num_partitions = 0;
    std::int16_t replication_factor = 0;
    std::vector<CreatableReplicaAssignment> assignments;
    std::vector<CreatableTopicConfig> configs;
    void describe(Fields& f);
    bool operator==(const CreatableTopic&) const = default;
  };

  std::vector<CreatableTopic> topics;
  std::int32_t timeout_ms = 60000;
  bool validate_only = false;

  void describe(Fields& f);
  bool operator==(const CreateTopicsRequest&) const = default;
};

struct CreateTopicsResponse {
  static constexpr ApiKey kApi = ApiKey::create_topics;
  static constexpr std::int16_t kVersionMax = 7;
  static constexpr std::int16_t kFlexibleSince = 5;

  struct CreatableTopicConfigs {
    std::string name;
    std::optional<std::string> value;
    bool read_only = false;
    std::int8_t config_source = -1;
    bool is_sensitive = false;
    void describe(Fields& f);
    bool operator==(const CreatableTopicConfigs&) const = default;
  };

  struct CreatableTopicResult {
    TopicName name;
    Uuid topic_id;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    std::int16_t topic_config_error_code = 0;
    std::int32_t num_partitions = -1;
    std::int16_t replication_factor = -1;
    std::optional<std::vector<CreatableTopicConfigs>> configs;
    void describe(Fields& f);
    bool operator==(const CreatableTopicResult&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<CreatableTopicResult> topics;

  void describe(Fields& f);
  bool operator==(const CreateTopicsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
