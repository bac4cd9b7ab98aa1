#include "broker/api/handlers.h"
#include "broker/api/on_owners.h"
#include "broker/api/partition_errors.h"
#include "broker/api/replicas.h"

namespace tandem::broker::api {

namespace {

using protocol::ErrorCode;
using protocol::OffsetForLeaderEpochRequest;
using protocol::OffsetForLeaderEpochResponse;

struct Asked {
  Call call;
  OffsetForLeaderEpochRequest request;
  OffsetForLeaderEpochResponse response;
  MetadataCache::Image image;
};

void answer_one(Asked& asked, const std::string& topic,
                const OffsetForLeaderEpochRequest::OffsetForLeaderPartition& wanted,
                OffsetForLeaderEpochResponse::EpochEndOffset& answer) {
  answer.partition = wanted.partition;
  Replica* replica = asked.call.services.replicas->find(topic, wanted.partition);
  if (replica == nullptr || replica->core.role() == replica::Role::none) {
    answer.error_code = not_here(*asked.image, topic, wanted.partition);
    return;
  }
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
  auto image = call.services.metadata.image();
  Shards& shards = call.services.shards;
  const auto asked = std::make_shared<Asked>(std::move(call), std::move(request),
                                             OffsetForLeaderEpochResponse{}, std::move(image));
  asked->response.topics.resize(asked->request.topics.size());
  std::vector<OwnedJob> jobs;
  for (std::size_t t = 0; t < asked->request.topics.size(); ++t) {
    const auto& topic = asked->request.topics[t];
    auto& answers = asked->response.topics[t];
    answers.topic = topic.topic;
    answers.partitions.resize(topic.partitions.size());
    for (std::size_t p = 0; p < topic.partitions.size(); ++p)
      jobs.push_back(
          {shards.owner(topic.topic, topic.partitions[p].partition),
           [state = asked.get(), &topic, &wanted = topic.partitions[p], &answer = answers.partitions[p]] {
             answer_one(*state, topic.topic, wanted, answer);
           }});
  }
  on_owners(shards, std::move(jobs), [asked] { asked->call.respond.send(asked->response); });
}

}  // namespace tandem::broker::api
