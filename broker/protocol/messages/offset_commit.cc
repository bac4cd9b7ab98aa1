#include "broker/protocol/messages/offset_commit.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void OffsetCommitRequest::OffsetCommitRequestPartition::describe(Fields& f) {
  f("partition_index", partition_index);
  f("committed_offset", committed_offset);
  f("committed_leader_epoch", committed_leader_epoch, since(6));
  f("commit_timestamp", commit_timestamp, between(1, 1));
  f("committed_metadata", committed_metadata);
}

void OffsetCommitRequest::OffsetCommitRequestTopic::describe(Fields& f) {
  f("name", name);
  f("partitions", partitions);
}

void OffsetCommitRequest::describe(Fields& f) {
  f("group_id", group_id);
  f("generation_id_or_member_epoch", generation_id_or_member_epoch, since(1));
  f("member_id", member_id, since(1));
  f("group_instance_id", group_instance_id, since(7));
  f("retention_time_ms", retention_time_ms, between(2, 4));
  f("topics", topics);
}

void OffsetCommitResponse::OffsetCommitResponsePartition::describe(Fields& f) {
  f("partition_index", partition_index);
  f("error_code", error_code);
}

void OffsetCommitResponse::OffsetCommitResponseTopic::describe(Fields& f) {
  f("name", name);
  f("partitions", partitions);
}

void OffsetCommitResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms, since(3));
  f("topics", topics);
}

}  // namespace tandem::broker::protocol
