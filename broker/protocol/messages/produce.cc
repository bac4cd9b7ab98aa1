#include "broker/protocol/messages/produce.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void ProduceRequest::PartitionProduceData::describe(Fields& f) {
  f("index", index);
  f("records", records);
}

void ProduceRequest::TopicProduceData::describe(Fields& f) {
  f("name", name);
  f("partition_data", partition_data);
}

void ProduceRequest::describe(Fields& f) {
  f("transactional_id", transactional_id, since(3));
  f("acks", acks);
  f("timeout_ms", timeout_ms);
  f("topic_data", topic_data);
}

void ProduceResponse::BatchIndexAndErrorMessage::describe(Fields& f) {
  f("batch_index", batch_index, since(8));
  f("batch_index_error_message", batch_index_error_message, since(8));
}

void ProduceResponse::LeaderIdAndEpoch::describe(Fields& f) {
  f("leader_id", leader_id, since(10));
  f("leader_epoch", leader_epoch, since(10));
}

void ProduceResponse::PartitionProduceResponse::describe(Fields& f) {
  f("index", index);
  f("error_code", error_code);
  f("base_offset", base_offset);
  f("log_append_time_ms", log_append_time_ms, since(2));
  f("log_start_offset", log_start_offset, since(5));
  f("record_errors", record_errors, since(8));
  f("error_message", error_message, since(8));
  f.tagged(0, "current_leader", current_leader, since(10));
}

void ProduceResponse::TopicProduceResponse::describe(Fields& f) {
  f("name", name);
  f("partition_responses", partition_responses);
}

void ProduceResponse::NodeEndpoint::describe(Fields& f) {
  f("node_id", node_id, since(10));
  f("host", host, since(10));
  f("port", port, since(10));
  f("rack", rack, since(10));
}

void ProduceResponse::describe(Fields& f) {
  f("responses", responses);
  f("throttle_time_ms", throttle_time_ms, since(1));
  f.tagged(0, "node_endpoints", node_endpoints, since(10));
}

}  // namespace tandem::broker::protocol
