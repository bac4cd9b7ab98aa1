#include "broker/protocol/messages/describe_log_dirs.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void DescribeLogDirsRequest::DescribableLogDirTopic::describe(Fields& f) {
  f("topic", topic);
  f("partitions", partitions);
}

void DescribeLogDirsRequest::describe(Fields& f) { f("topics", topics); }

void DescribeLogDirsResponse::DescribeLogDirsPartition::describe(Fields& f) {
  f("partition_index", partition_index);
  f("partition_size", partition_size);
  f("offset_lag", offset_lag);
  f("is_future_key", is_future_key);
}

void DescribeLogDirsResponse::DescribeLogDirsTopic::describe(Fields& f) {
  f("name", name);
  f("partitions", partitions);
}

void DescribeLogDirsResponse::DescribeLogDirsResult::describe(Fields& f) {
  f("error_code", error_code);
  f("log_dir", log_dir);
  f("topics", topics);
  f("total_bytes", total_bytes, since(4));
  f("usable_bytes", usable_bytes, since(4));
}

void DescribeLogDirsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("error_code", error_code, since(3));
  f("results", results);
}

}  // namespace tandem::broker::protocol
