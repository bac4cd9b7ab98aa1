#include "broker/protocol/messages/init_producer_id.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void InitProducerIdRequest::describe(Fields& f) {
  f("transactional_id", transactional_id);
  f("transaction_timeout_ms", transaction_timeout_ms);
  f("producer_id", producer_id, since(3));
  f("producer_epoch", producer_epoch, since(3));
}

void InitProducerIdResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("error_code", error_code);
  f("producer_id", producer_id);
  f("producer_epoch", producer_epoch);
}

}  // namespace tandem::broker::protocol
