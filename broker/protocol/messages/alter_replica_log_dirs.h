// AlterReplicaLogDirs: API key 34, versions 0 to 2, flexible from 2.
// Moves replicas between the log directories of a broker.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct AlterReplicaLogDirsResponse;

struct AlterReplicaLogDirsRequest {
  static constexpr ApiKey kApi = ApiKey::alter_replica_log_dirs;
  static constexpr std::int16_t kVersionMax = 2;
  static constexpr std::int16_t kFlexibleSince = 2;
  using Response = AlterReplicaLogDirsResponse;

  struct AlterReplicaLogDirTopic {
    TopicName name;
    std::vector<std::int32_t> partitions;
    void describe(Fields& f);
    bool operator==(const AlterReplicaLogDirTopic&) const = default;
  };

  struct AlterReplicaLogDir {
    std::string path;
    std::vector<AlterReplicaLogDirTopic> topics;
    void describe(Fields& f);
    bool operator==(const AlterReplicaLogDir&) const = default;
  };

  std::vector<AlterReplicaLogDir> dirs;

  void describe(Fields& f);
  bool operator==(const AlterReplicaLogDirsRequest&) const = default;
};

struct AlterReplicaLogDirsResponse {
  static constexpr ApiKey kApi = ApiKey::alter_replica_log_dirs;
  static constexpr std::int16_t kVersionMax = 2;
  static constexpr std::int16_t kFlexibleSince = 2;

  struct AlterReplicaLogDirPartitionResult {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    void describe(Fields& f);
    bool operator==(const AlterReplicaLogDirPartitionResult&) const = default;
  };

  struct AlterReplicaLogDirTopicResult {
    TopicName topic_name;
    std::vector<AlterReplicaLogDirPartitionResult> partitions;
    void describe(Fields& f);
    bool operator==(const AlterReplicaLogDirTopicResult&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<AlterReplicaLogDirTopicResult> results;

  void describe(Fields& f);
  bool operator==(const AlterReplicaLogDirsResponse&) const = default;
};

}  // namespace tandem::broker::protocol
