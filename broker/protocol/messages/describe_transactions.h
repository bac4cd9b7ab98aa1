// DescribeTransactions: API key 65, version 0, flexible from 0.
// State of transactions.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct DescribeTransactionsResponse;

struct DescribeTransactionsRequest {
  static constexpr ApiKey kApi = ApiKey::describe_transactions;
  static constexpr std::int16_t kVersionMax = 0;
  static constexpr std::int16_t kFlexibleSince = 0;
  using Response = DescribeTransactionsResponse;

  std::vector<TransactionalId> transactional_ids;

  void describe(Fields& f);
  bool operator==(const DescribeTransactionsRequest&) const = default;
};

struct DescribeTransactionsResponse {
  static constexpr ApiKey kApi = ApiKey::describe_transactions;
  static constexpr std::int16_t kVersionMax = 0;
  static constexpr std::int16_t kFlexibleSince = 0;

  struct TopicData {
    TopicName topic;
    std::vector<std::int32_t> partitions;
    void describe(Fields& f);
    bool operator==(const TopicData&) const = default;
  };

  struct TransactionState {
    ErrorCode error_code = ErrorCode::none;
    TransactionalId transactional_id;
    std::string transaction_state;
    std::int32_t transaction_timeout_ms = 0;
    std::int64_t transaction_start_time_ms = 0;
    ProducerId producer_id = 0;
    std::int16_t producer_epoch = 0;
    std::vector<TopicData> topics;
    void describe(Fields& f);
    bool operator==(const TransactionState&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<TransactionState> transaction_states;

  void describe(Fields& f);
  bool operator==(const DescribeTransactionsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
