// DescribeLogDirs: API key 35, versions 0 to 4, flexible from 2.
// The log directories of a broker and what is in them.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct DescribeLogDirsResponse;

struct DescribeLogDirsRequest {
  static constexpr ApiKey kApi = ApiKey::describe_log_dirs;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 2;
  using Response = DescribeLogDirsResponse;

  struct DescribableLogDirTopic {
    TopicName topic;
    std::vector<std::int32_t> partitions;
    void describe(Fields& f);
    bool operator==(const DescribableLogDirTopic&) const = default;
  };

  std::optional<std::vector<DescribableLogDirTopic>> topics;

  void describe(Fields& f);
  bool operator==(const DescribeLogDirsRequest&) const = default;
};

struct DescribeLogDirsResponse {
  static constexpr ApiKey kApi = ApiKey::describe_log_dirs;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 2;

  struct DescribeLogDirsPartition {
    std::int32_t partition_index = 0;
    std::int64_t partition_size = 0;
    std::int64_t offset_lag = 0;
    bool is_future_key = false;
    void describe(Fields& f);
    bool operator==(const DescribeLogDirsPartition&) const = default;
  };

  struct DescribeLogDirsTopic {
    TopicName name;
    std::vector<DescribeLogDirsPartition> partitions;
    void describe(Fields& f);
    bool operator==(const DescribeLogDirsTopic&) const = default;
  };

  struct DescribeLogDirsResult {
    ErrorCode error_code = ErrorCode::none;
    std::string log_dir;
    std::vector<DescribeLogDirsTopic> topics;
    std::int64_t total_bytes = -1;
    std::int64_t usable_bytes = -1;
    void describe(Fields& f);
    bool operator==(const DescribeLogDirsResult&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<DescribeLogDirsResult> results;

  void describe(Fields& f);
  bool operator==(const DescribeLogDirsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
