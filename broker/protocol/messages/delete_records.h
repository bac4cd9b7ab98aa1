// DeleteRecords: API key 21, versions 0 to 2, flexible from 2.
// Moves the start of partitions forward.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct DeleteRecordsResponse;

struct DeleteRecordsRequest {
  static constexpr ApiKey kApi = ApiKey::delete_records;
  static constexpr std::int16_t kVersionMax = 2;
  static constexpr std::int16_t kFlexibleSince = 2;
  using Response = DeleteRecordsResponse;

  struct DeleteRecordsPartition {
    std::int32_t partition_index = 0;
    std::int64_t offset = 0;
    void describe(Fields& f);
    bool operator==(const DeleteRecordsPartition&) const = default;
  };

  struct DeleteRecordsTopic {
    TopicName name;
    std::vector<DeleteRecordsPartition> partitions;
    void describe(Fields& f);
    bool operator==(const DeleteRecordsTopic&) const = default;
  };

  std::vector<DeleteRecordsTopic> topics;
  std::int32_t timeout_ms = 0;

  void describe(Fields& f);
  bool operator==(const DeleteRecordsRequest&) const = default;
};

struct DeleteRecordsResponse {
  static constexpr ApiKey kApi = ApiKey::delete_records;
  static constexpr std::int16_t kVersionMax = 2;
  static constexpr std::int16_t kFlexibleSince = 2;

  struct DeleteRecordsPartitionResult {
    std::int32_t partition_index = 0;
    std::int64_t low_watermark = 0;
    ErrorCode error_code = ErrorCode::none;
    void describe(Fields& f);
    bool operator==(const DeleteRecordsPartitionResult&) const = default;
  };

  struct DeleteRecordsTopicResult {
    TopicName name;
    std::vector<DeleteRecordsPartitionResult> partitions;
    void describe(Fields& f);
    bool operator==(const DeleteRecordsTopicResult&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<DeleteRecordsTopicResult> topics;

  void describe(Fields& f);
  bool operator==(const DeleteRecordsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
