#include "broker/protocol/messages/alter_partition_reassignments.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void AlterPartitionReassignmentsRequest::ReassignablePartition::describe(Fields& f) {
  f("partition_index", partition_index);
  f("replicas", replicas);
}

void AlterPartitionReassignmentsRequest::ReassignableTopic::describe(Fields& f) {
  f("name", name);
  f("partitions", partitions);
}

void AlterPartitionReassignmentsRequest::describe(Fields& f) {
  f("timeout_ms", timeout_ms);
  f("topics", topics);
}

void AlterPartitionReassignmentsResponse::ReassignablePartitionResponse::describe(Fields& f) {
  f("partition_index", partition_index);
  f("error_code", error_code);
  f("error_message", error_message);
}

void AlterPartitionReassignmentsResponse::ReassignableTopicResponse::describe(Fields& f) {
  f("name", name);
  f("partitions", partitions);
}

void AlterPartitionReassignmentsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("error_code", error_code);
  f("error_message", error_message);
  f("responses", responses);
}

}  // namespace tandem::broker::protocol
