// UpdateMetadata: API key 6, versions 0 to 8, flexible from 6.
// The controller tells every broker who leads what.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct UpdateMetadataResponse;

struct UpdateMetadataRequest {
  static constexpr ApiKey kApi = ApiKey::update_metadata;
  static constexpr std::int16_t kVersionMax = 8;
  static constexpr std::int16_t kFlexibleSince = 6;
  using Response = UpdateMetadataResponse;

  struct UpdateMetadataPartitionState {
    TopicName topic_name;
    std::int32_t partition_index = 0;
    std::int32_t controller_epoch = 0;
    BrokerId leader = 0;
    std::int32_t leader_epoch = 0;
    std::vector<BrokerId> isr;
    std::int32_t zk_version = 0;
    std::vector<BrokerId> replicas;
    std::vector<BrokerId> offline_replicas;
    void describe(Fields& f);
    bool operator==(const UpdateMetadataPartitionState&) const = default;
  };

  struct UpdateMetadataTopicState {
    TopicName topic_name;
    Uuid topic_id;
    std::vector<UpdateMetadataPartitionState> partition_states;
    void describe(Fields& f);
    bool operator==(const UpdateMetadataTopicState&) const = default;
  };

  struct UpdateMetadataEndpoint {
    std::int32_t port = 0;
    std::string host;
    std::string listener;
    std::int16_t security_protocol = 0;
    void describe(Fields& f);
    bool operator==(const UpdateMetadataEndpoint&) const = default;
  };

  struct UpdateMetadataBroker {
    BrokerId id = 0;
    std::string v0_host;
    std::int32_t v0_port = 0;
    std::vector<UpdateMetadataEndpoint> endpoints;
    std::optional<std::string> rack;
    void describe(Fields& f);
    bool operator==(const UpdateMetadataBroker&) const = default;
  };

  BrokerId controller_id = 0;
  bool is_k_raft_controller = false;
  std::int8_t type = 0;
  std::int32_t controller_epoch = 0;
  std::int64_t broker_epoch = -1;
  std::vector<UpdateMetadataPartitionState> ungrouped_partition_states;
  std::vector<UpdateMetadataTopicState> topic_states;
  std::vector<UpdateMetadataBroker> live_brokers;

  void describe(Fields& f);
  bool operator==(const UpdateMetadataRequest&) const = default;
};

struct UpdateMetadataResponse {
  static constexpr ApiKey kApi = ApiKey::update_metadata;
  static constexpr std::int16_t kVersionMax = 8;
  static constexpr std::int16_t kFlexibleSince = 6;

  ErrorCode error_code = ErrorCode::none;

  void describe(Fields& f);
  bool operator==(const UpdateMetadataResponse&) const = default;
};

}  // namespace tandem::broker::protocol
