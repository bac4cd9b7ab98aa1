// Heartbeat: API key 12, versions 0 to 4, flexible from 4.
// Keeps a member in its group and tells it of a rebalance.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct HeartbeatResponse;

struct HeartbeatRequest {
  static constexpr ApiKey kApi = ApiKey::heartbeat;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 4;
  using Response = HeartbeatResponse;

  GroupId group_id;
  std::int32_t generation_id = 0;
  std::string member_id;
  std::optional<std::string> group_instance_id;

  void describe(Fields& f);
  bool operator==(const HeartbeatRequest&) const = default;
};

struct HeartbeatResponse {
  static constexpr ApiKey kApi = ApiKey::heartbeat;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 4;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;

  void describe(Fields& f);
  bool operator==(const HeartbeatResponse&) const = default;
};

}  // namespace tandem::broker::protocol
