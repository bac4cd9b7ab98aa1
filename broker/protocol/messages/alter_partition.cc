#include "broker/protocol/messages/alter_partition.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void AlterPartitionRequest::BrokerState::describe(Fields& f) {
  f("broker_id", broker_id, since(3));
  f("broker_epoch", broker_epoch, since(3));
}

void AlterPartitionRequest::PartitionData::describe(Fields& f) {
  f("partition_index", partition_index);
  f("leader_epoch", leader_epoch);
  f("new_isr", new_isr, until(2));
  f("new_isr_with_epochs", new_isr_with_epochs, since(3));
  f("leader_recovery_state", leader_recovery_state, since(1));
  f("partition_epoch", partition_epoch);
}

void AlterPartitionRequest::TopicData::describe(Fields& f) {
  f("topic_name", topic_name, until(1));
  f("topic_id", topic_id, since(2));
  f("partitions", partitions);
}

void AlterPartitionRequest::describe(Fields& f) {
  f("broker_id", broker_id);
  f("broker_epoch", broker_epoch);
  f("topics", topics);
}

void AlterPartitionResponse::PartitionData::describe(Fields& f) {
  f("partition_index", partition_index);
  f("error_code", error_code);
  f("leader_id", leader_id);
  f("leader_epoch", leader_epoch);
  f("isr", isr);
  f("leader_recovery_state", leader_recovery_state, since(1));
  f("partition_epoch", partition_epoch);
}

void AlterPartitionResponse::TopicData::describe(Fields& f) {
  f("topic_name", topic_name, until(1));
  f("topic_id", topic_id, since(2));
  f("partitions", partitions);
}

void AlterPartitionResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("error_code", error_code);
  f("topics", topics);
}

}  // namespace tandem::broker::protocol
