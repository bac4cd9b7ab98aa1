// ControlledShutdown: API key 7, versions 0 to 3, flexible from 3.
// A broker asks the controller to move leaders away before it stops.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct ControlledShutdownResponse;

struct ControlledShutdownRequest {
  static constexpr ApiKey kApi = ApiKey::controlled_shutdown;
  static constexpr std::int16_t kVersionMax = 3;
  static constexpr std::int16_t kFlexibleSince = 3;
  using Response = ControlledShutdownResponse;

  BrokerId broker_id = 0;
  std::int64_t broker_epoch = -1;

  void describe(Fields& f);
  bool operator==(const ControlledShutdownRequest&) const = default;
};

struct ControlledShutdownResponse {
  static constexpr ApiKey kApi = ApiKey::controlled_shutdown;
  static constexpr std::int16_t kVersionMax = 3;
  static constexpr std::int16_t kFlexibleSince = 3;

  struct RemainingPartition {
    TopicName topic_name;
    std::int32_t partition_index = 0;
    void describe(Fields& f);
    bool operator==(const RemainingPartition&) const = default;
  };

  ErrorCode error_code = ErrorCode::none;
  std::vector<RemainingPartition> remaining_partitions;

  void describe(Fields& f);
  bool operator==(const ControlledShutdownResponse&) const = default;
};

}  // namespace tandem::broker::protocol
