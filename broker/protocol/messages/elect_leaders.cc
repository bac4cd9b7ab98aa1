#include "broker/protocol/messages/elect_leaders.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void ElectLeadersRequest::TopicPartitions::describe(Fields& f) {
  f("topic", topic);
  f("partitions", partitions);
}

void ElectLeadersRequest::describe(Fields& f) {
  f("election_type", election_type, since(1));
  f("topic_partitions", topic_partitions);
  f("timeout_ms", timeout_ms);
}

void ElectLeadersResponse::PartitionResult::describe(Fields& f) {
  f("partition_id", partition_id);
  f("error_code", error_code);
  f("error_message", error_message);
}

void ElectLeadersResponse::ReplicaElectionResult::describe(Fields& f) {
  f("topic", topic);
  f("partition_result", partition_result);
}

void ElectLeadersResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("error_code", error_code, since(1));
  f("replica_election_results", replica_election_results);
}

}  // namespace tandem::broker::protocol
