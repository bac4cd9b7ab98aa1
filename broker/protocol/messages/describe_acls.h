// DescribeAcls: API key 29, versions 0 to 3, flexible from 2.
// Lists access control entries.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct DescribeAclsResponse;

struct DescribeAclsRequest {
  static constexpr ApiKey kApi = ApiKey::describe_acls;
  static constexpr std::int16_t kVersionMax = 3;
  static constexpr std::int16_t kFlexibleSince = 2;
  using Response = DescribeAclsResponse;

  std::int8_t resource_type_filter = 0;
  std::optional<std::string> resource_name_filter;
  std::int8_t pattern_type_filter = 3;
  std::optional<std::string> principal_filter;
  std::optional<std::string> host_filter;
  std::int8_t operation = 0;
  std::int8_t permission_type = 0;

  void describe(Fields& f);
  bool operator==(const DescribeAclsRequest&) const = default;
};

struct DescribeAclsResponse {
  static constexpr ApiKey kApi = ApiKey::describe_acls;
  static constexpr std::int16_t kVersionMax = 3;
  static constexpr std::int16_t kFlexibleSince = 2;

  struct AclDescription {
    std::string principal;
    std::string host;
    std::int8_t operation = 0;
    std::int8_t permission_type = 0;
    void describe(Fields& f);
    bool operator==(const AclDescription&) const = default;
  };

  struct DescribeAclsResource {
    std::int8_t resource_type = 0;
    std::string resource_name;
    std::int8_t pattern_type = 3;
    std::vector<AclDescription> acls;
    void describe(Fields& f);
    bool operator==(const DescribeAclsResource&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> error_message;
  std::vector<DescribeAclsResource> resources;

  void describe(Fields& f);
  bool operator==(const DescribeAclsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
