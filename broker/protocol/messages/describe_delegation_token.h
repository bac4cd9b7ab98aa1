// DescribeDelegationToken: API key 41, versions 0 to 3, flexible from 2.
// Lists delegation tokens.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct DescribeDelegationTokenResponse;

struct DescribeDelegationTokenRequest {
  static constexpr ApiKey kApi = ApiKey::describe_delegation_token;
  static constexpr std::int16_t kVersionMax = 3;
  static constexpr std::int16_t kFlexibleSince = 2;
  using Response = DescribeDelegationTokenResponse;

  struct DescribeDelegationTokenOwner {
    std::string principal_type;
    std::string principal_name;
    void describe(Fields& f);
    bool operator==(const DescribeDelegationTokenOwner&) const = default;
  };

  std::optional<std::vector<DescribeDelegationTokenOwner>> owners;

  void describe(Fields& f);
  bool operator==(const DescribeDelegationTokenRequest&) const = default;
};

struct DescribeDelegationTokenResponse {
  static constexpr ApiKey kApi = ApiKey::describe_delegation_token;
  static constexpr std::int16_t kVersionMax = 3;
  static constexpr std::int16_t kFlexibleSince = 2;

  struct DescribedDelegationTokenRenewer {
    std::string principal_type;
    std::string principal_name;
    void describe(Fields& f);
    bool operator==(const DescribedDelegationTokenRenewer&) const = default;
  };

  struct DescribedDelegationToken {
    std::string principal_type;
    std::string principal_name;
    std::string token_requester_principal_type;
    std::string token_requester_principal_name;
    std::int64_t issue_timestamp = 0;
    std::int64_t expiry_timestamp = 0;
    std::int64_t max_timestamp = 0;
    std::string token_id;
    Bytes hmac;
    std::vector<DescribedDelegationTokenRenewer> renewers;
    void describe(Fields& f);
    bool operator==(const DescribedDelegationToken&) const = default;
  };

  ErrorCode error_code = ErrorCode::none;
  std::vector<DescribedDelegationToken> tokens;
  std::int32_t throttle_time_ms = 0;

  void describe(Fields& f);
  bool operator==(const DescribeDelegationTokenResponse&) const = default;
};

}  // namespace tandem::broker::protocol
