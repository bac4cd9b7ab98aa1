// DescribeGroups: API key 15, versions 0 to 5, flexible from 5.
// State and members of groups.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct DescribeGroupsResponse;

struct DescribeGroupsRequest {
  static constexpr ApiKey kApi = ApiKey::describe_groups;
  static constexpr std::int16_t kVersionMax = 5;
  static constexpr std::int16_t kFlexibleSince = 5;
  using Response = DescribeGroupsResponse;

  std::vector<GroupId> groups;
  bool include_authorized_operations = false;

  void describe(Fields& f);
  bool operator==(const DescribeGroupsRequest&) const = default;
};

struct DescribeGroupsResponse {
  static constexpr ApiKey kApi = ApiKey::describe_groups;
  static constexpr std::int16_t kVersionMax = 5;
  static constexpr std::int16_t kFlexibleSince = 5;

  struct DescribedGroupMember {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::string client_id;
    std::string client_host;
    Bytes member_metadata;
    Bytes member_assignment;
    void describe(Fields& f);
    bool operator==(const DescribedGroupMember&) const = default;
  };

  struct DescribedGroup {
    ErrorCode error_code = ErrorCode::none;
    GroupId group_id;
    std::string group_state;
    std::string protocol_type;
    std::string protocol_data;
    std::vector<DescribedGroupMember> members;
    std::int32_t authorized_operations = -2147483648;
    void describe(Fields& f);
    bool operator==(const DescribedGroup&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<DescribedGroup> groups;

  void describe(Fields& f);
  bool operator==(const DescribeGroupsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
