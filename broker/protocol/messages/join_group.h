// JoinGroup: API key 11, versions 0 to 9, flexible from 6.
// A member enters a rebalance of its group.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct JoinGroupResponse;

struct JoinGroupRequest {
  static constexpr ApiKey kApi = ApiKey::join_group;
  static constexpr std::int16_t kVersionMax = 9;
  static constexpr std::int16_t kFlexibleSince = 6;
  using Response = JoinGroupResponse;

  struct JoinGroupRequestProtocol {
    std::string name;
    Bytes metadata;
    void describe(Fields& f);
    bool operator==(const JoinGroupRequestProtocol&) const = default;
  };

  GroupId group_id;
  std::int32_t session_timeout_ms = 0;
  std::int32_t rebalance_timeout_ms = -1;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  std::string protocol_type;
  std::vector<JoinGroupRequestProtocol> protocols;
  std::optional<std::string> reason;

  void describe(Fields& f);
  bool operator==(const JoinGroupRequest&) const = default;
};

struct JoinGroupResponse {
  static constexpr ApiKey kApi = ApiKey::join_group;
  static constexpr std::int16_t kVersionMax = 9;
  static constexpr std::int16_t kFlexibleSince = 6;

  struct JoinGroupResponseMember {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    Bytes metadata;
    void describe(Fields& f);
    bool operator==(const JoinGroupResponseMember&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::int32_t generation_id = -1;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  std::string leader;
  bool skip_assignment = false;
  std::string member_id;
  std::vector<JoinGroupResponseMember> members;

  void describe(Fields& f);
  bool operator==(const JoinGroupResponse&) const = default;
};

}  // namespace tandem::broker::protocol
