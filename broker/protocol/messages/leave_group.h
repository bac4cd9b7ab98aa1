// LeaveGroup: API key 13, versions 0 to 5, flexible from 4.
// Members leave their group.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct LeaveGroupResponse;

struct LeaveGroupRequest {
  static constexpr ApiKey kApi = ApiKey::leave_group;
  static constexpr std::int16_t kVersionMax = 5;
  static constexpr std::int16_t kFlexibleSince = 4;
  using Response = LeaveGroupResponse;

  struct MemberIdentity {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::optional<std::string> reason;
    void describe(Fields& f);
    bool operator==(const MemberIdentity&) const = default;
  };

  GroupId group_id;
  std::string member_id;
  std::vector<MemberIdentity> members;

  void describe(Fields& f);
  bool operator==(const LeaveGroupRequest&) const = default;
};

struct LeaveGroupResponse {
  static constexpr ApiKey kApi = ApiKey::leave_group;
  static constexpr std::int16_t kVersionMax = 5;
  static constexpr std::int16_t kFlexibleSince = 4;

  struct MemberResponse {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    ErrorCode error_code = ErrorCode::none;
    void describe(Fields& f);
    bool operator==(const MemberResponse&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<MemberResponse> members;

  void describe(Fields& f);
  bool operator==(const LeaveGroupResponse&) const = default;
};

}  // namespace tandem::broker::protocol
