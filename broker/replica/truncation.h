// Where a follower's log has to be cut before it may go on from its leader's (KIP-101, KIP-279, and the
// diverging epoch of KIP-595): pure functions on what the log says of its epochs. Cases in the order of
// Kafka's AbstractFetcherThread.
#pragma once

#include <cstdint>
#include <optional>

#include "broker/protocol/messages/fetch.h"

namespace tandem::broker::replica {

using EpochEnd = protocol::FetchResponse::EpochEndOffset;

// What a follower asks of its own log; answered from memory, on the log's thread.
class FollowedLog {
 public:
  virtual ~FollowedLog() = default;
  virtual std::int64_t start_offset() const = 0;
  virtual std::int64_t end_offset() const = 0;
  virtual std::int64_t high_watermark() const = 0;
  virtual std::int64_t durable_offset() const { return -1; }  // -1: the leader is not told
  virtual std::optional<std::int32_t> latest_epoch() const = 0;
  // The largest epoch at or below, and where it ends; -1, -1 where the log knows none.
  virtual EpochEnd end_of(std::int32_t epoch) const = 0;
  // Whether its quota lets nothing more come for now.
  virtual bool throttled() const { return false; }
};

struct Truncation {
  std::int64_t offset = 0;
  bool settled = true;  // false: the leader has to be asked again, about the epoch that is now the last
  bool operator==(const Truncation&) const = default;
};

// `leader` is what the leader says of the epoch it was asked about. `otherwise` is where to cut when it knows
// nothing: the high watermark.
Truncation truncation_for(const FollowedLog& log, const EpochEnd& leader, std::int64_t otherwise);

}  // namespace tandem::broker::replica
