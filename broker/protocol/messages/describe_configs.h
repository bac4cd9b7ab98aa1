// DescribeConfigs: API key 32, versions 0 to 4, flexible from 4.
// Configuration of topics and brokers, with sources and synonyms.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct DescribeConfigsResponse;

struct DescribeConfigsRequest {
  static constexpr ApiKey kApi = ApiKey::describe_configs;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 4;
  using Response = DescribeConfigsResponse;

  struct DescribeConfigsResource {
    std::int8_t resource_type = 0;
    std::string resource_name;
    std::optional<std::vector<std::string>> configuration_keys;
    void describe(Fields& f);
    bool operator==(const DescribeConfigsResource&) const = default;
  };

  std::vector<DescribeConfigsResource> resources;
  bool include_synonyms = false;
  bool include_documentation = false;

  void describe(Fields& f);
  bool operator==(const DescribeConfigsRequest&) const = default;
};

struct DescribeConfigsResponse {
  static constexpr ApiKey kApi = ApiKey::describe_configs;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 4;

  struct DescribeConfigsSynonym {
    std::string name;
    std::optional<std::string> value;
    std::int8_t source = 0;
    void describe(Fields& f);
    bool operator==(const DescribeConfigsSynonym&) const = default;
  };

  struct DescribeConfigsResourceResult {
    std::string name;
    std::optional<std::string> value;
    bool read_only = false;
    bool is_default = false;
    std::int8_t config_source = -1;
    bool is_sensitive = false;
    std::vector<DescribeConfigsSynonym> synonyms;
    std::int8_t config_type = 0;
    std::optional<std::string> documentation;
    void describe(Fields& f);
    bool operator==(const DescribeConfigsResourceResult&) const = default;
  };

  struct DescribeConfigsResult {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    std::int8_t resource_type = 0;
    std::string resource_name;
    std::vector<DescribeConfigsResourceResult> configs;
    void describe(Fields& f);
    bool operator==(const DescribeConfigsResult&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<DescribeConfigsResult> results;

  void describe(Fields& f);
  bool operator==(const DescribeConfigsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
