#include "broker/protocol/messages/fetch.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

namespace {

// Far from where Apache's own numbers are given out, one after another from 0.
constexpr std::uint32_t kDurableOffsetTag = 7001;

}  // namespace

void FetchRequest::ReplicaState::describe(Fields& f) {
  f("replica_id", replica_id, since(15));
  f("replica_epoch", replica_epoch, since(15));
}

void FetchRequest::FetchPartition::describe(Fields& f) {
  f("partition", partition);
  f("current_leader_epoch", current_leader_epoch, since(9));
  f("fetch_offset", fetch_offset);
  f("last_fetched_epoch", last_fetched_epoch, since(12));
  f("log_start_offset", log_start_offset, since(5));
  f("partition_max_bytes", partition_max_bytes);
  f.tagged(0, "replica_directory_id", replica_directory_id, since(17));
  f.tagged(kDurableOffsetTag, "durable_offset", durable_offset, since(12), std::int64_t{-1});
}

void FetchRequest::FetchTopic::describe(Fields& f) {
  f("topic", topic, until(12));
  f("topic_id", topic_id, since(13));
  f("partitions", partitions);
}

void FetchRequest::ForgottenTopic::describe(Fields& f) {
  f("topic", topic, between(7, 12));
  f("topic_id", topic_id, since(13));
  f("partitions", partitions, since(7));
}

void FetchRequest::describe(Fields& f) {
  f("replica_id", replica_id, until(14));
  f("max_wait_ms", max_wait_ms);
  f("min_bytes", min_bytes);
  f("max_bytes", max_bytes, since(3));
  f("isolation_level", isolation_level, since(4));
  f("session_id", session_id, since(7));
  f("session_epoch", session_epoch, since(7));
  f("topics", topics);
  f("forgotten_topics_data", forgotten_topics_data, since(7));
  f("rack_id", rack_id, since(11));
  f.tagged(0, "cluster_id", cluster_id, since(12));
  f.tagged(1, "replica_state", replica_state, since(15));
}

void FetchResponse::EpochEndOffset::describe(Fields& f) {
  f("epoch", epoch, since(12));
  f("end_offset", end_offset, since(12));
}

void FetchResponse::LeaderIdAndEpoch::describe(Fields& f) {
  f("leader_id", leader_id, since(12));
  f("leader_epoch", leader_epoch, since(12));
}

void FetchResponse::SnapshotId::describe(Fields& f) {
  f("end_offset", end_offset);
  f("epoch", epoch);
}

void FetchResponse::AbortedTransaction::describe(Fields& f) {
  f("producer_id", producer_id, since(4));
  f("first_offset", first_offset, since(4));
}

void FetchResponse::PartitionData::describe(Fields& f) {
  f("partition_index", partition_index);
  f("error_code", error_code);
  f("high_watermark", high_watermark);
  f("last_stable_offset", last_stable_offset, since(4));
  f("log_start_offset", log_start_offset, since(5));
  f("aborted_transactions", aborted_transactions, since(4));
  f("preferred_read_replica", preferred_read_replica, since(11));
  f("records", records);
  f.tagged(0, "diverging_epoch", diverging_epoch, since(12));
  f.tagged(1, "current_leader", current_leader, since(12));
  f.tagged(2, "snapshot_id", snapshot_id, since(12));
}

void FetchResponse::FetchableTopicResponse::describe(Fields& f) {
  f("topic", topic, until(12));
  f("topic_id", topic_id, since(13));
  f("partitions", partitions);
}

void FetchResponse::NodeEndpoint::describe(Fields& f) {
  f("node_id", node_id, since(16));
  f("host", host, since(16));
  f("port", port, since(16));
  f("rack", rack, since(16));
}

void FetchResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms, since(1));
  f("error_code", error_code, since(7));
  f("session_id", session_id, since(7));
  f("responses", responses);
  f.tagged(0, "node_endpoints", node_endpoints, since(16));
}

}  // namespace tandem::broker::protocol
