// OffsetCommit: API key 8, versions 0 to 9, flexible from 8.
// Stores the positions of a group. Version 0 keeps them in the coordination tree.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct OffsetCommitResponse;

struct OffsetCommitRequest {
  static constexpr ApiKey kApi = ApiKey::offset_commit;
  static constexpr std::int16_t kVersionMax = 9;
  static constexpr std::int16_t kFlexibleSince = 8;
  using Response = OffsetCommitResponse;

  struct OffsetCommitRequestPartition {
    std::int32_t partition_index = 0;
    std::int64_t committed_offset = 0;
    std::int32_t committed_leader_epoch = -1;
    std::int64_t commit_timestamp = -1;
    std::optional<std::string> committed_metadata;
    void describe(Fields& f);
    bool operator==(const OffsetCommitRequestPartition&) const = default;
  };

  struct OffsetCommitRequestTopic {
    TopicName name;
    std::vector<OffsetCommitRequestPartition> partitions;
    void describe(Fields& f);
    bool operator==(const OffsetCommitRequestTopic&) const = default;
  };

  GroupId group_id;
  std::int32_t generation_id_or_member_epoch = -1;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  std::int64_t retention_time_ms = -1;
  std::vector<OffsetCommitRequestTopic> topics;

  void describe(Fields& f);
  bool operator==(const OffsetCommitRequest&) const = default;
};

struct OffsetCommitResponse {
  static constexpr ApiKey kApi = ApiKey::offset_commit;
  static constexpr std::int16_t kVersionMax = 9;
  static constexpr std::int16_t kFlexibleSince = 8;

  struct OffsetCommitResponsePartition {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    void describe(Fields& f);
    bool operator==(const OffsetCommitResponsePartition&) const = default;
  };

  struct OffsetCommitResponseTopic {
    TopicName name;
    std::vector<OffsetCommitResponsePartition> partitions;
    void describe(Fields& f);
    bool operator==(const OffsetCommitResponseTopic&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<OffsetCommitResponseTopic> topics;

  void describe(Fields& f);
  bool operator==(const OffsetCommitResponse&) const = default;
};

}  // namespace tandem::broker::protocol
