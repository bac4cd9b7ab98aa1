// ListTransactions: API key 66, versions 0 to 1, flexible from 0.
// The transactions that a broker coordinates.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct ListTransactionsResponse;

struct ListTransactionsRequest {
  static constexpr ApiKey kApi = ApiKey::list_transactions;
  static constexpr std::int16_t kVersionMax = 1;
  static constexpr std::int16_t kFlexibleSince = 0;
  using Response = ListTransactionsResponse;

  std::vector<std::string> state_filters;
  std::vector<ProducerId> producer_id_filters;
  std::int64_t duration_filter = -1;

  void describe(Fields& f);
  bool operator==(const ListTransactionsRequest&) const = default;
};

struct ListTransactionsResponse {
  static constexpr ApiKey kApi = ApiKey::list_transactions;
  static constexpr std::int16_t kVersionMax = 1;
  static constexpr std::int16_t kFlexibleSince = 0;

  struct TransactionState {
    TransactionalId transactional_id;
    ProducerId producer_id = 0;
    std::string transaction_state;
    void describe(Fields& f);
    bool operator==(const TransactionState&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<std::string> unknown_state_filters;
  std::vector<TransactionState> transaction_states;

  void describe(Fields& f);
  bool operator==(const ListTransactionsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
