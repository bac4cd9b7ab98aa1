#include "broker/protocol/messages/offset_fetch.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void OffsetFetchRequest::OffsetFetchRequestTopic::describe(Fields& f) {
  f("name", name, until(7));
  f("partition_indexes", partition_indexes, until(7));
}

void OffsetFetchRequest::OffsetFetchRequestTopics::describe(Fields& f) {
  f("name", name, since(8));
  f("partition_indexes", partition_indexes, since(8));
}

void OffsetFetchRequest::OffsetFetchRequestGroup::describe(Fields& f) {
  f("group_id", group_id, since(8));
  f("member_id", member_id, since(9));
  f("member_epoch", member_epoch, since(9));
  f("topics", topics, since(8));
}

void OffsetFetchRequest::describe(Fields& f) {
  f("group_id", group_id, until(7));
  f("topics", topics, until(7).nullable_since(2));
  f("groups", groups, since(8));
  f("require_stable", require_stable, since(7));
}

void OffsetFetchResponse::OffsetFetchResponsePartition::describe(Fields& f) {
  f("partition_index", partition_index, until(7));
  f("committed_offset", committed_offset, until(7));
  f("committed_leader_epoch", committed_leader_epoch, between(5, 7));
  f("metadata", metadata, until(7));
  f("error_code", error_code, until(7));
}

void OffsetFetchResponse::OffsetFetchResponseTopic::describe(Fields& f) {
  f("name", name, until(7));
  f("partitions", partitions, until(7));
}

void OffsetFetchResponse::OffsetFetchResponsePartitions::describe(Fields& f) {
  f("partition_index", partition_index, since(8));
  f("committed_offset", committed_offset, since(8));
  f("committed_leader_epoch", committed_leader_epoch, since(8));
  f("metadata", metadata, since(8));
  f("error_code", error_code, since(8));
}

void OffsetFetchResponse::OffsetFetchResponseTopics::describe(Fields& f) {
  f("name", name, since(8));
  f("partitions", partitions, since(8));
}

void OffsetFetchResponse::OffsetFetchResponseGroup::describe(Fields& f) {
  f("group_id", group_id, since(8));
  f("topics", topics, since(8));
  f("error_code", error_code, since(8));
}

void OffsetFetchResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms, since(3));
  f("topics", topics, until(7));
  f("error_code", error_code, between(2, 7));
  f("groups", groups, since(8));
}

}  // namespace tandem::broker::protocol
