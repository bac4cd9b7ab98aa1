#include "broker/protocol/messages/describe_producers.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void DescribeProducersRequest::TopicRequest::describe(Fields& f) {
  f("name", name);
  f("partition_indexes", partition_indexes);
}

void DescribeProducersRequest::describe(Fields& f) { f("topics", topics); }

void DescribeProducersResponse::ProducerState::describe(Fields& f) {
  f("producer_id", producer_id);
  f("producer_epoch", producer_epoch);
  f("last_sequence", last_sequence);
  f("last_timestamp", last_timestamp);
  f("coordinator_epoch", coordinator_epoch);
  f("current_txn_start_offset", current_txn_start_offset);
}

void DescribeProducersResponse::PartitionResponse::describe(Fields& f) {
  f("partition_index", partition_index);
  f("error_code", error_code);
  f("error_message", error_message);
  f("active_producers", active_producers);
}

void DescribeProducersResponse::TopicResponse::describe(Fields& f) {
  f("name", name);
  f("partitions", partitions);
}

void DescribeProducersResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("topics", topics);
}

}  // namespace tandem::broker::protocol
