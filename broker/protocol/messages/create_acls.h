// CreateAcls: API key 30, versions 0 to 3, flexible from 2.
// Creates access control entries.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct CreateAclsResponse;

struct CreateAclsRequest {
  static constexpr ApiKey kApi = ApiKey::create_acls;
  static constexpr std::int16_t kVersionMax = 3;
  static constexpr std::int16_t kFlexibleSince = 2;
  using Response = CreateAclsResponse;

  struct AclCreation {
    std::int8_t resource_type = 0;
    std::string resource_name;
    std::int8_t resource_pattern_type = 3;
    std::string principal;
    std::string host;
    std::int8_t operation = 0;
    std::int8_t permission_type = 0;
    void describe(Fields& f);
    bool operator==(const AclCreation&) const = default;
  };

  std::vector<AclCreation> creations;

  void describe(Fields& f);
  bool operator==(const CreateAclsRequest&) const = default;
};

struct CreateAclsResponse {
  static constexpr ApiKey kApi = ApiKey::create_acls;
  static constexpr std::int16_t kVersionMax = 3;
  static constexpr std::int16_t kFlexibleSince = 2;

  struct AclCreationResult {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    void describe(Fields& f);
    bool operator==(const AclCreationResult&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<AclCreationResult> results;

  void describe(Fields& f);
  bool operator==(const CreateAclsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
