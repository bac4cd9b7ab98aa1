#include "broker/api/handlers.h"
#include "broker/api/partition_asks.h"

namespace tandem::broker::api {

namespace {

using protocol::ErrorCode;
using protocol::OffsetForLeaderEpochRequest;
using protocol::OffsetForLeaderEpochResponse;

void end_of_epoch(const PartitionsAsked<OffsetForLeaderEpochRequest>& asked, const std::string& topic,
                  const OffsetForLeaderEpochRequest::OffsetForLeaderPartition& wanted,
                  OffsetForLeaderEpochResponse::EpochEndOffset& answer) {
  answer.partition = wanted.partition;
  Replica* replica = asked.replica(topic, wanted.partition, answer);
  if (replica == nullptr) return;
  answer.error_code = replica->core.check_leader(wanted.current_leader_epoch);
  if (answer.error_code == ErrorCode::none && replica->log->failed())
    answer.error_code = ErrorCode::kafka_storage_error;
  if (answer.error_code != ErrorCode::none) return;
  const auto end = replica->log->epochs().end_of(wanted.leader_epoch, replica->log->end_offset());
  answer.leader_epoch = end.epoch;
  answer.end_offset = end.end_offset;
}

}  // namespace

void offset_for_leader_epoch(Call call, OffsetForLeaderEpochRequest request) {
  ask_partitions(std::move(call), std::move(request), end_of_epoch);
}

}  // namespace tandem::broker::api
