// TxnOffsetCommit: API key 28, versions 0 to 4, flexible from 3.
// Stores positions of a group as part of a transaction.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct TxnOffsetCommitResponse;

struct TxnOffsetCommitRequest {
  static constexpr ApiKey kApi = ApiKey::txn_offset_commit;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 3;
  using Response = TxnOffsetCommitResponse;

  struct TxnOffsetCommitRequestPartition {
    std::int32_t partition_index = 0;
    std::int64_t committed_offset = 0;
    std::int32_t committed_leader_epoch = -1;
    std::optional<std::string> committed_metadata;
    void describe(Fields& f);
    bool operator==(const TxnOffsetCommitRequestPartition&) const = default;
  };

  struct TxnOffsetCommitRequestTopic {
    TopicName name;
    std::vector<TxnOffsetCommitRequestPartition> partitions;
    void describe(Fields& f);
    bool operator==(const TxnOffsetCommitRequestTopic&) const = default;
  };

  TransactionalId transactional_id;
  GroupId group_id;
  ProducerId producer_id = 0;
  std::int16_t producer_epoch = 0;
  std::int32_t generation_id = -1;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  std::vector<TxnOffsetCommitRequestTopic> topics;

  void describe(Fields& f);
  bool operator==(const TxnOffsetCommitRequest&) const = default;
};

struct TxnOffsetCommitResponse {
  static constexpr ApiKey kApi = ApiKey::txn_offset_commit;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 3;

  struct TxnOffsetCommitResponsePartition {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    void describe(Fields& f);
    bool operator==(const TxnOffsetCommitResponsePartition&) const = default;
  };

  struct TxnOffsetCommitResponseTopic {
    TopicName name;
    std::vector<TxnOffsetCommitResponsePartition> partitions;
    void describe(Fields& f);
    bool operator==(const TxnOffsetCommitResponseTopic&) const = default;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<TxnOffsetCommitResponseTopic> topics;

  void describe(Fields& f);
  bool operator==(const TxnOffsetCommitResponse&) const = default;
};

}  // namespace tandem::broker::protocol
