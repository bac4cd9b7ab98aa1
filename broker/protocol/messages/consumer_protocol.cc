#include "broker/protocol/messages/consumer_protocol.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void ConsumerProtocolSubscription::TopicPartition::describe(Fields& f) {
  f("topic", topic, since(1));
  f("partitions", partitions, since(1));
}

void ConsumerProtocolSubscription::describe(Fields& f) {
  f("topics", topics);
  f("user_data", user_data);
  f("owned_partitions", owned_partitions, since(1));
  f("generation_id", generation_id, since(2));
  f("rack_id", rack_id, since(3));
}

void ConsumerProtocolAssignment::TopicPartition::describe(Fields& f) {
  f("topic", topic);
  f("partitions", partitions);
}

void ConsumerProtocolAssignment::describe(Fields& f) {
  f("assigned_partitions", assigned_partitions);
  f("user_data", user_data);
}

}  // namespace tandem::broker::protocol
