#include "broker/protocol/messages/metadata.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void MetadataRequest::MetadataRequestTopic::describe(Fields& f) {
  f("topic_id", topic_id, since(10));
  f("name", name, kAlways.nullable_since(10));
}

void MetadataRequest::describe(Fields& f) {
  f("topics", topics, kAlways.nullable_since(1));
  f("allow_auto_topic_creation", allow_auto_topic_creation, since(4));
  f("include_cluster_authorized_operations", include_cluster_authorized_operations, between(8, 10));
  f("include_topic_authorized_operations", include_topic_authorized_operations, since(8));
}

void MetadataResponse::MetadataResponseBroker::describe(Fields& f) {
  f("node_id", node_id);
  f("host", host);
  f("port", port);
  f("rack", rack, since(1));
}

void MetadataResponse::MetadataResponsePartition::describe(Fields& f) {
  f("error_code", error_code);
  f("partition_index", partition_index);
  f("leader_id", leader_id);
  f("leader_epoch", leader_epoch, since(7));
  f("replica_nodes", replica_nodes);
  f("isr_nodes", isr_nodes);
  f("offline_replicas", offline_replicas, since(5));
}

void MetadataResponse::MetadataResponseTopic::describe(Fields& f) {
  f("error_code", error_code);
  f("name", name, kAlways.nullable_since(12));
  f("topic_id", topic_id, since(10));
  f("is_internal", is_internal, since(1));
  f("partitions", partitions);
  f("topic_authorized_operations", topic_authorized_operations, since(8));
}

void MetadataResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms, since(3));
  f("brokers", brokers);
  f("cluster_id", cluster_id, since(2));
  f("controller_id", controller_id, since(1));
  f("topics", topics);
  f("cluster_authorized_operations", cluster_authorized_operations, between(8, 10));
}

}  // namespace tandem::broker::protocol
