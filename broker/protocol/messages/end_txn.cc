#include "broker/protocol/messages/end_txn.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void EndTxnRequest::describe(Fields& f) {
  f("transactional_id", transactional_id);
  f("producer_id", producer_id);
  f("producer_epoch", producer_epoch);
  f("committed", committed);
}

void EndTxnResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("error_code", error_code);
}

}  // namespace tandem::broker::protocol
