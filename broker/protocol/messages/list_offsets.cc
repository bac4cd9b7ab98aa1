#include "broker/protocol/messages/list_offsets.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void ListOffsetsRequest::ListOffsetsPartition::describe(Fields& f) {
  f("partition_index", partition_index);
  f("current_leader_epoch", current_leader_epoch, since(4));
  f("timestamp", timestamp);
  f("max_num_offsets", max_num_offsets, until(0));
}

void ListOffsetsRequest::ListOffsetsTopic::describe(Fields& f) {
  f("name", name);
  f("partitions", partitions);
}

void ListOffsetsRequest::describe(Fields& f) {
  f("replica_id", replica_id);
  f("isolation_level", isolation_level, since(2));
  f("topics", topics);
}

void ListOffsetsResponse::ListOffsetsPartitionResponse::describe(Fields& f) {
  f("partition_index", partition_index);
  f("error_code", error_code);
  f("old_style_offsets", old_style_offsets, until(0));
  f("timestamp", timestamp, since(1));
  f("offset", offset, since(1));
  f("leader_epoch", leader_epoch, since(4));
}

void ListOffsetsResponse::ListOffsetsTopicResponse::describe(Fields& f) {
  f("name", name);
  f("partitions", partitions);
}

void ListOffsetsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms, since(2));
  f("topics", topics);
}

}  // namespace tandem::broker::protocol
