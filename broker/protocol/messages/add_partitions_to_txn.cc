#include "broker/protocol/messages/add_partitions_to_txn.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void AddPartitionsToTxnRequest::AddPartitionsToTxnTopic::describe(Fields& f) {
  f("name", name);
  f("partitions", partitions);
}

void AddPartitionsToTxnRequest::AddPartitionsToTxnTransaction::describe(Fields& f) {
  f("transactional_id", transactional_id, since(4));
  f("producer_id", producer_id, since(4));
  f("producer_epoch", producer_epoch, since(4));
  f("verify_only", verify_only, since(4));
  f("topics", topics, since(4));
}

void AddPartitionsToTxnRequest::describe(Fields& f) {
  f("transactions", transactions, since(4));
  f("v3_and_below_transactional_id", v3_and_below_transactional_id, until(3));
  f("v3_and_below_producer_id", v3_and_below_producer_id, until(3));
  f("v3_and_below_producer_epoch", v3_and_below_producer_epoch, until(3));
  f("v3_and_below_topics", v3_and_below_topics, until(3));
}

void AddPartitionsToTxnResponse::AddPartitionsToTxnPartitionResult::describe(Fields& f) {
  f("partition_index", partition_index);
  f("partition_error_code", partition_error_code);
}

void AddPartitionsToTxnResponse::AddPartitionsToTxnTopicResult::describe(Fields& f) {
  f("name", name);
  f("results_by_partition", results_by_partition);
}

void AddPartitionsToTxnResponse::AddPartitionsToTxnResult::describe(Fields& f) {
  f("transactional_id", transactional_id, since(4));
  f("topic_results", topic_results, since(4));
}

void AddPartitionsToTxnResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("error_code", error_code, since(4));
  f("results_by_transaction", results_by_transaction, since(4));
  f("results_by_topic_v3_and_below", results_by_topic_v3_and_below, until(3));
}

}  // namespace tandem::broker::protocol
