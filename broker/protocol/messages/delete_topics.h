// DeleteTopics: API key 20, versions 0 to 6, flexible from 4.
// Deletes topics, by name or by id.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct DeleteTopicsResponse;

struct DeleteTopicsRequest {
  static constexpr ApiKey kApi = ApiKey::delete_topics;
  static constexpr std::int16_t kVersionMax = 6;
  static constexpr std::int16_t kFlexibleSince = 4;
  using Response = DeleteTopicsResponse;

  struct DeleteTopicState {
    std::optional<TopicName> name;
    Uuid topic_id;
    void describe(Fields& f);
    bool operator==(const DeleteTopicState&) const = default;
  };

  std::vector<DeleteTopicState> topics;
  std::vector<TopicName> topic_names;
  std::int32_t timeout_ms = 0;

  void describe(Fields& f);
  bool operator==(const DeleteTopicsRequest&) const = default;
};

struct DeleteTopicsResponse {
  static constexpr ApiKey kApi = ApiKey::delete_topics;
  static constexpr std::int16_t kVersionMax = 6;
  static constexpr std::int16_t kFlexibleSince = 4;

  struct DeletableTopicResult {
    std::optional<TopicName> name;
    Uuid topic_id;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    void describe(Fields& f);
    bool operator==(const DeletableTopicResult&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<DeletableTopicResult> responses;

  void describe(Fields& f);
  bool operator==(const DeleteTopicsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
