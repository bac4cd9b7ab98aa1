// AlterUserScramCredentials: API key 51, version 0, flexible from 0.
// Changes SCRAM credentials of users.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct AlterUserScramCredentialsResponse;

struct AlterUserScramCredentialsRequest {
  static constexpr ApiKey kApi = ApiKey::alter_user_scram_credentials;
  static constexpr std::int16_t kVersionMax = 0;
  static constexpr std::int16_t kFlexibleSince = 0;
  using Response = AlterUserScramCredentialsResponse;

  struct ScramCredentialDeletion {
    std::string name;
    std::int8_t mechanism = 0;
    void describe(Fields& f);
    bool operator==(const ScramCredentialDeletion&) const = default;
  };

  struct ScramCredentialUpsertion {
    std::string name;
    std::int8_t mechanism = 0;
    std::int32_t iterations = 0;
    Bytes salt;
    Bytes salted_password;
    void describe(Fields& f);
    bool operator==(const ScramCredentialUpsertion&) const = default;
  };

  std::vector<ScramCredentialDeletion> deletions;
  std::vector<ScramCredentialUpsertion> upsertions;

  void describe(Fields& f);
  bool operator==(const AlterUserScramCredentialsRequest&) const = default;
};

struct AlterUserScramCredentialsResponse {
  static constexpr ApiKey kApi = ApiKey::alter_user_scram_credentials;
  static constexpr std::int16_t kVersionMax = 0;
  static constexpr std::int16_t kFlexibleSince = 0;

  struct AlterUserScramCredentialsResult {
    std::string user;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    void describe(Fields& f);
    bool operator==(const AlterUserScramCredentialsResult&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<AlterUserScramCredentialsResult> results;

  void describe(Fields& f);
  bool operator==(const AlterUserScramCredentialsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
