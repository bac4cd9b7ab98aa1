#include <algorithm>

#include "broker/api/handlers.h"
#include "broker/api/partition_asks.h"

namespace tandem::broker::api {

namespace {

using protocol::ErrorCode;
using protocol::ListOffsetsRequest;
using protocol::ListOffsetsResponse;
using OffsetsAnswer = ListOffsetsResponse::ListOffsetsPartitionResponse;

// Timestamps that are questions, and the version that brought each.
constexpr std::int64_t kLatest = -1;
constexpr std::int64_t kEarliest = -2;
constexpr std::int64_t kMaxTimestamp = -3;
constexpr std::int64_t kEarliestLocal = -4;
constexpr std::int64_t kLatestTiered = -5;
constexpr std::int16_t kSinceNotAvailable = 5;
constexpr std::int16_t kSinceMaxTimestamp = 7;
constexpr std::int16_t kSinceEarliestLocal = 8;
constexpr std::int16_t kSinceLatestTiered = 9;

using OffsetsAsked = PartitionsAsked<ListOffsetsRequest>;

bool supported(std::int64_t timestamp, std::int16_t version) {
  if (timestamp == kMaxTimestamp) return version >= kSinceMaxTimestamp;
  if (timestamp == kEarliestLocal) return version >= kSinceEarliestLocal;
  if (timestamp == kLatestTiered) return version >= kSinceLatestTiered;
  return timestamp >= kEarliest;
}

std::int64_t last_fetchable(const Replica& replica, const ListOffsetsRequest& request) {
  if (request.replica_id != -1) return replica.log->end_offset();
  return replica.visible_end(request.isolation_level == 1);
}

// Version 0: bases of segments, newest first, from the one that was begun at or before the time on.
void answer_old_style(const Replica& replica, const ListOffsetsRequest& request, std::int64_t timestamp,
                      std::int32_t count, OffsetsAnswer& answer) {
  auto times = replica.log->segment_times();
  const std::int64_t start = replica.log->start_offset();
  for (auto& [base, modified] : times) base = std::max(base, start);
  if (replica.log->end_offset() > times.back().first)
    times.emplace_back(replica.log->end_offset(), INT64_MAX);
  std::ptrdiff_t at = static_cast<std::ptrdiff_t>(times.size()) - 1;
  if (timestamp == kEarliest) at = 0;
  if (timestamp >= 0)
    while (at >= 0 && times[static_cast<std::size_t>(at)].second > timestamp) --at;
  const std::int64_t end = last_fetchable(replica, request);
  for (; at >= 0 && static_cast<std::int32_t>(answer.old_style_offsets.size()) < count; --at)
    answer.old_style_offsets.push_back(std::min(times[static_cast<std::size_t>(at)].first, end));
}

base::Status search(Replica& replica, const ListOffsetsRequest& request, std::int64_t timestamp,
                    OffsetsAnswer& answer) {
  const auto found =
      timestamp == kMaxTimestamp ? replica.log->find_max_timestamp() : replica.log->find_timestamp(timestamp);
  if (!found) return found.error();
  if (!*found || (*found)->offset >= last_fetchable(replica, request)) return {};
  answer.timestamp = (*found)->timestamp;
  answer.offset = (*found)->offset;
  answer.leader_epoch = (*found)->leader_epoch;
  return {};
}

// A new leader whose watermark is behind its epoch's start does not know yet what was committed before: what
// it could say would go back from what its predecessor said.
ErrorCode lost_watermark(const Replica& replica, const OffsetsAsked& asked) {
  if (asked.request.replica_id != -1 || replica.core.high_watermark() >= replica.core.epoch_start())
    return ErrorCode::none;
  return asked.call.version() >= kSinceNotAvailable ? ErrorCode::offset_not_available
                                                    : ErrorCode::leader_not_available;
}

void list_asked(const OffsetsAsked& asked, const std::string& topic,
                const ListOffsetsRequest::ListOffsetsPartition& wanted, OffsetsAnswer& answer) {
  answer.partition_index = wanted.partition_index;
  if (!supported(wanted.timestamp, asked.call.version())) {
    answer.error_code = ErrorCode::unsupported_version;
    return;
  }
  Replica* replica = asked.replica(topic, wanted.partition_index, answer);
  if (replica == nullptr) return;
  const bool debugger = asked.request.replica_id == -2;
  answer.error_code = debugger ? replica->core.check_epoch(wanted.current_leader_epoch)
                               : replica->core.check_leader(wanted.current_leader_epoch);
  if (answer.error_code == ErrorCode::none && replica->log->failed())
    answer.error_code = ErrorCode::kafka_storage_error;
  if (answer.error_code != ErrorCode::none) return;
  if (asked.call.version() == 0)
    return answer_old_style(*replica, asked.request, wanted.timestamp, wanted.max_num_offsets, answer);
  switch (wanted.timestamp) {
    case kLatest:
      if (answer.error_code = lost_watermark(*replica, asked); answer.error_code != ErrorCode::none) return;
      answer.offset = last_fetchable(*replica, asked.request);
      answer.leader_epoch = replica->core.leader_epoch();
      return;
    case kEarliest:
    case kEarliestLocal: {
      answer.offset = replica->log->start_offset();
      const auto& epochs = replica->log->epochs().entries();
      if (!epochs.empty() && epochs.front().start_offset <= answer.offset)
        answer.leader_epoch = epochs.front().epoch;
      return;
    }
    case kLatestTiered:
      return;  // nothing is tiered
    default:
      if (const auto status = search(*replica, asked.request, wanted.timestamp, answer); !status) {
        replica->owner.on_log_failure(*replica, status.error());
        answer.error_code = ErrorCode::kafka_storage_error;
      }
  }
}

}  // namespace

void list_offsets(Call call, ListOffsetsRequest request) {
  ask_partitions(std::move(call), std::move(request), list_asked);
}

}  // namespace tandem::broker::api
