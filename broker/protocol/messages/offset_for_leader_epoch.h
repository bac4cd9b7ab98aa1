// OffsetForLeaderEpoch: API key 23, versions 0 to 4, flexible from 4.
// Where a leader epoch ends in a log; replicas and consumers truncate by it.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct OffsetForLeaderEpochResponse;

struct OffsetForLeaderEpochRequest {
  static constexpr ApiKey kApi = ApiKey::offset_for_leader_epoch;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 4;
  using Response = OffsetForLeaderEpochResponse;

  struct OffsetForLeaderPartition {
    std::int32_t partition = 0;
    std::int32_t current_leader_epoch = -1;
    std::int32_t leader_epoch = 0;
    void describe(Fields& f);
    bool operator==(const OffsetForLeaderPartition&) const = default;
  };

  struct OffsetForLeaderTopic {
    TopicName topic;
    std::vector<OffsetForLeaderPartition> partitions;
    void describe(Fields& f);
    bool operator==(const OffsetForLeaderTopic&) const = default;
  };

  BrokerId replica_id = -2;
  std::vector<OffsetForLeaderTopic> topics;

  void describe(Fields& f);
  bool operator==(const OffsetForLeaderEpochRequest&) const = default;
};

struct OffsetForLeaderEpochResponse {
  static constexpr ApiKey kApi = ApiKey::offset_for_leader_epoch;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 4;

  struct EpochEndOffset {
    ErrorCode error_code = ErrorCode::none;
    std::int32_t partition = 0;
    std::int32_t leader_epoch = -1;
    std::int64_t end_offset = -1;
    void describe(Fields& f);
    bool operator==(const EpochEndOffset&) const = default;
  };

  struct OffsetForLeaderTopicResult {
    TopicName topic;
    std::vector<EpochEndOffset> partitions;
    void describe(Fields& f);
    bool operator==(const OffsetForLeaderTopicResult&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<OffsetForLeaderTopicResult> topics;

  void describe(Fields& f);
  bool operator==(const OffsetForLeaderEpochResponse&) const = default;
};

}  // namespace tandem::broker::protocol
