// DeleteAcls: API key 31, versions 0 to 3, flexible from 2.
// Deletes the access control entries that filters match.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct DeleteAclsResponse;

struct DeleteAclsRequest {
  static constexpr ApiKey kApi = ApiKey::delete_acls;
  static constexpr std::int16_t kVersionMax = 3;
  static constexpr std::int16_t kFlexibleSince = 2;
  using Response = DeleteAclsResponse;

  struct DeleteAclsFilter {
    std::int8_t resource_type_filter = 0;
    std::optional<std::string> resource_name_filter;
    std::int8_t pattern_type_filter = 3;
    std::optional<std::string> principal_filter;
    std::optional<std::string> host_filter;
    std::int8_t operation = 0;
    std::int8_t permission_type = 0;
    void describe(Fields& f);
    bool operator==(const DeleteAclsFilter&) const = default;
  };

  std::vector<DeleteAclsFilter> filters;

  void describe(Fields& f);
  bool operator==(const DeleteAclsRequest&) const = default;
};

struct DeleteAclsResponse {
  static constexpr ApiKey kApi = ApiKey::delete_acls;
  static constexpr std::int16_t kVersionMax = 3;
  static constexpr std::int16_t kFlexibleSince = 2;

  struct DeleteAclsMatchingAcl {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    std::int8_t resource_type = 0;
    std::string resource_name;
    std::int8_t pattern_type = 3;
    std::string principal;
    std::string host;
    std::int8_t operation = 0;
    std::int8_t permission_type = 0;
    void describe(Fields& f);
    bool operator==(const DeleteAclsMatchingAcl&) const = default;
  };

  struct DeleteAclsFilterResult {
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    std::vector<DeleteAclsMatchingAcl> matching_acls;
    void describe(Fields& f);
    bool operator==(const DeleteAclsFilterResult&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<DeleteAclsFilterResult> filter_results;

  void describe(Fields& f);
  bool operator==(const DeleteAclsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
