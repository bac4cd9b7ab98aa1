// SyncGroup: API key 14, versions 0 to 5, flexible from 4.
// The leader hands in the assignment; every member gets its part.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct SyncGroupResponse;

struct SyncGroupRequest {
  static constexpr ApiKey kApi = ApiKey::sync_group;
  static constexpr std::int16_t kVersionMax = 5;
  static constexpr std::int16_t kFlexibleSince = 4;
  using Response = SyncGroupResponse;

  struct SyncGroupRequestAssignment {
    std::string member_id;
    Bytes assignment;
    void describe(Fields& f);
    bool operator==(const SyncGroupRequestAssignment&) const = default;
  };

  GroupId group_id;
  std::int32_t generation_id = 0;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  std::vector<SyncGroupRequestAssignment> assignments;

  void describe(Fields& f);
  bool operator==(const SyncGroupRequest&) const = default;
};

struct SyncGroupResponse {
  static constexpr ApiKey kApi = ApiKey::sync_group;
  static constexpr std::int16_t kVersionMax = 5;
  static constexpr std::int16_t kFlexibleSince = 4;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  Bytes assignment;

  void describe(Fields& f);
  bool operator==(const SyncGroupResponse&) const = default;
};

}  // namespace tandem::broker::protocol
