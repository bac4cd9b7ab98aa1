// ListOffsets: API key 2, versions 0 to 9, flexible from 6.
// Finds offsets by timestamp, or the first and last ones.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct ListOffsetsResponse;

struct ListOffsetsRequest {
  static constexpr ApiKey kApi = ApiKey::list_offsets;
  static constexpr std::int16_t kVersionMax = 9;
  static constexpr std::int16_t kFlexibleSince = 6;
  using Response = ListOffsetsResponse;

  struct ListOffsetsPartition {
    std::int32_t partition_index = 0;
    std::int32_t current_leader_epoch = -1;
    std::int64_t timestamp = 0;
    std::int32_t max_num_offsets = 1;
    void describe(Fields& f);
    bool operator==(const ListOffsetsPartition&) const = default;
  };

  struct ListOffsetsTopic {
    TopicName name;
    std::vector<ListOffsetsPartition> partitions;
    void describe(Fields& f);
    bool operator==(const ListOffsetsTopic&) const = default;
  };

  BrokerId replica_id = 0;
  std::int8_t isolation_level = 0;
  std::vector<ListOffsetsTopic> topics;

  void describe(Fields& f);
  bool operator==(const ListOffsetsRequest&) const = default;
};

struct ListOffsetsResponse {
  static constexpr ApiKey kApi = ApiKey::list_offsets;
  static constexpr std::int16_t kVersionMax = 9;
  static constexpr std::int16_t kFlexibleSince = 6;

  struct ListOffsetsPartitionResponse {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    std::vector<std::int64_t> old_style_offsets;
    std::int64_t timestamp = -1;
    std::int64_t offset = -1;
    std::int32_t leader_epoch = -1;
    void describe(Fields& f);
    bool operator==(const ListOffsetsPartitionResponse&) const = default;
  };

  struct ListOffsetsTopicResponse {
    TopicName name;
    std::vector<ListOffsetsPartitionResponse> partitions;
    void describe(Fields& f);
    bool operator==(const ListOffsetsTopicResponse&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<ListOffsetsTopicResponse> topics;

  void describe(Fields& f);
  bool operator==(const ListOffsetsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
