// FindCoordinator: API key 10, versions 0 to 6, flexible from 3.
// Which broker coordinates a group or a transactional id.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct FindCoordinatorResponse;

struct FindCoordinatorRequest {
  static constexpr ApiKey kApi = ApiKey::find_coordinator;
  static constexpr std::int16_t kVersionMax = 6;
  static constexpr std::int16_t kFlexibleSince = 3;
  using Response = FindCoordinatorResponse;

  std::string key;
  std::int8_t key_type = 0;
  std::vector<std::string> coordinator_keys;

  void describe(Fields& f);
  bool operator==(const FindCoordinatorRequest&) const = default;
};

struct FindCoordinatorResponse {
  static constexpr ApiKey kApi = ApiKey::find_coordinator;
  static constexpr std::int16_t kVersionMax = 6;
  static constexpr std::int16_t kFlexibleSince = 3;

  struct Coordinator {
    std::string key;
    BrokerId node_id = 0;
    std::string host;
    std::int32_t port = 0;
    ErrorCode error_code = ErrorCode::none;
    std::optional<std::string> error_message;
    void describe(Fields& f);
    bool operator==(const Coordinator&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> error_message;
  BrokerId node_id = 0;
  std::string host;
  std::int32_t port = 0;
  std::vector<Coordinator> coordinators;

  void describe(Fields& f);
  bool operator==(const FindCoordinatorResponse&) const = default;
};

}  // namespace tandem::broker::protocol
