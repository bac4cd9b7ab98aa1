// ExpireDelegationToken: API key 40, versions 0 to 2, flexible from 2.
// Ends a delegation token.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct ExpireDelegationTokenResponse;

struct ExpireDelegationTokenRequest {
  static constexpr ApiKey kApi = ApiKey::expire_delegation_token;
  static constexpr std::int16_t kVersionMax = 2;
  static constexpr std::int16_t kFlexibleSince = 2;
  using Response = ExpireDelegationTokenResponse;

  Bytes hmac;
  std::int64_t expiry_time_period_ms = 0;

  void describe(Fields& f);
  bool operator==(const ExpireDelegationTokenRequest&) const = default;
};

struct ExpireDelegationTokenResponse {
  static constexpr ApiKey kApi = ApiKey::expire_delegation_token;
  static constexpr std::int16_t kVersionMax = 2;
  static constexpr std::int16_t kFlexibleSince = 2;

  ErrorCode error_code = ErrorCode::none;
  std::int64_t expiry_timestamp_ms = 0;
  std::int32_t throttle_time_ms = 0;

  void describe(Fields& f);
  bool operator==(const ExpireDelegationTokenResponse&) const = default;
};

}  // namespace tandem::broker::protocol
