#include "broker/protocol/messages/delete_records.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void DeleteRecordsRequest::DeleteRecordsPartition::describe(Fields& f) {
  f("partition_index", partition_index);
  f("offset", offset);
}

void DeleteRecordsRequest::DeleteRecordsTopic::describe(Fields& f) {
  f("name", name);
  f("partitions", partitions);
}

void DeleteRecordsRequest::describe(Fields& f) {
  f("topics", topics);
  f("timeout_ms", timeout_ms);
}

void DeleteRecordsResponse::DeleteRecordsPartitionResult::describe(Fields& f) {
  f("partition_index", partition_index);
  f("low_watermark", low_watermark);
  f("error_code", error_code);
}

void DeleteRecordsResponse::DeleteRecordsTopicResult::describe(Fields& f) {
  f("name", name);
  f("partitions", partitions);
}

void DeleteRecordsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("topics", topics);
}

}  // namespace tandem::broker::protocol
