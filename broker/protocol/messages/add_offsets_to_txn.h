// AddOffsetsToTxn: API key 25, versions 0 to 4, flexible from 3.
// Adds the offsets of a group to a transaction.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct AddOffsetsToTxnResponse;

struct AddOffsetsToTxnRequest {
  static constexpr ApiKey kApi = ApiKey::add_offsets_to_txn;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 3;
  using Response = AddOffsetsToTxnResponse;

  TransactionalId transactional_id;
  ProducerId producer_id = 0;
  std::int16_t producer_epoch = 0;
  GroupId group_id;

  void describe(Fields& f);
  bool operator==(const AddOffsetsToTxnRequest&) const = default;
};

struct AddOffsetsToTxnResponse {
  static constexpr ApiKey kApi = ApiKey::add_offsets_to_txn;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 3;

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;

  void describe(Fields& f);
  bool operator==(const AddOffsetsToTxnResponse&) const = default;
};

}  // namespace tandem::broker::protocol
