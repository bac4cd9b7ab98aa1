#include "broker/protocol/messages/describe_transactions.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void DescribeTransactionsRequest::describe(Fields& f) { f("transactional_ids", transactional_ids); }

void DescribeTransactionsResponse::TopicData::describe(Fields& f) {
  f("topic", topic);
  f("partitions", partitions);
}

void DescribeTransactionsResponse::TransactionState::describe(Fields& f) {
  f("error_code", error_code);
  f("transactional_id", transactional_id);
  f("transaction_state", transaction_state);
  f("transaction_timeout_ms", transaction_timeout_ms);
  f("transaction_start_time_ms", transaction_start_time_ms);
  f("producer_id", producer_id);
  f("producer_epoch", producer_epoch);
  f("topics", topics);
}

void DescribeTransactionsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("transaction_states", transaction_states);
}

}  // namespace tandem::broker::protocol
