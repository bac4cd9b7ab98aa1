#include "broker/protocol/messages/alter_replica_log_dirs.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void AlterReplicaLogDirsRequest::AlterReplicaLogDirTopic::describe(Fields& f) {
  f("name", name);
  f("partitions", partitions);
}

void AlterReplicaLogDirsRequest::AlterReplicaLogDir::describe(Fields& f) {
  f("path", path);
  f("topics", topics);
}

void AlterReplicaLogDirsRequest::describe(Fields& f) { f("dirs", dirs); }

void AlterReplicaLogDirsResponse::AlterReplicaLogDirPartitionResult::describe(Fields& f) {
  f("partition_index", partition_index);
  f("error_code", error_code);
}

void AlterReplicaLogDirsResponse::AlterReplicaLogDirTopicResult::describe(Fields& f) {
  f("topic_name", topic_name);
  f("partitions", partitions);
}

void AlterReplicaLogDirsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("results", results);
}

}  // namespace tandem::broker::protocol
