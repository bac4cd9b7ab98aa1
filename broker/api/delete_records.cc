#include "broker/api/handlers.h"
#include "broker/api/partition_asks.h"

namespace tandem::broker::api {

namespace {

using protocol::DeleteRecordsRequest;
using protocol::DeleteRecordsResponse;
using protocol::ErrorCode;
using RecordsAnswer = DeleteRecordsResponse::DeleteRecordsPartitionResult;

constexpr std::int64_t kUpToHighWatermark = -1;

using RecordsAsked = PartitionsAsked<DeleteRecordsRequest>;

ErrorCode delete_before(Replica& replica, std::int64_t offset) {
  if (const auto error = replica.core.check_leader(); error != ErrorCode::none) return error;
  if (replica.log->failed()) return ErrorCode::kafka_storage_error;
  // Records of a topic that is only compacted are superseded, never cut off.
  if (!replica.log->config().cleanup_delete) return ErrorCode::policy_violation;
  if (offset == kUpToHighWatermark) offset = replica.core.high_watermark();
  if (offset < 0 || offset > replica.core.high_watermark()) return ErrorCode::offset_out_of_range;
  if (const auto status = replica.log->advance_start(offset); !status) {
    replica.owner.on_log_failure(replica, status.error());
    return ErrorCode::kafka_storage_error;
  }
  replica.changed();
  return ErrorCode::none;
}

void delete_asked(const RecordsAsked& asked, const std::string& topic,
                  const DeleteRecordsRequest::DeleteRecordsPartition& wanted, RecordsAnswer& answer) {
  answer.partition_index = wanted.partition_index;
  answer.low_watermark = -1;
  if (is_internal_topic(topic)) {
    answer.error_code = ErrorCode::invalid_topic_exception;
    return;
  }
  Replica* replica = asked.replica(topic, wanted.partition_index, answer);
  if (replica == nullptr) return;
  answer.error_code = delete_before(*replica, wanted.offset);
  if (answer.error_code == ErrorCode::none)
    answer.low_watermark = replica->core.low_watermark(replica->ends());
}

}  // namespace

void delete_records(Call call, DeleteRecordsRequest request) {
  ask_partitions(std::move(call), std::move(request), delete_asked);
}

}  // namespace tandem::broker::api
