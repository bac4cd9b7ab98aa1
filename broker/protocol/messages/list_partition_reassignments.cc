#include "broker/protocol/messages/list_partition_reassignments.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void ListPartitionReassignmentsRequest::ListPartitionReassignmentsTopics::describe(Fields& f) {
  f("name", name);
  f("partition_indexes", partition_indexes);
}

void ListPartitionReassignmentsRequest::describe(Fields& f) {
  f("timeout_ms", timeout_ms);
  f("topics", topics);
}

void ListPartitionReassignmentsResponse::OngoingPartitionReassignment::describe(Fields& f) {
  f("partition_index", partition_index);
  f("replicas", replicas);
  f("adding_replicas", adding_replicas);
  f("removing_replicas", removing_replicas);
}

void ListPartitionReassignmentsResponse::OngoingTopicReassignment::describe(Fields& f) {
  f("name", name);
  f("partitions", partitions);
}

void ListPartitionReassignmentsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("error_code", error_code);
  f("error_message", error_message);
  f("topics", topics);
}

}  // namespace tandem::broker::protocol
