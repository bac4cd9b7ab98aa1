// AllocateProducerIds: API key 67, version 0, flexible from 0.
// A broker gets a block of producer ids from the controller.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct AllocateProducerIdsResponse;

struct AllocateProducerIdsRequest {
  static constexpr ApiKey kApi = ApiKey::allocate_producer_ids;
  static constexpr std::int16_t kVersionMax = 0;
  static constexpr std::int16_t kFlexibleSince = 0;
  using Response = AllocateProducerIdsResponse;

  BrokerId broker_id = 0;
  std::int64_t broker_epoch = -1;

  void describe(Fields& f);
  bool operator==(const AllocateProducerIdsRequest&) const = default;
};

struct AllocateProducerIdsResponse {
  static constexpr ApiKey kApi = ApiKey::allocate_producer_ids;
  static constexpr std::int16_t kVersionMax = 0;
  static constexpr std::int16_t kFlexibleSince = 0;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  ProducerId producer_id_start = 0;
  std::int32_t producer_id_len = 0;

  void describe(Fields& f);
  bool operator==(const AllocateProducerIdsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
