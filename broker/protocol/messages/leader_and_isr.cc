#include "broker/protocol/messages/leader_and_isr.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void LeaderAndIsrRequest::LeaderAndIsrPartitionState::describe(Fields& f) {
  f("topic_name", topic_name, until(1));
  f("partition_index", partition_index);
  f("controller_epoch", controller_epoch);
  f("leader", leader);
  f("leader_epoch", leader_epoch);
  f("isr", isr);
  f("partition_epoch", partition_epoch);
  f("replicas", replicas);
  f("adding_replicas", adding_replicas, since(3));
  f("removing_replicas", removing_replicas, since(3));
  f("is_new", is_new, since(1));
  f("leader_recovery_state", leader_recovery_state, since(6));
}

void LeaderAndIsrRequest::LeaderAndIsrTopicState::describe(Fields& f) {
  f("topic_name", topic_name, since(2));
  f("topic_id", topic_id, since(5));
  f("partition_states", partition_states, since(2));
}

void LeaderAndIsrRequest::LeaderAndIsrLiveLeader::describe(Fields& f) {
  f("broker_id", broker_id);
  f("host_name", host_name);
  f("port", port);
}

void LeaderAndIsrRequest::describe(Fields& f) {
  f("controller_id", controller_id);
  f("is_k_raft_controller", is_k_raft_controller, since(7));
  f("controller_epoch", controller_epoch);
  f("broker_epoch", broker_epoch, since(2));
  f("type", type, since(5));
  f("ungrouped_partition_states", ungrouped_partition_states, until(1));
  f("topic_states", topic_states, since(2));
  f("live_leaders", live_leaders);
}

void LeaderAndIsrResponse::LeaderAndIsrPartitionError::describe(Fields& f) {
  f("topic_name", topic_name, until(4));
  f("partition_index", partition_index);
  f("error_code", error_code);
}

void LeaderAndIsrResponse::LeaderAndIsrTopicError::describe(Fields& f) {
  f("topic_id", topic_id, since(5));
  f("partition_errors", partition_errors, since(5));
}

void LeaderAndIsrResponse::describe(Fields& f) {
  f("error_code", error_code);
  f("partition_errors", partition_errors, until(4));
  f("topics", topics, since(5));
}

}  // namespace tandem::broker::protocol
