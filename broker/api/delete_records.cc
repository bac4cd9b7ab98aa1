#include "broker/api/handlers.h"
#include "broker/api/on_owners.h"
#include "broker/api/partition_errors.h"
#include "broker/api/replicas.h"

namespace tandem::broker::api {

namespace {

using protocol::DeleteRecordsRequest;
using protocol::DeleteRecordsResponse;
using protocol::ErrorCode;
using Answer = DeleteRecordsResponse::DeleteRecordsPartitionResult;

constexpr std::int64_t kUpToHighWatermark = -1;

struct Asked {
  Call call;
  DeleteRecordsRequest request;
  DeleteRecordsResponse response;
  MetadataCache::Image image;
};

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

void answer_one(Asked& asked, const std::string& topic,
                const DeleteRecordsRequest::DeleteRecordsPartition& wanted, Answer& answer) {
  answer.partition_index = wanted.partition_index;
  answer.low_watermark = -1;
  if (is_internal_topic(topic)) {
    answer.error_code = ErrorCode::invalid_topic_exception;
    return;
  }
  Replica* replica = asked.call.services.replicas->find(topic, wanted.partition_index);
  if (replica == nullptr || replica->core.role() == replica::Role::none) {
    answer.error_code = not_here(*asked.image, topic, wanted.partition_index);
    return;
  }
  answer.error_code = delete_before(*replica, wanted.offset);
  if (answer.error_code == ErrorCode::none)
    answer.low_watermark = replica->core.low_watermark(replica->ends());
}

}  // namespace

void delete_records(Call call, DeleteRecordsRequest request) {
  auto image = call.services.metadata.image();
  Shards& shards = call.services.shards;
  const auto asked =
      std::make_shared<Asked>(std::move(call), std::move(request), DeleteRecordsResponse{}, std::move(image));
  asked->response.topics.resize(asked->request.topics.size());
  std::vector<OwnedJob> jobs;
  for (std::size_t t = 0; t < asked->request.topics.size(); ++t) {
    const auto& topic = asked->request.topics[t];
    auto& answers = asked->response.topics[t];
    answers.name = topic.name;
    answers.partitions.resize(topic.partitions.size());
    for (std::size_t p = 0; p < topic.partitions.size(); ++p)
      jobs.push_back({shards.owner(topic.name, topic.partitions[p].partition_index),
                      [state = asked.get(), &topic, &wanted = topic.partitions[p],
                       &answer = answers.partitions[p]] { answer_one(*state, topic.name, wanted, answer); }});
  }
  on_owners(shards, std::move(jobs), [asked] { asked->call.respond.send(asked->response); });
}

}  // namespace tandem::broker::api
