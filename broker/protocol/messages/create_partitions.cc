#include "broker/protocol/messages/create_partitions.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void CreatePartitionsRequest::CreatePartitionsAssignment::describe(Fields& f) { f("broker_ids", broker_ids); }

void CreatePartitionsRequest::CreatePartitionsTopic::describe(Fields& f) {
  f("name", name);
  f("count", count);
  f("assignments", assignments);
}

void CreatePartitionsRequest::describe(Fields& f) {
  f("topics", topics);
  f("timeout_ms", timeout_ms);
  f("validate_only", validate_only);
}

void CreatePartitionsResponse::CreatePartitionsTopicResult::describe(Fields& f) {
  f("name", name);
  f("error_code", error_code);
  f("error_message", error_message);
}

void CreatePartitionsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("results", results);
}

}  // namespace tandem::broker::protocol
