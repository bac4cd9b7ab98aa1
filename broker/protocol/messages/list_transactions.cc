#include "broker/protocol/messages/list_transactions.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void ListTransactionsRequest::describe(Fields& f) {
  f("state_filters", state_filters);
  f("producer_id_filters", producer_id_filters);
  f("duration_filter", duration_filter, since(1));
}

void ListTransactionsResponse::TransactionState::describe(Fields& f) {
  f("transactional_id", transactional_id);
  f("producer_id", producer_id);
  f("transaction_state", transaction_state);
}

void ListTransactionsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("error_code", error_code);
  f("unknown_state_filters", unknown_state_filters);
  f("transaction_states", transaction_states);
}

}  // namespace tandem::broker::protocol
