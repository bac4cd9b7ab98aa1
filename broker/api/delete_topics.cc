#include <map>
#include <set>

#include "broker/api/admin_errors.h"
#include "broker/api/cluster_control.h"
#include "broker/api/handlers.h"
#include "broker/api/metadata_cache.h"
#include "broker/api/topic_settings.h"

namespace tandem::broker::api {

namespace {

using protocol::DeleteTopicsRequest;
using protocol::DeleteTopicsResponse;
using protocol::ErrorCode;
using DeletedTopic = DeleteTopicsResponse::DeletableTopicResult;

constexpr std::int16_t kDeleteSinceTopicIds = 6;
constexpr std::int16_t kSinceDeletionDisabled = 3;

void refuse_all(Call call, const std::vector<DeleteTopicsRequest::DeleteTopicState>& topics, ErrorCode code) {
  DeleteTopicsResponse response;
  for (const auto& topic : topics) {
    DeletedTopic& result = response.responses.emplace_back();
    result.name = topic.name;
    result.topic_id = topic.topic_id;
    result.error_code = code;
  }
  call.respond.send(response);
}

struct DeletionsPending {
  Call call;
  DeleteTopicsResponse response;             // one result for each topic, in the order of the request
  std::map<std::string, std::size_t> slots;  // of the topics that the controller is asked for
};

// Fills `pending` with what can be told from the metadata; gives what remains to be asked.
std::vector<std::string> resolve(DeletionsPending& pending,
                                 const std::vector<DeleteTopicsRequest::DeleteTopicState>& topics) {
  const auto image = pending.call.services.metadata.image();
  std::vector<std::string> ask;
  for (const auto& topic : topics) {
    DeletedTopic& result = pending.response.responses.emplace_back();
    result.name = topic.name;
    result.topic_id = topic.topic_id;
    if (topic.name && !topic.topic_id.is_zero()) {
      set_error(result, {ErrorCode::invalid_request, "Topic name and topic ID can not both be specified."});
      continue;
    }
    const auto known = topic.name ? image->topic(*topic.name) : image->topic(topic.topic_id);
    if (!topic.name) {
      if (!known) {
        result.error_code = ErrorCode::unknown_topic_id;
        continue;
      }
      result.name = known->name;
    } else if (known && pending.call.version() >= kDeleteSinceTopicIds) {
      result.topic_id = known->id;
    }
    const auto slot = pending.response.responses.size() - 1;
    if (pending.slots.emplace(*result.name, slot).second) {
      ask.push_back(*result.name);
    } else {
      set_error(result, {ErrorCode::invalid_request,
                         "The provided topic name maps to an ID that was already supplied."});
    }
  }
  return ask;
}

}  // namespace

void delete_topics(Call call, DeleteTopicsRequest request) {
  std::vector<DeleteTopicsRequest::DeleteTopicState> topics = std::move(request.topics);
  for (auto& name : request.topic_names) topics.push_back({std::move(name), {}});
  const auto& services = call.services;
  if (services.control->controller_id() != services.node.broker_id) {
    refuse_all(std::move(call), topics, ErrorCode::not_controller);
    return;
  }
  if (!deletion_enabled(services)) {
    const bool old = call.version() < kSinceDeletionDisabled;
    refuse_all(std::move(call), topics,
               old ? ErrorCode::invalid_request : ErrorCode::topic_deletion_disabled);
    return;
  }
  auto pending = std::make_shared<DeletionsPending>(DeletionsPending{std::move(call), {}, {}});
  controller::DeleteTopics ask;
  ask.topics = resolve(*pending, topics);
  ask.timeout = base::milliseconds(request.timeout_ms);
  if (ask.topics.empty()) {
    pending->call.respond.send(pending->response);
    return;
  }
  pending->call.services.control->ask(std::move(ask), [pending](controller::ControllerReply reply) {
    for (const auto& topic : std::get<controller::TopicErrors>(reply).topics) {
      set_error(pending->response.responses[pending->slots.at(topic.topic)], topic.error);
    }
    pending->call.respond.send(pending->response);
  });
}

}  // namespace tandem::broker::api
