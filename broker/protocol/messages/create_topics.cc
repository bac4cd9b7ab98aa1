#include "broker/protocol/messages/create_topics.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void CreateTopicsRequest::CreatableReplicaAssignment::describe(Fields& f) {
  f("partition_index", partition_index);
  f("broker_ids", broker_ids);
}

void CreateTopicsRequest::CreatableTopicConfig::describe(Fields& f) {
  f("name", name);
  f("value", value);
}

void CreateTopicsRequest::CreatableTopic::describe(Fields& f) {
  f("name", name);
  f("num_partitions", num_partitions);
  f("replication_factor", replication_factor);
  f("assignments", assignments);
  f("configs", configs);
}

void CreateTopicsRequest::describe(Fields& f) {
  f("topics", topics);
  f("timeout_ms", timeout_ms);
  f("validate_only", validate_only, since(1));
}

void CreateTopicsResponse::CreatableTopicConfigs::describe(Fields& f) {
  f("name", name, since(5));
  f("value", value, since(5));
  f("read_only", read_only, since(5));
  f("config_source", config_source, since(5));
  f("is_sensitive", is_sensitive, since(5));
}

void CreateTopicsResponse::CreatableTopicResult::describe(Fields& f) {
  f("name", name);
  f("topic_id", topic_id, since(7));
  f("error_code", error_code);
  f("error_message", error_message, since(1));
  f("num_partitions", num_partitions, since(5));
  f("replication_factor", replication_factor, since(5));
  f("configs", configs, since(5));
  f.tagged(0, "topic_config_error_code", topic_config_error_code, since(5));
}

void CreateTopicsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms, since(2));
  f("topics", topics);
}

}  // namespace tandem::broker::protocol
