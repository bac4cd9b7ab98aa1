// Metadata: API key 3, versions 0 to 12, flexible from 9.
// Brokers, the controller, and the leaders of topics.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct MetadataResponse;

struct MetadataRequest {
  static constexpr ApiKey kApi = ApiKey::metadata;
  static constexpr std::int16_t kVersionMax = 12;
  static constexpr std::int16_t kFlexibleSince = 9;
  using Response = MetadataResponse;

  struct MetadataRequestTopic {
    Uuid topic_id;
    std::optional<TopicName> name;
    void describe(Fields& f);
    bool operator==(const MetadataRequestTopic&) const = default;
  };

  std::optional<std::vector<MetadataRequestTopic>> topics;
  bool allow_auto_topic_creation = true;
  bool include_cluster_authorized_operations = false;
  bool include_topic_authorized_operations = false;

  void describe(Fields& f);
  bool operator==(const MetadataRequest&) const = default;
};

struct MetadataResponse {
  static constexpr ApiKey kApi = ApiKey::metadata;
  static constexpr std::int16_t kVersionMax = 12;
  static constexpr std::int16_t kFlexibleSince = 9;

  struct MetadataResponseBroker {
    BrokerId node_id = 0;
    std::string host;
    std::int32_t port = 0;
    std::optional<std::string> rack;
    void describe(Fields& f);
    bool operator==(const MetadataResponseBroker&) const = default;
  };

  struct MetadataResponsePartition {
    ErrorCode error_code = ErrorCode::none;
    std::int32_t partition_index = 0;
    BrokerId leader_id = 0;
    std::int32_t leader_epoch = -1;
    std::vector<BrokerId> replica_nodes;
    std::vector<BrokerId> isr_nodes;
    std::vector<BrokerId> offline_replicas;
    void describe(Fields& f);
    bool operator==(const MetadataResponsePartition&) const = default;
  };

  struct MetadataResponseTopic {
    ErrorCode error_code = ErrorCode::none;
    std::optional<TopicName> name;
    Uuid topic_id;
    bool is_internal = false;
    std::vector<MetadataResponsePartition> partitions;
    std::int32_t topic_authorized_operations = -2147483648;
    void describe(Fields& f);
    bool operator==(const MetadataResponseTopic&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<MetadataResponseBroker> brokers;
  std::optional<std::string> cluster_id;
  BrokerId controller_id = -1;
  std::vector<MetadataResponseTopic> topics;
  std::int32_t cluster_authorized_operations = -2147483648;

  void describe(Fields& f);
  bool operator==(const MetadataResponse&) const = default;
};

}  // namespace tandem::broker::protocol
