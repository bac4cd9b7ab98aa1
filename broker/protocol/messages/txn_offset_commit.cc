#include "broker/protocol/messages/txn_offset_commit.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void TxnOffsetCommitRequest::TxnOffsetCommitRequestPartition::describe(Fields& f) {
  f("partition_index", partition_index);
  f("committed_offset", committed_offset);
  f("committed_leader_epoch", committed_leader_epoch, since(2));
  f("committed_metadata", committed_metadata);
}

void TxnOffsetCommitRequest::TxnOffsetCommitRequestTopic::describe(Fields& f) {
  f("name", name);
  f("partitions", partitions);
}

void TxnOffsetCommitRequest::describe(Fields& f) {
  f("transactional_id", transactional_id);
  f("group_id", group_id);
  f("producer_id", producer_id);
  f("producer_epoch", producer_epoch);
  f("generation_id", generation_id, since(3));
  f("member_id", member_id, since(3));
  f("group_instance_id", group_instance_id, since(3));
  f("topics", topics);
}

void TxnOffsetCommitResponse::TxnOffsetCommitResponsePartition::describe(Fields& f) {
  f("partition_index", partition_index);
  f("error_code", error_code);
}

void TxnOffsetCommitResponse::TxnOffsetCommitResponseTopic::describe(Fields& f) {
  f("name", name);
  f("partitions", partitions);
}

void TxnOffsetCommitResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("topics", topics);
}

}  // namespace tandem::broker::protocol
