// AddPartitionsToTxn: API key 24, versions 0 to 5, flexible from 3.
// Adds partitions to transactions.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct AddPartitionsToTxnResponse;

struct AddPartitionsToTxnRequest {
  static constexpr ApiKey kApi = ApiKey::add_partitions_to_txn;
  static constexpr std::int16_t kVersionMax = 5;
  static constexpr std::int16_t kFlexibleSince = 3;
  using Response = AddPartitionsToTxnResponse;

  struct AddPartitionsToTxnTopic {
    TopicName name;
    std::vector<std::int32_t> partitions;
    void describe(Fields& f);
    bool operator==(const AddPartitionsToTxnTopic&) const = default;
  };

  struct AddPartitionsToTxnTransaction {
    TransactionalId transactional_id;
    ProducerId producer_id = 0;
    std::int16_t producer_epoch = 0;
    bool verify_only = false;
    std::vector<AddPartitionsToTxnTopic> topics;
    void describe(Fields& f);
    bool operator==(const AddPartitionsToTxnTransaction&) const = default;
  };

  std::vector<AddPartitionsToTxnTransaction> transactions;
  TransactionalId v3_and_below_transactional_id;
  ProducerId v3_and_below_producer_id = 0;
  std::int16_t v3_and_below_producer_epoch = 0;
  std::vector<AddPartitionsToTxnTopic> v3_and_below_topics;

  void describe(Fields& f);
  bool operator==(const AddPartitionsToTxnRequest&) const = default;
};

struct AddPartitionsToTxnResponse {
  static constexpr ApiKey kApi = ApiKey::add_partitions_to_txn;
  static constexpr std::int16_t kVersionMax = 5;
  static constexpr std::int16_t kFlexibleSince = 3;

  struct AddPartitionsToTxnPartitionResult {
    std::int32_t partition_index = 0;
    ErrorCode partition_error_code = ErrorCode::none;
    void describe(Fields& f);
    bool operator==(const AddPartitionsToTxnPartitionResult&) const = default;
  };

  struct AddPartitionsToTxnTopicResult {
    TopicName name;
    std::vector<AddPartitionsToTxnPartitionResult> results_by_partition;
    void describe(Fields& f);
    bool operator==(const AddPartitionsToTxnTopicResult&) const = default;
  };

  struct AddPartitionsToTxnResult {
    TransactionalId transactional_id;
    std::vector<AddPartitionsToTxnTopicResult> topic_results;
    void describe(Fields& f);
    bool operator==(const AddPartitionsToTxnResult&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::vector<AddPartitionsToTxnResult> results_by_transaction;
  std::vector<AddPartitionsToTxnTopicResult> results_by_topic_v3_and_below;

  void describe(Fields& f);
  bool operator==(const AddPartitionsToTxnResponse&) const = default;
};

}  // namespace tandem::broker::protocol
