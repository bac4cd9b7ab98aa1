// DeleteGroups: API key 42, versions 0 to 2, flexible from 2.
// Deletes empty groups.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct DeleteGroupsResponse;

struct DeleteGroupsRequest {
  static constexpr ApiKey kApi = ApiKey::delete_groups;
  static constexpr std::int16_t kVersionMax = 2;
  static constexpr std::int16_t kFlexibleSince = 2;
  using Response = DeleteGroupsResponse;

  std::vector<GroupId> groups_names;

  void describe(Fields& f);
  bool operator==(const DeleteGroupsRequest&) const = default;
};

struct DeleteGroupsResponse {
  static constexpr ApiKey kApi = ApiKey::delete_groups;
  static constexpr std::int16_t kVersionMax = 2;
  static constexpr std::int16_t kFlexibleSince = 2;

  struct DeletableGroupResult {
    GroupId group_id;
    ErrorCode error_code = ErrorCode::none;
    void describe(Fields& f);
    bool operator==(const DeletableGroupResult&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<DeletableGroupResult> results;

  void describe(Fields& f);
  bool operator==(const DeleteGroupsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
