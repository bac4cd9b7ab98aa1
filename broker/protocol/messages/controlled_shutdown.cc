#include "broker/protocol/messages/controlled_shutdown.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void ControlledShutdownRequest::describe(Fields& f) {
  f("broker_id", broker_id);
  f("broker_epoch", broker_epoch, since(2));
}

void ControlledShutdownResponse::RemainingPartition::describe(Fields& f) {
  f("topic_name", topic_name);
  f("partition_index", partition_index);
}

void ControlledShutdownResponse::describe(Fields& f) {
  f("error_code", error_code);
  f("remaining_partitions", remaining_partitions);
}

}  // namespace tandem::broker::protocol
