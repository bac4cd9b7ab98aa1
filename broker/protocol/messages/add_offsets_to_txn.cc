#include "broker/protocol/messages/add_offsets_to_txn.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void AddOffsetsToTxnRequest::describe(Fields& f) {
  f("transactional_id", transactional_id);
  f("producer_id", producer_id);
  f("producer_epoch", producer_epoch);
  f("group_id", group_id);
}

void AddOffsetsToTxnResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("error_code", error_code);
}

}  // namespace tandem::broker::protocol
