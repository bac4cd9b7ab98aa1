// The words of the group coordinator: what comes in with a request, what goes out as effects, its settings.
// A response that must wait (for members, for a durable record) is an effect with the ticket of its request.
// Source: Kafka 3.9 GroupCoordinator and GroupCoordinatorConfig.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/strong.h"
#include "broker/protocol/messages/join_group.h"
#include "broker/protocol/messages/offset_commit.h"
#include "broker/protocol/messages/sync_group.h"

namespace tandem::broker::group {

using protocol::ErrorCode;
using std::chrono::milliseconds;
using Ticket = base::Strong<std::uint64_t, struct TicketTag>;  // of a request that waits for its response

struct Now {
  base::Instant instant;
  base::WallTime wall;
};

struct Caller {
  std::string client_id;
  std::string client_host;  // "/127.0.0.1"
};

struct GroupOptions {
  std::int32_t partitions = 50;                                  // of __consumer_offsets
  milliseconds session_min{6000};                                // group.min.session.timeout.ms
  milliseconds session_max{1800000};                             // group.max.session.timeout.ms
  milliseconds initial_rebalance_delay{3000};                    // group.initial.rebalance.delay.ms
  std::size_t size_max = INT32_MAX;                              // group.max.size
  std::size_t metadata_bytes_max = 4096;                         // offset.metadata.max.bytes
  milliseconds offsets_retention{std::int64_t{10080} * 60'000};  // offsets.retention.minutes
  milliseconds retention_check_interval{600000};                 // offsets.retention.check.interval.ms
};

// One record of __consumer_offsets; no value: a tombstone.
struct Record {
  std::string key;
  std::optional<std::string> value;
  bool operator==(const Record&) const = default;
};

// To be appended as one batch; on_appended(id, …) once it is committed or refused.
struct Append {
  std::uint64_t id = 0;
  std::int32_t partition = 0;
  std::vector<Record> records;
};

struct Reply {
  Ticket ticket;
  std::variant<protocol::JoinGroupResponse, protocol::SyncGroupResponse, protocol::OffsetCommitResponse>
      response;
};

using Effect = std::variant<Append, Reply>;

// What a client is told when the records of its request could not be appended.
ErrorCode append_failure(ErrorCode error, ErrorCode when_too_large);

// abs(hashCode) % partitions with Java's String hash over UTF-16 units: where a group's records live.
std::int32_t partition_of(std::string_view group_id, std::int32_t partitions);

}  // namespace tandem::broker::group
