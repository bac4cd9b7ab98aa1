#include "broker/protocol/messages/update_metadata.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void UpdateMetadataRequest::UpdateMetadataPartitionState::describe(Fields& f) {
  f("topic_name", topic_name, until(4));
  f("partition_index", partition_index);
  f("controller_epoch", controller_epoch);
  f("leader", leader);
  f("leader_epoch", leader_epoch);
  f("isr", isr);
  f("zk_version", zk_version);
  f("replicas", replicas);
  f("offline_replicas", offline_replicas, since(4));
}

void UpdateMetadataRequest::UpdateMetadataTopicState::describe(Fields& f) {
  f("topic_name", topic_name, since(5));
  f("topic_id", topic_id, since(7));
  f("partition_states", partition_states, since(5));
}

void UpdateMetadataRequest::UpdateMetadataEndpoint::describe(Fields& f) {
  f("port", port, since(1));
  f("host", host, since(1));
  f("listener", listener, since(3));
  f("security_protocol", security_protocol, since(1));
}

void UpdateMetadataRequest::UpdateMetadataBroker::describe(Fields& f) {
  f("id", id);
  f("v0_host", v0_host, until(0));
  f("v0_port", v0_port, until(0));
  f("endpoints", endpoints, since(1));
  f("rack", rack, since(2));
}

void UpdateMetadataRequest::describe(Fields& f) {
  f("controller_id", controller_id);
  f("is_k_raft_controller", is_k_raft_controller, since(8));
  f("controller_epoch", controller_epoch);
  f("broker_epoch", broker_epoch, since(5));
  f("ungrouped_partition_states", ungrouped_partition_states, until(4));
  f("topic_states", topic_states, since(5));
  f("live_brokers", live_brokers);
  f.tagged(0, "type", type, since(8));
}

void UpdateMetadataResponse::describe(Fields& f) { f("error_code", error_code); }

}  // namespace tandem::broker::protocol
