// IncrementalAlterConfigs: API key 44, versions 0 to 1, flexible from 1.
// Sets, deletes, appends to or subtracts from single configuration values.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct IncrementalAlterConfigsResponse;

struct IncrementalAlterConfigsRequest {
  static constexpr ApiKey kApi = ApiKey::incremental_alter_configs;
  static constexpr std::int16_t kVersionMax = 1;
  static constexpr std::int16_t kFlexibleSince = 1;
  using Response = IncrementalAlterConfigsResponse;

  struct AlterableConfig {
    std::string name;
    std::int8_t config_operation = 0;
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
  bool operator==(const IncrementalAlterConfigsRequest&) const = default;
};

struct IncrementalAlterConfigsResponse {
  static constexpr ApiKey kApi = ApiKey::incremental_alter_configs;
  static constexpr std::int16_t kVersionMax = 1;
  static constexpr std::int16_t kFlexibleSince = 1;

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
  bool operator==(const IncrementalAlterConfigsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
