// OffsetFetch: API key 9, versions 0 to 9, flexible from 6.
// Reads the stored positions of groups.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct OffsetFetchResponse;

struct OffsetFetchRequest {
  static constexpr ApiKey kApi = ApiKey::offset_fetch;
  static constexpr std::int16_t kVersionMax = 9;
  static constexpr std::int16_t kFlexibleSince = 6;
  using Response = OffsetFetchResponse;

  struct OffsetFetchRequestTopic {
    TopicName name;
    std::vector<std::int32_t> partition_indexes;
    void describe(Fields& f);
    bool operator==(const OffsetFetchRequestTopic&) const = default;
  };

  struct OffsetFetchRequestTopics {
    TopicName name;
    std::vector<std::int32_t> partition_indexes;
    void describe(Fields& f);
    bool operator==(const OffsetFetchRequestTopics&) const = default;
  };

  struct OffsetFetchRequestGroup {
    GroupId group_id;
    std::optional<std::string> member_id;
    std::int32_t member_epoch = -1;
    std::optional<std::vector<OffsetFetchRequestTopics>> topics;
    void describe(Fields& f);
    bool operator==(const OffsetFetchRequestGroup&) const = default;
  };

  GroupId group_id;
  std::optional<std::vector<OffsetFetchRequestTopic>> topics;
  std::vector<OffsetFetchRequestGroup> groups;
  bool require_stable = false;

  void describe(Fields& f);
  bool operator==(const OffsetFetchRequest&) const = default;
};

struct OffsetFetchResponse {
  static constexpr ApiKey kApi = ApiKey::offset_fetch;
  static constexpr std::int16_t kVersionMax = 9;
  static constexpr std::int16_t kFlexibleSince = 6;

  struct OffsetFetchResponsePartition {
    std::int32_t partition_index = 0;
    std::int64_t committed_offset = 0;
    std::int32_t committed_leader_epoch = -1;
    std::optional<std::string> metadata;
    ErrorCode error_code = ErrorCode::none;
    void describe(Fields& f);
    bool operator==(const OffsetFetchResponsePartition&) const = default;
  };

  struct OffsetFetchResponseTopic {
    TopicName name;
    std::vector<OffsetFetchResponsePartition> partitions;
    void describe(Fields& f);
    bool operator==(const OffsetFetchResponseTopic&) const = default;
  };

  struct OffsetFetchResponsePartitions {
    std::int32_t partition_index = 0;
    std::int64_t committed_offset = 0;
    std::int32_t committed_leader_epoch = -1;
    std::optional<std::string> metadata;
    ErrorCode error_code = ErrorCode::none;
    void describe(Fields& f);
    bool operator==(const OffsetFetchResponsePartitions&) const = default;
  };

  struct OffsetFetchResponseTopics {
    TopicName name;
    std::vector<OffsetFetchResponsePartitions> partitions;
    void describe(Fields& f);
    bool operator==(const OffsetFetchResponseTopics&) const = default;
  };

  struct OffsetFetchResponseGroup {
    GroupId group_id;
    std::vector<OffsetFetchResponseTopics> topics;
    ErrorCode error_code = ErrorCode::none;
    void describe(Fields& f);
    bool operator==(const OffsetFetchResponseGroup&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<OffsetFetchResponseTopic> topics;
  ErrorCode error_code = ErrorCode::none;
  std::vector<OffsetFetchResponseGroup> groups;

  void describe(Fields& f);
  bool operator==(const OffsetFetchResponse&) const = default;
};

}  // namespace tandem::broker::protocol
