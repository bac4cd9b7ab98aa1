// InitProducerId: API key 22, versions 0 to 5, flexible from 2.
// A producer id and epoch for an idempotent or transactional producer.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct InitProducerIdResponse;

struct InitProducerIdRequest {
  static constexpr ApiKey kApi = ApiKey::init_producer_id;
  static constexpr std::int16_t kVersionMax = 5;
  static constexpr std::int16_t kFlexibleSince = 2;
  using Response = InitProducerIdResponse;

  std::optional<TransactionalId> transactional_id;
  std::int32_t transaction_timeout_ms = 0;
  ProducerId producer_id = -1;
  std::int16_t producer_epoch = -1;

  void describe(Fields& f);
  bool operator==(const InitProducerIdRequest&) const = default;
};

struct InitProducerIdResponse {
  static constexpr ApiKey kApi = ApiKey::init_producer_id;
  static constexpr std::int16_t kVersionMax = 5;
  static constexpr std::int16_t kFlexibleSince = 2;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  ProducerId producer_id = -1;
  std::int16_t producer_epoch = 0;

  void describe(Fields& f);
  bool operator==(const InitProducerIdResponse&) const = default;
};

}  // namespace tandem::broker::protocol
