// Which brokers hold the partitions of a new or growing topic: round robin from a random start, the following
// replicas at a shift that grows with each round, racks alternating when every broker has one. Source:
// Kafka 3.9 AdminUtils.assignReplicasToBrokers.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "broker/protocol/errors.h"
#include "broker/zk/topics.h"

namespace tandem::broker::controller {

struct AssignableBroker {
  std::int32_t id = -1;
  std::optional<std::string> rack;
};

// What the client of an administrative request is told.
struct AdminError {
  protocol::ErrorCode code = protocol::ErrorCode::none;
  std::string message = {};
  bool ok() const { return code == protocol::ErrorCode::none; }
  bool operator==(const AdminError&) const = default;
};

struct AssignOptions {
  std::int32_t partitions = 1;
  std::int32_t replication_factor = 1;
  std::int32_t first_partition = 0;
  std::optional<std::uint32_t> start = std::nullopt;  // fixed for growth and tests; else random
};

struct AssignResult {
  AdminError error;
  std::map<std::int32_t, zk::Replicas> partitions;
};

AssignResult assign_replicas(std::vector<AssignableBroker> brokers, AssignOptions options,
                             base::Random& random);

}  // namespace tandem::broker::controller
