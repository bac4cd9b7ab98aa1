// Keys and values of the records in __consumer_offsets. Each is an int16 version and the message
// (see versioned.h). Key versions 0 and 1 are commits, 2 is a group; higher ones belong to other protocols.
// Shapes from the message definitions of Apache Kafka 3.9.
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct OffsetCommitKey {
  static constexpr std::int16_t kVersionMin = 0;
  static constexpr std::int16_t kVersionMax = 1;
  static constexpr std::int16_t kFlexibleSince = kNeverFlexible;

  std::string group;
  std::string topic;
  std::int32_t partition = 0;

  void describe(Fields& f);
  bool operator==(const OffsetCommitKey&) const = default;
};

struct OffsetCommitValue {
  static constexpr std::int16_t kVersionMin = 0;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 4;

  std::int64_t offset = 0;
  std::int32_t leader_epoch = -1;
  std::string metadata;
  std::int64_t commit_timestamp = 0;
  std::int64_t expire_timestamp = -1;

  void describe(Fields& f);
  bool operator==(const OffsetCommitValue&) const = default;
};

struct GroupMetadataKey {
  static constexpr std::int16_t kVersionMin = 2;
  static constexpr std::int16_t kVersionMax = 2;
  static constexpr std::int16_t kFlexibleSince = kNeverFlexible;

  std::string group;

  void describe(Fields& f);
  bool operator==(const GroupMetadataKey&) const = default;
};

struct GroupMetadataValue {
  static constexpr std::int16_t kVersionMin = 0;
  static constexpr std::int16_t kVersionMax = 4;
  static constexpr std::int16_t kFlexibleSince = 4;

  struct MemberMetadata {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::string client_id;
    std::string client_host;
    std::int32_t rebalance_timeout = -1;
    std::int32_t session_timeout = 0;
    Bytes subscription;
    Bytes assignment;
    void describe(Fields& f);
    bool operator==(const MemberMetadata&) const = default;
  };

  std::string protocol_type;
  std::int32_t generation = 0;
  std::optional<std::string> protocol;
  std::optional<std::string> leader;
  std::int64_t current_state_timestamp = -1;
  std::vector<MemberMetadata> members;

  void describe(Fields& f);
  bool operator==(const GroupMetadataValue&) const = default;
};

}  // namespace tandem::broker::protocol
