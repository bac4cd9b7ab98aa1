#include "broker/protocol/messages/offset_delete.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void OffsetDeleteRequest::OffsetDeleteRequestPartition::describe(Fields& f) {
  f("partition_index", partition_index);
}

void OffsetDeleteRequest::OffsetDeleteRequestTopic::describe(Fields& f) {
  f("name", name);
  f("partitions", partitions);
}

void OffsetDeleteRequest::describe(Fields& f) {
  f("group_id", group_id);
  f("topics", topics);
}

void OffsetDeleteResponse::OffsetDeleteResponsePartition::describe(Fields& f) {
  f("partition_index", partition_index);
  f("error_code", error_code);
}

void OffsetDeleteResponse::OffsetDeleteResponseTopic::describe(Fields& f) {
  f("name", name);
  f("partitions", partitions);
}

void OffsetDeleteResponse::describe(Fields& f) {
  f("error_code", error_code);
  f("throttle_time_ms", throttle_time_ms);
  f("topics", topics);
}

}  // namespace tandem::broker::protocol
