#include <map>

#include "broker/api/admin_errors.h"
#include "broker/api/cluster_control.h"
#include "broker/api/handlers.h"
#include "broker/api/topic_settings.h"

namespace tandem::broker::api {

namespace {

using controller::AdminError;
using protocol::CreateTopicsRequest;
using protocol::CreateTopicsResponse;
using protocol::ErrorCode;
using CreatedTopic = CreateTopicsResponse::CreatableTopicResult;

constexpr std::string_view kClusterMetadataTopic = "__cluster_metadata";
constexpr std::int16_t kSinceConfigsShown = 5;

// What can be told from the request alone.
AdminError request_fault(const CreateTopicsRequest::CreatableTopic& topic, std::size_t occurrences) {
  if (occurrences > 1) return {ErrorCode::invalid_request, "Found multiple entries for this topic."};
  if (topic.name == kClusterMetadataTopic)
    return {ErrorCode::topic_authorization_failed, "Authorization failed."};
  std::string nulls;
  for (const auto& config : topic.configs) {
    if (!config.value) nulls += (nulls.empty() ? "" : ",") + config.name;
  }
  if (!nulls.empty())
    return {ErrorCode::invalid_config, "Null value not supported for topic configs: " + nulls};
  return {};
}

controller::TopicToCreate to_create(const CreateTopicsRequest::CreatableTopic& topic) {
  controller::TopicToCreate out;
  out.name = topic.name;
  out.partitions = topic.num_partitions;
  out.replication_factor = topic.replication_factor;
  for (const auto& assignment : topic.assignments)
    out.assignment[assignment.partition_index] = assignment.broker_ids;
  for (const auto& config : topic.configs) out.configs.emplace_back(config.name, *config.value);
  return out;
}

// One request under way: the topics that the controller is asked for, and the answers that are there already.
struct CreationsPending {
  Call call;
  CreateTopicsResponse response;
  std::map<std::string, zk::Config> configs;  // of those asked for
};

void finish(CreationsPending& pending, const controller::TopicsCreated& created) {
  for (const auto& topic : created.topics) {
    CreatedTopic& result = pending.response.topics.emplace_back();
    result.name = topic.name;
    set_error(result, topic.error);
    if (!topic.error.ok()) {
      result.configs.emplace();  // none, where a topic that was made shows what it got
      continue;
    }
    result.topic_id = protocol::Uuid{topic.id};
    result.num_partitions = topic.partitions;
    result.replication_factor = static_cast<std::int16_t>(topic.replication_factor);
    if (pending.call.version() < kSinceConfigsShown) continue;
    result.configs = shown_topic_configs(pending.call.services, topic.name, pending.configs[topic.name]);
  }
  pending.call.respond.send(pending.response);
}

}  // namespace

void create_topics(Call call, CreateTopicsRequest request) {
  auto pending = std::make_shared<CreationsPending>(CreationsPending{std::move(call), {}, {}});
  std::map<std::string, std::size_t> occurrences;
  for (const auto& topic : request.topics) ++occurrences[topic.name];
  controller::CreateTopics ask;
  ask.validate_only = request.validate_only;
  ask.timeout = base::milliseconds(request.timeout_ms);
  for (const auto& topic : request.topics) {
    AdminError fault = request_fault(topic, occurrences[topic.name]);
    auto wanted = fault.ok() ? to_create(topic) : controller::TopicToCreate{};
    if (fault.ok()) fault = topic_config_fault(pending->call.services, wanted.configs);
    if (fault.ok()) {
      pending->configs[topic.name] = wanted.configs;
      ask.topics.push_back(std::move(wanted));
    } else {
      CreatedTopic& result = pending->response.topics.emplace_back();
      result.name = topic.name;
      result.configs.emplace();
      set_error(result, fault);
    }
  }
  ClusterControl* control = pending->call.services.control;
  if (ask.topics.empty() && control->controller_id() == pending->call.services.node.broker_id) {
    finish(*pending, {});
    return;
  }
  control->ask(std::move(ask), [pending](controller::ControllerReply reply) {
    finish(*pending, std::get<controller::TopicsCreated>(reply));
  });
}

}  // namespace tandem::broker::api
