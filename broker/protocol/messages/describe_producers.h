// DescribeProducers: API key 61, version 0, flexible from 0.
// The active producers of partitions.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct DescribeProducersResponse;

struct DescribeProducersRequest {
  static constexpr ApiKey kApi = ApiKey::describe_producers;
  static constexpr std::int16_t kVersionMax = 0;
  static constexpr std::int16_t kFlexibleSince = 0;
  using Response = DescribeProducersResponse;

  struct TopicRequest {
    TopicName name;
    std::vector<std::int32_t> partition_indexes;
    void describe(Fields& f);
    bool operator==(const TopicRequest&) const = default;
  };

  std::vector<TopicRequest> topics;

  void describe(Fields& f);
  bool operator==(const DescribeProducersRequest&) const = default;
};

struct DescribeProducersResponse {
  static constexpr ApiKey kApi = ApiKey::describe_producers;
  static constexpr std::int16_t kVersionMax = 0;
  static constexpr std::int16_t kFlexibleSince = 0;

  struct ProducerState {
    ProducerId producer_id = 0;
    std::int32_t producer_epoch = 0;
    std::int32_t last_sequence = -1;
    std::int64_t last_timestamp = -1;
    std::int32_t coordinator_epoch = 0;
    std::int64_t current_txn_start_offset = -1;
    void describe(Fields& f);
    bool operator==(const ProducerState&) const = default;
  };

  struct PartitionResponse {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    std::vector<ProducerState> active_producers;
    void describe(Fields& f);
    bool operator==(const PartitionResponse&) const = default;
  };

  struct TopicResponse {
    TopicName name;
    std::vector<PartitionResponse> partitions;
    void describe(Fields& f);
    bool operator==(const TopicResponse&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<TopicResponse> topics;

  void describe(Fields& f);
  bool operator==(const DescribeProducersResponse&) const = default;
};

}  // namespace tandem::broker::protocol
