// DescribeCluster: API key 60, versions 0 to 1, flexible from 0.
// Cluster id, brokers and controller.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct DescribeClusterResponse;

struct DescribeClusterRequest {
  static constexpr ApiKey kApi = ApiKey::describe_cluster;
  static constexpr std::int16_t kVersionMax = 1;
  static constexpr std::int16_t kFlexibleSince = 0;
  using Response = DescribeClusterResponse;

  bool include_cluster_authorized_operations = false;
  std::int8_t endpoint_type = 1;

  void describe(Fields& f);
  bool operator==(const DescribeClusterRequest&) const = default;
};

struct DescribeClusterResponse {
  static constexpr ApiKey kApi = ApiKey::describe_cluster;
  static constexpr std::int16_t kVersionMax = 1;
  static constexpr std::int16_t kFlexibleSince = 0;

  struct DescribeClusterBroker {
    BrokerId broker_id = 0;
    std::string host;
    std::int32_t port = 0;
    std::optional<std::string> rack;
    void describe(Fields& f);
    bool operator==(const DescribeClusterBroker&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> error_message;
  std::int8_t endpoint_type = 1;
  std::string cluster_id;
  BrokerId controller_id = -1;
  std::vector<DescribeClusterBroker> brokers;
  std::int32_t cluster_authorized_operations = -2147483648;

  void describe(Fields& f);
  bool operator==(const DescribeClusterResponse&) const = default;
};

}  // namespace tandem::broker::protocol
