// The kinds of names and numbers that Kafka's messages carry. They are aliases, not strong types: the log,
// the znode layout and the messages sit on one floor and exchange these values as they are. Errors and topic
// ids, which are easily mistaken for other numbers and bytes, have types of their own.
#pragma once

#include <cstdint>
#include <string>

namespace tandem::broker::protocol {

using TopicName = std::string;
using GroupId = std::string;
using TransactionalId = std::string;
using BrokerId = std::int32_t;
using ProducerId = std::int64_t;

inline constexpr BrokerId kNoBroker = -1;
inline constexpr std::int32_t kNoPartitionLeaderEpoch = -1;
inline constexpr ProducerId kNoProducerId = -1;

}  // namespace tandem::broker::protocol
