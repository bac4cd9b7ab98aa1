#include "broker/api/handlers.h"
#include "broker/api/on_owners.h"
#include "broker/api/partition_errors.h"
#include "broker/api/replicas.h"
#include "broker/zk/names.h"

namespace tandem::broker::api {

namespace {

using protocol::DescribeProducersRequest;
using protocol::DescribeProducersResponse;
using protocol::ErrorCode;
using ProducersAnswer = DescribeProducersResponse::PartitionResponse;

struct ProducersAsked {
  Call call;
  DescribeProducersRequest request;
  DescribeProducersResponse response;
};

void fail_producers(ProducersAnswer& answer, ErrorCode error, std::string message) {
  answer.error_code = error;
  answer.error_message = std::move(message);
}

// Of followers too: what their logs hold is what they would go on with as leaders.
void describe_producers_of(Services& services, const std::string& topic, ProducersAnswer& answer) {
  Replica* replica = services.replicas->find(topic, answer.partition_index);
  if (replica == nullptr) {
    answer.error_code = not_here(*services.metadata.image(), topic, answer.partition_index);
    return;
  }
  for (const auto& [id, entry] : replica->log->producers().producers()) {
    auto& producer = answer.active_producers.emplace_back();
    producer.producer_id = id;
    producer.producer_epoch = entry.epoch;
    producer.last_sequence = entry.last_sequence();
    producer.last_timestamp = entry.last_timestamp;
    producer.coordinator_epoch = entry.coordinator_epoch;
    producer.current_txn_start_offset = entry.txn_first_offset;
  }
}

}  // namespace

void describe_producers(Call call, DescribeProducersRequest request) {
  const auto image = call.services.metadata.image();
  const auto asked =
      std::make_shared<ProducersAsked>(std::move(call), std::move(request), DescribeProducersResponse{});
  Services& services = asked->call.services;
  std::vector<OwnedJob> jobs;
  asked->response.topics.resize(asked->request.topics.size());
  for (std::size_t t = 0; t < asked->request.topics.size(); ++t) {
    const auto& topic = asked->request.topics[t];
    auto& answers = asked->response.topics[t];
    answers.name = topic.name;
    answers.partitions.resize(topic.partition_indexes.size());
    const auto fault = zk::topic_name_fault(topic.name);
    for (std::size_t p = 0; p < topic.partition_indexes.size(); ++p) {
      ProducersAnswer& answer = answers.partitions[p];
      answer.partition_index = topic.partition_indexes[p];
      if (fault) {
        fail_producers(answer, ErrorCode::invalid_topic_exception, "Topic name is invalid: " + *fault);
      } else if (!image->topic(topic.name)) {
        fail_producers(answer, ErrorCode::unknown_topic_or_partition,
                       std::string(protocol::sentence_of(ErrorCode::unknown_topic_or_partition)));
      } else {
        jobs.push_back(
            {services.shards.owner(topic.name, answer.partition_index),
             [&services, &name = topic.name, &answer] { describe_producers_of(services, name, answer); }});
      }
    }
  }
  on_owners(services.shards, std::move(jobs), [asked] { asked->call.respond.send(asked->response); });
}

}  // namespace tandem::broker::api
