// AlterConfigs: API key 33, versions 0 to 2, flexible from 2.
// Replaces all dynamic configuration of resources.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct AlterConfigsResponse;

struct AlterConfigsRequest {
  static constexpr ApiKey kApi = ApiKey::alter_configs;
  static constexpr std::int16_t kVersionMax = 2;
  static constexpr std::int16_t kFlexibleSince = 2;
  using Response = AlterConfigsResponse;

  struct AlterableConfig {
    std::string name;
    std::optional<std::string> value;
    void describe(Fields& f);
    bool operator==(const AlterableConfig&) const = default;
  };

  struct AlterConfigsResource {
    std::int8_t resource_type = 0;
    std::string resource_name;
    std::vector<AlterableConfig> configs;
    void describe(Fields& f);
    bool operator==(const AlterConfigsResource&) const = default;
  };

  std::vector<AlterConfigsResource> resources;
  bool validate_only = false;

  void describe(Fields& f);
  bool operator==(const AlterConfigsRequest&) const = default;
};

struct AlterConfigsResponse {
  static constexpr ApiKey kApi = ApiKey::alter_configs;
  static constexpr std::int16_t kVersionMax = 2;
  static constexpr std::int16_t kFlexibleSince = 2;

  struct AlterConfigsResourceResponse {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    std::int8_t resource_type = 0;
    std::string resource_name;
    void describe(Fields& f);
    bool operator==(const AlterConfigsResourceResponse&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<AlterConfigsResourceResponse> responses;

  void describe(Fields& f);
  bool operator==(const AlterConfigsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
