// Fetch: API key 1, versions 0 to 17, flexible from 12.
// Reads record batches, for consumers and for following replicas, with incremental sessions.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe(). One tagged
// field is Tandem's own; Apache's brokers skip tags that they do not know.
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct FetchResponse;

struct FetchRequest {
  static constexpr ApiKey kApi = ApiKey::fetch;
  static constexpr std::int16_t kVersionMax = 17;
  static constexpr std::int16_t kFlexibleSince = 12;
  using Response = FetchResponse;

  struct ReplicaState {
    BrokerId replica_id = -1;
    std::int64_t replica_epoch = -1;
    void describe(Fields& f);
    bool operator==(const ReplicaState&) const = default;
  };

  struct FetchPartition {
    std::int32_t partition = 0;
    std::int32_t current_leader_epoch = -1;
    std::int64_t fetch_offset = 0;
    std::int32_t last_fetched_epoch = -1;
    std::int64_t log_start_offset = -1;
    std::int32_t partition_max_bytes = 0;
    Uuid replica_directory_id;
    std::int64_t durable_offset = -1;  // Tandem's: what the follower has synced; -1: it does not tell
    void describe(Fields& f);
    bool operator==(const FetchPartition&) const = default;
  };

  struct FetchTopic {
    TopicName topic;
    Uuid topic_id;
    std::vector<FetchPartition> partitions;
    void describe(Fields& f);
    bool operator==(const FetchTopic&) const = default;
  };

  struct ForgottenTopic {
    TopicName topic;
    Uuid topic_id;
    std::vector<std::int32_t> partitions;
    void describe(Fields& f);
    bool operator==(const ForgottenTopic&) const = default;
  };

  std::optional<std::string> cluster_id;
  BrokerId replica_id = -1;
  ReplicaState replica_state;
  std::int32_t max_wait_ms = 0;
  std::int32_t min_bytes = 0;
  std::int32_t max_bytes = INT32_MAX;
  std::int8_t isolation_level = 0;
  std::int32_t session_id = 0;
  std::int32_t session_epoch = -1;
  std::vector<FetchTopic> topics;
  std::vector<ForgottenTopic> forgotten_topics_data;
  std::string rack_id;

  void describe(Fields& f);
  bool operator==(const FetchRequest&) const = default;
};

struct FetchResponse {
  static constexpr ApiKey kApi = ApiKey::fetch;
  static constexpr std::int16_t kVersionMax = 17;
  static constexpr std::int16_t kFlexibleSince = 12;

  struct EpochEndOffset {
    std::int32_t epoch = -1;
    std::int64_t end_offset = -1;
    void describe(Fields& f);
    bool operator==(const EpochEndOffset&) const = default;
  };

  struct LeaderIdAndEpoch {
    BrokerId leader_id = -1;
    std::int32_t leader_epoch = -1;
    void describe(Fields& f);
    bool operator==(const LeaderIdAndEpoch&) const = default;
  };

  struct SnapshotId {
    std::int64_t end_offset = -1;
    std::int32_t epoch = -1;
    void describe(Fields& f);
    bool operator==(const SnapshotId&) const = default;
  };

  struct AbortedTransaction {
    ProducerId producer_id = 0;
    std::int64_t first_offset = 0;
    void describe(Fields& f);
    bool operator==(const AbortedTransaction&) const = default;
  };

  struct PartitionData {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    std::int64_t high_watermark = 0;
    std::int64_t last_stable_offset = -1;
    std::int64_t log_start_offset = -1;
    EpochEndOffset diverging_epoch;
    LeaderIdAndEpoch current_leader;
    SnapshotId snapshot_id;
    std::optional<std::vector<AbortedTransaction>> aborted_transactions;
    BrokerId preferred_read_replica = -1;
    Records records;
    void describe(Fields& f);
    bool operator==(const PartitionData&) const = default;
  };

  struct FetchableTopicResponse {
    TopicName topic;
    Uuid topic_id;
    std::vector<PartitionData> partitions;
    void describe(Fields& f);
    bool operator==(const FetchableTopicResponse&) const = default;
  };

  struct NodeEndpoint {
    BrokerId node_id = 0;
    std::string host;
    std::int32_t port = 0;
    std::optional<std::string> rack;
    void describe(Fields& f);
    bool operator==(const NodeEndpoint&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  ErrorCode error_code = ErrorCode::none;
  std::int32_t session_id = 0;
  std::vector<FetchableTopicResponse> responses;
  std::vector<NodeEndpoint> node_endpoints;

  void describe(Fields& f);
  bool operator==(const FetchResponse&) const = default;
};

}  // namespace tandem::broker::protocol
