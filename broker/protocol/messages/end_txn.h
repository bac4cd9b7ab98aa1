// EndTxn: API key 26, versions 0 to 4, flexible from 3.
// Commits or aborts a transaction.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct EndTxnResponse;

struct EndTxnRequest {
  static constexpr ApiKey kApi = ApiKey::end_txn;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 3;
  using Response = EndTxnResponse;

  TransactionalId transactional_id;
  ProducerId producer_id = 0;
  std::int16_t producer_epoch = 0;
  bool committed = false;

  void describe(Fields& f);
  bool operator==(const EndTxnRequest&) const = default;
};

struct EndTxnResponse {
  static constexpr ApiKey kApi = ApiKey::end_txn;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 3;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;

  void describe(Fields& f);
  bool operator==(const EndTxnResponse&) const = default;
};

}  // namespace tandem::broker::protocol
