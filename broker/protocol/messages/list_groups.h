// ListGroups: API key 16, versions 0 to 5, flexible from 3.
// The groups that a broker coordinates.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct ListGroupsResponse;

struct ListGroupsRequest {
  static constexpr ApiKey kApi = ApiKey::list_groups;
  static constexpr std::int16_t kVersionMax = 5;
  static constexpr std::int16_t kFlexibleSince = 3;
  using Response = ListGroupsResponse;

  std::vector<std::string> states_filter;
  std::vector<std::string> types_filter;

  void describe(Fields& f);
  bool operator==(const ListGroupsRequest&) const = default;
};

struct ListGroupsResponse {
  static constexpr ApiKey kApi = ApiKey::list_groups;
  static constexpr std::int16_t kVersionMax = 5;
  static constexpr std::int16_t kFlexibleSince = 3;

  struct ListedGroup {
    GroupId group_id;
    std::string protocol_type;
    std::string group_state;
    std::string group_type;
    void describe(Fields& f);
    bool operator==(const ListedGroup&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<ListedGroup> groups;

  void describe(Fields& f);
  bool operator==(const ListGroupsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
