#include "broker/protocol/messages/allocate_producer_ids.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void AllocateProducerIdsRequest::describe(Fields& f) {
  f("broker_id", broker_id);
  f("broker_epoch", broker_epoch);
}

void AllocateProducerIdsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("error_code", error_code);
  f("producer_id_start", producer_id_start);
  f("producer_id_len", producer_id_len);
}

}  // namespace tandem::broker::protocol
