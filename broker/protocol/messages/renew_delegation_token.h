// RenewDelegationToken: API key 39, versions 0 to 2, flexible from 2.
// Prolongs a delegation token.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct RenewDelegationTokenResponse;

struct RenewDelegationTokenRequest {
  static constexpr ApiKey kApi = ApiKey::renew_delegation_token;
  static constexpr std::int16_t kVersionMax = 2;
  static constexpr std::int16_t kFlexibleSince = 2;
  using Response = RenewDelegationTokenResponse;

  Bytes hmac;
  std::int64_t renew_period_ms = 0;

  void describe(Fields& f);
  bool operator==(const RenewDelegationTokenRequest&) const = default;
};

struct RenewDelegationTokenResponse {
  static constexpr ApiKey kApi = ApiKey::renew_delegation_token;
  static constexpr std::int16_t kVersionMax = 2;
  static constexpr std::int16_t kFlexibleSince = 2;

  ErrorCode error_code = ErrorCode::none;
  std::int64_t expiry_timestamp_ms = 0;
  std::int32_t throttle_time_ms = 0;

  void describe(Fields& f);
  bool operator==(const RenewDelegationTokenResponse&) const = default;
};

}  // namespace tandem::broker::protocol
