// What handlers have in common that ask every named partition of its owner: request and answer side by side,
// one job for each partition, the answer sent when all are done. `answer_one(asked, topic, wanted, answer)`
// runs on the owner's thread.
#pragma once

#include <memory>
#include <vector>

#include "broker/api/handler.h"
#include "broker/api/on_owners.h"
#include "broker/api/partition_errors.h"
#include "broker/api/replicas.h"
#include "broker/protocol/partition_names.h"

namespace tandem::broker::api {

template <class Request>
struct PartitionsAsked {
  Call call;
  Request request;
  typename Request::Response response;
  MetadataCache::Image image;

  // The replica, when there is one with a role; else what to answer is set.
  template <class Answer>
  Replica* replica(const std::string& topic, std::int32_t partition, Answer& answer) const {
    Replica* found = call.services.replicas->find(topic, partition);
    if (found != nullptr && found->core.role() != replica::Role::none) return found;
    answer.error_code = not_here(*image, topic, partition);
    return nullptr;
  }
};

template <class Request, class AnswerOne>
void ask_partitions(Call call, Request request, AnswerOne answer_one) {
  auto image = call.services.metadata.image();
  Shards& shards = call.services.shards;
  const auto asked = std::make_shared<PartitionsAsked<Request>>(
      PartitionsAsked<Request>{std::move(call), std::move(request), {}, std::move(image)});
  asked->response.topics.resize(asked->request.topics.size());
  std::vector<OwnedJob> jobs;
  for (std::size_t t = 0; t < asked->request.topics.size(); ++t) {
    const auto& topic = asked->request.topics[t];
    auto& answers = asked->response.topics[t];
    protocol::name_of(answers) = protocol::name_of(topic);
    answers.partitions.resize(topic.partitions.size());
    for (std::size_t p = 0; p < topic.partitions.size(); ++p)
      jobs.push_back(
          {shards.owner(protocol::name_of(topic), protocol::index_of(topic.partitions[p])),
           [state = asked.get(), answer_one, &name = protocol::name_of(topic), &wanted = topic.partitions[p],
            &answer = answers.partitions[p]] { answer_one(*state, name, wanted, answer); }});
  }
  on_owners(shards, std::move(jobs), [asked] { asked->call.respond.send(asked->response); });
}

}  // namespace tandem::broker::api
