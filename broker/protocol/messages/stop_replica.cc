#include "broker/protocol/messages/stop_replica.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void StopReplicaRequest::StopReplicaPartitionV0::describe(Fields& f) {
  f("topic_name", topic_name, until(0));
  f("partition_index", partition_index, until(0));
}

void StopReplicaRequest::StopReplicaTopicV1::describe(Fields& f) {
  f("name", name, between(1, 2));
  f("partition_indexes", partition_indexes, between(1, 2));
}

void StopReplicaRequest::StopReplicaPartitionState::describe(Fields& f) {
  f("partition_index", partition_index, since(3));
  f("leader_epoch", leader_epoch, since(3));
  f("delete_partition", delete_partition, since(3));
}

void StopReplicaRequest::StopReplicaTopicState::describe(Fields& f) {
  f("topic_name", topic_name, since(3));
  f("partition_states", partition_states, since(3));
}

void StopReplicaRequest::describe(Fields& f) {
  f("controller_id", controller_id);
  f("is_k_raft_controller", is_k_raft_controller, since(4));
  f("controller_epoch", controller_epoch);
  f("broker_epoch", broker_epoch, since(1));
  f("delete_partitions", delete_partitions, until(2));
  f("ungrouped_partitions", ungrouped_partitions, until(0));
  f("topics", topics, between(1, 2));
  f("topic_states", topic_states, since(3));
}

void StopReplicaResponse::StopReplicaPartitionError::describe(Fields& f) {
  f("topic_name", topic_name);
  f("partition_index", partition_index);
  f("error_code", error_code);
}

void StopReplicaResponse::describe(Fields& f) {
  f("error_code", error_code);
  f("partition_errors", partition_errors);
}

}  // namespace tandem::broker::protocol
