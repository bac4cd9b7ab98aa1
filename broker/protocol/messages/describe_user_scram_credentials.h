// DescribeUserScramCredentials: API key 50, version 0, flexible from 0.
// Lists SCRAM mechanisms of users.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct DescribeUserScramCredentialsResponse;

struct DescribeUserScramCredentialsRequest {
  static constexpr ApiKey kApi = ApiKey::describe_user_scram_credentials;
  static constexpr std::int16_t kVersionMax = 0;
  static constexpr std::int16_t kFlexibleSince = 0;
  using Response = DescribeUserScramCredentialsResponse;

  struct UserName {
    std::string name;
    void describe(Fields& f);
    bool operator==(const UserName&) const = default;
  };

  std::optional<std::vector<UserName>> users;

  void describe(Fields& f);
  bool operator==(const DescribeUserScramCredentialsRequest&) const = default;
};

struct DescribeUserScramCredentialsResponse {
  static constexpr ApiKey kApi = ApiKey::describe_user_scram_credentials;
  static constexpr std::int16_t kVersionMax = 0;
  static constexpr std::int16_t kFlexibleSince = 0;

  struct CredentialInfo {
    std::int8_t mechanism = 0;
    std::int32_t iterations = 0;
    void describe(Fields& f);
    bool operator==(const CredentialInfo&) const = default;
  };

  struct DescribeUserScramCredentialsResult {
    std::string user;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    std::vector<CredentialInfo> credential_infos;
    void describe(Fields& f);
    bool operator==(const DescribeUserScramCredentialsResult&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> error_message;
  std::vector<DescribeUserScramCredentialsResult> results;

  void describe(Fields& f);
  bool operator==(const DescribeUserScramCredentialsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
