#include "broker/protocol/messages/offset_for_leader_epoch.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void OffsetForLeaderEpochRequest::OffsetForLeaderPartition::describe(Fields& f) {
  f("partition", partition);
  f("current_leader_epoch", current_leader_epoch, since(2));
  f("leader_epoch", leader_epoch);
}

void OffsetForLeaderEpochRequest::OffsetForLeaderTopic::describe(Fields& f) {
  f("topic", topic);
  f("partitions", partitions);
}

void OffsetForLeaderEpochRequest::describe(Fields& f) {
  f("replica_id", replica_id, since(3));
  f("topics", topics);
}

void OffsetForLeaderEpochResponse::EpochEndOffset::describe(Fields& f) {
  f("error_code", error_code);
  f("partition", partition);
  f("leader_epoch", leader_epoch, since(1));
  f("end_offset", end_offset);
}

void OffsetForLeaderEpochResponse::OffsetForLeaderTopicResult::describe(Fields& f) {
  f("topic", topic);
  f("partitions", partitions);
}

void OffsetForLeaderEpochResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms, since(2));
  f("topics", topics);
}

}  // namespace tandem::broker::protocol
