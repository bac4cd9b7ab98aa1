// CreateDelegationToken: API key 38, versions 0 to 3, flexible from 2.
// Creates a delegation token.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct CreateDelegationTokenResponse;

struct CreateDelegationTokenRequest {
  static constexpr ApiKey kApi = ApiKey::create_delegation_token;
  static constexpr std::int16_t kVersionMax = 3;
  static constexpr std::int16_t kFlexibleSince = 2;
  using Response = CreateDelegationTokenResponse;

  struct CreatableRenewers {
    std::string principal_type;
    std::string principal_name;
    void describe(Fields& f);
    bool operator==(const CreatableRenewers&) const = default;
  };

  std::optional<std::string> owner_principal_type;
  std::optional<std::string> owner_principal_name;
  std::vector<CreatableRenewers> renewers;
  std::int64_t max_lifetime_ms = 0;

  void describe(Fields& f);
  bool operator==(const CreateDelegationTokenRequest&) const = default;
};

struct CreateDelegationTokenResponse {
  static constexpr ApiKey kApi = ApiKey::create_delegation_token;
  static constexpr std::int16_t kVersionMax = 3;
  static constexpr std::int16_t kFlexibleSince = 2;

  ErrorCode error_code = ErrorCode::none;
  std::string principal_type;
  std::string principal_name;
  std::string token_requester_principal_type;
  std::string token_requester_principal_name;
  std::int64_t issue_timestamp_ms = 0;
  std::int64_t expiry_timestamp_ms = 0;
  std::int64_t max_timestamp_ms = 0;
  std::string token_id;
  Bytes hmac;
  std::int32_t throttle_time_ms = 0;

  void describe(Fields& f);
  bool operator==(const CreateDelegationTokenResponse&) const = default;
};

}  // namespace tandem::broker::protocol
