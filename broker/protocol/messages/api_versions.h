// ApiVersions: API key 18, versions 0 to 4, flexible from 3.
// The APIs and versions that a broker serves, and its features.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct ApiVersionsResponse;

struct ApiVersionsRequest {
  static constexpr ApiKey kApi = ApiKey::api_versions;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 3;
  using Response = ApiVersionsResponse;

  std::string client_software_name;
  std::string client_software_version;

  void describe(Fields& f);
  bool operator==(const ApiVersionsRequest&) const = default;
};

struct ApiVersionsResponse {
  static constexpr ApiKey kApi = ApiKey::api_versions;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 3;

  struct ApiVersion {
    std::int16_t api_key = 0;
    std::int16_t min_version = 0;
    std::int16_t max_version = 0;
    void describe(Fields& f);
    bool operator==(const ApiVersion&) const = default;
  };

  struct SupportedFeatureKey {
    std::string name;
    std::int16_t min_version = 0;
    std::int16_t max_version = 0;
    void describe(Fields& f);
    bool operator==(const SupportedFeatureKey&) const = default;
  };

  struct FinalizedFeatureKey {
    std::string name;
    std::int16_t max_version_level = 0;
    std::int16_t min_version_level = 0;
    void describe(Fields& f);
    bool operator==(const FinalizedFeatureKey&) const = default;
  };

  ErrorCode error_code = ErrorCode::none;
  std::vector<ApiVersion> api_keys;
  std::int32_t throttle_time_ms = 0;
  std::vector<SupportedFeatureKey> supported_features;
  std::int64_t finalized_features_epoch = -1;
  std::vector<FinalizedFeatureKey> finalized_features;
  bool zk_migration_ready = false;

  void describe(Fields& f);
  bool operator==(const ApiVersionsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
