// Produce: API key 0, versions 0 to 11, flexible from 9.
// Appends record batches to partitions. With acks=0 there is no response.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct ProduceResponse;

struct ProduceRequest {
  static constexpr ApiKey kApi = ApiKey::produce;
  static constexpr std::int16_t kVersionMax = 11;
  static constexpr std::int16_t kFlexibleSince = 9;
  using Response = ProduceResponse;

  struct PartitionProduceData {
    std::int32_t index = 0;
    Records records;
    void describe(Fields& f);
    bool operator==(const PartitionProduceData&) const = default;
  };

  struct TopicProduceData {
    TopicName name;
    std::vector<PartitionProduceData> partition_data;
    void describe(Fields& f);
    bool operator==(const TopicProduceData&) const = default;
  };

  std::optional<TransactionalId> transactional_id;
  std::int16_t acks = 0;
  std::int32_t timeout_ms = 0;
  std::vector<TopicProduceData> topic_data;

  void describe(Fields& f);
  bool operator==(const ProduceRequest&) const = default;
};

struct ProduceResponse {
  static constexpr ApiKey kApi = ApiKey::produce;
  static constexpr std::int16_t kVersionMax = 11;
  static constexpr std::int16_t kFlexibleSince = 9;

  struct BatchIndexAndErrorMessage {
    std::int32_t batch_index = 0;
    std::optional<std::string> batch_index_error_message;
    void describe(Fields& f);
    bool operator==(const BatchIndexAndErrorMessage&) const = default;
  };

  struct LeaderIdAndEpoch {
    BrokerId leader_id = -1;
    std::int32_t leader_epoch = -1;
    void describe(Fields& f);
    bool operator==(const LeaderIdAndEpoch&) const = default;
  };

  struct PartitionProduceResponse {
    std::int32_t index = 0;
    ErrorCode error_code = ErrorCode::none;
    std::int64_t base_offset = 0;
    std::int64_t log_append_time_ms = -1;
    std::int64_t log_start_offset = -1;
    std::vector<BatchIndexAndErrorMessage> record_errors;
    std::optional<std::string> error_message;
    LeaderIdAndEpoch current_leader;
    void describe(Fields& f);
    bool operator==(const PartitionProduceResponse&) const = default;
  };

  struct TopicProduceResponse {
    TopicName name;
    std::vector<PartitionProduceResponse> partition_responses;
    void describe(Fields& f);
    bool operator==(const TopicProduceResponse&) const = default;
  };

  struct NodeEndpoint {
    BrokerId node_id = 0;
    std::string host;
    std::int32_t port = 0;
    std::optional<std::string> rack;
    void describe(Fields& f);
    bool operator==(const NodeEndpoint&) const = default;
  };

  std::vector<TopicProduceResponse> responses;
  std::int32_t throttle_time_ms = 0;
  std::vector<NodeEndpoint> node_endpoints;

  void describe(Fields& f);
  bool operator==(const ProduceResponse&) const = default;
};

}  // namespace tandem::broker::protocol
