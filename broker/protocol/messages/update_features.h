// UpdateFeatures: API key 57, versions 0 to 1, flexible from 0.
// Changes finalized features.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct UpdateFeaturesResponse;

struct UpdateFeaturesRequest {
  static constexpr ApiKey kApi = ApiKey::update_features;
  static constexpr std::int16_t kVersionMax = 1;
  static constexpr std::int16_t kFlexibleSince = 0;
  using Response = UpdateFeaturesResponse;

  struct FeatureUpdateKey {
    std::string feature;
    std::int16_t max_version_level = 0;
    bool allow_downgrade = false;
    std::int8_t upgrade_type = 1;
    void describe(Fields& f);
    bool operator==(const FeatureUpdateKey&) const = default;
  };

  std::int32_t timeout_ms = 60000;
  std::vector<FeatureUpdateKey> feature_updates;
  bool validate_only = false;

  void describe(Fields& f);
  bool operator==(const UpdateFeaturesRequest&) const = default;
};

struct UpdateFeaturesResponse {
  static constexpr ApiKey kApi = ApiKey::update_features;
  static constexpr std::int16_t kVersionMax = 1;
  static constexpr std::int16_t kFlexibleSince = 0;

  struct UpdatableFeatureResult {
    std::string feature;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    void describe(Fields& f);
    bool operator==(const UpdatableFeatureResult&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> error_message;
  std::vector<UpdatableFeatureResult> results;

  void describe(Fields& f);
  bool operator==(const UpdateFeaturesResponse&) const = default;
};

}  // namespace tandem::broker::protocol
