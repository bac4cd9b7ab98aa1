// What the members of a consumer group say to each other through the coordinator: the metadata of a JoinGroup
// and the assignment of a SyncGroup. Each is an int16 version and the message (see versioned.h).
// Shapes from the message definitions of Apache Kafka 3.9.
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct ConsumerProtocolSubscription {
  static constexpr std::int16_t kVersionMin = 0;
  static constexpr std::int16_t kVersionMax = 3;
  static constexpr std::int16_t kFlexibleSince = kNeverFlexible;

  struct TopicPartition {
    TopicName topic;
    std::vector<std::int32_t> partitions;
    void describe(Fields& f);
    bool operator==(const TopicPartition&) const = default;
  };

  std::vector<std::string> topics;
  std::optional<Bytes> user_data;
  std::vector<TopicPartition> owned_partitions;
  std::int32_t generation_id = -1;
  std::optional<std::string> rack_id;

  void describe(Fields& f);
  bool operator==(const ConsumerProtocolSubscription&) const = default;
};

struct ConsumerProtocolAssignment {
  static constexpr std::int16_t kVersionMin = 0;
  static constexpr std::int16_t kVersionMax = 3;
  static constexpr std::int16_t kFlexibleSince = kNeverFlexible;

  struct TopicPartition {
    TopicName topic;
    std::vector<std::int32_t> partitions;
    void describe(Fields& f);
    bool operator==(const TopicPartition&) const = default;
  };

  std::vector<TopicPartition> assigned_partitions;
  std::optional<Bytes> user_data;

  void describe(Fields& f);
  bool operator==(const ConsumerProtocolAssignment&) const = default;
};

}  // namespace tandem::broker::protocol
