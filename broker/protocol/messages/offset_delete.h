// OffsetDelete: API key 47, version 0, never flexible.
// Deletes stored positions of a group.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct OffsetDeleteResponse;

struct OffsetDeleteRequest {
  static constexpr ApiKey kApi = ApiKey::offset_delete;
  static constexpr std::int16_t kVersionMax = 0;
  static constexpr std::int16_t kFlexibleSince = kNeverFlexible;
  using Response = OffsetDeleteResponse;

  struct OffsetDeleteRequestPartition {
    std::int32_t partition_index = 0;
    void describe(Fields& f);
    bool operator==(const OffsetDeleteRequestPartition&) const = default;
  };

  struct OffsetDeleteRequestTopic {
    TopicName name;
    std::vector<OffsetDeleteRequestPartition> partitions;
    void describe(Fields& f);
    bool operator==(const OffsetDeleteRequestTopic&) const = default;
  };

  GroupId group_id;
  std::vector<OffsetDeleteRequestTopic> topics;

  void describe(Fields& f);
  bool operator==(const OffsetDeleteRequest&) const = default;
};

struct OffsetDeleteResponse {
  static constexpr ApiKey kApi = ApiKey::offset_delete;
  static constexpr std::int16_t kVersionMax = 0;
  static constexpr std::int16_t kFlexibleSince = kNeverFlexible;

  struct OffsetDeleteResponsePartition {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    void describe(Fields& f);
    bool operator==(const OffsetDeleteResponsePartition&) const = default;
  };

  struct OffsetDeleteResponseTopic {
    TopicName name;
    std::vector<OffsetDeleteResponsePartition> partitions;
    void describe(Fields& f);
    bool operator==(const OffsetDeleteResponseTopic&) const = default;
  };

  ErrorCode error_code = ErrorCode::none;
  std::int32_t throttle_time_ms = 0;
  std::vector<OffsetDeleteResponseTopic> topics;

  void describe(Fields& f);
  bool operator==(const OffsetDeleteResponse&) const = default;
};

}  // namespace tandem::broker::protocol
