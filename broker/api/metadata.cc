#include <algorithm>

#include "broker/api/handlers.h"
#include "broker/api/metadata_cache.h"
#include "broker/zk/names.h"

namespace tandem::broker::api {

namespace {

using protocol::ErrorCode;
using protocol::MetadataRequest;
using protocol::MetadataResponse;
using Topic = MetadataResponse::MetadataResponseTopic;

constexpr std::int16_t kSinceTopicIdsOnly = 12;     // names may be null, ids may be asked for
constexpr std::int16_t kSinceListenerNotFound = 6;  // older clients are told LEADER_NOT_AVAILABLE

// What one request is answered from.
struct Source {
  const replica::ClusterImage& image;
  const std::string& listener;
  std::int16_t version;
};

bool reachable(const Source& source, std::int32_t broker) {
  const auto* live = source.image.broker(broker);
  return live != nullptr && live->endpoint(source.listener) != nullptr;
}

// Version 0 clients connect to every replica named, so they get only those that can be reached.
std::vector<std::int32_t> shown(const Source& source, std::vector<std::int32_t> brokers) {
  if (source.version == 0) std::erase_if(brokers, [&](std::int32_t id) { return !reachable(source, id); });
  return brokers;
}

MetadataResponse::MetadataResponsePartition describe(const Source& source, std::int32_t index,
                                                     const replica::PartitionImage& state) {
  MetadataResponse::MetadataResponsePartition partition;
  partition.partition_index = index;
  partition.leader_epoch = state.leader_epoch;
  partition.replica_nodes = shown(source, state.replicas);
  partition.isr_nodes = shown(source, state.isr);
  partition.offline_replicas = state.offline_replicas;
  if (reachable(source, state.leader)) {
    partition.leader_id = state.leader;
    const bool all = partition.replica_nodes.size() == state.replicas.size() &&
                     partition.isr_nodes.size() == state.isr.size();
    if (!all) partition.error_code = ErrorCode::replica_not_available;
    return partition;
  }
  partition.leader_id = replica::kNoLeader;
  const bool alive = source.image.broker(state.leader) != nullptr;
  partition.error_code = alive && source.version >= kSinceListenerNotFound ? ErrorCode::listener_not_found
                                                                           : ErrorCode::leader_not_available;
  return partition;
}

Topic describe(const Source& source, const replica::TopicImage& known) {
  Topic topic;
  topic.name = known.name;
  topic.topic_id = known.id;
  topic.is_internal = is_internal_topic(known.name);
  for (const auto& [index, state] : known.partitions)
    topic.partitions.push_back(describe(source, index, state));
  return topic;
}

Topic missing(Services& services, const std::string& name, bool create) {
  Topic topic;
  topic.name = name;
  topic.is_internal = is_internal_topic(name);
  if (!zk::is_topic_name(name)) {
    topic.error_code = ErrorCode::invalid_topic_exception;
  } else if (create && services.auto_creation != nullptr) {
    topic.error_code = services.auto_creation->request(name);
  } else {
    topic.error_code = ErrorCode::unknown_topic_or_partition;
  }
  return topic;
}

Topic unknown_id(const protocol::Uuid& id) {
  Topic topic;
  topic.name = std::nullopt;
  topic.topic_id = id;
  topic.error_code = ErrorCode::unknown_topic_id;
  return topic;
}

bool asks_for_all(const MetadataRequest& request, std::int16_t version) {
  return !request.topics || (version == 0 && request.topics->empty());
}

std::vector<Topic> describe_topics(Services& services, const Source& source, const MetadataRequest& request) {
  std::vector<Topic> topics;
  if (asks_for_all(request, source.version)) {
    for (const auto& [name, topic] : source.image.topics()) topics.push_back(describe(source, *topic));
    return topics;
  }
  const bool by_id = std::any_of(request.topics->begin(), request.topics->end(),
                                 [](const auto& asked) { return !asked.topic_id.is_zero(); });
  for (const auto& asked : *request.topics) {
    if (by_id) {
      const auto topic = source.image.topic(asked.topic_id);
      topics.push_back(topic ? describe(source, *topic) : unknown_id(asked.topic_id));
    } else {
      const std::string name = asked.name.value_or("");
      const auto topic = source.image.topic(name);
      topics.push_back(topic ? describe(source, *topic)
                             : missing(services, name, request.allow_auto_topic_creation));
    }
  }
  return topics;
}

// Ids and null names came with version 12; what earlier versions 10 and 11 put there is an error.
bool is_valid(const MetadataRequest& request, std::int16_t version) {
  if (!request.topics || version >= kSinceTopicIdsOnly) return true;
  return std::all_of(request.topics->begin(), request.topics->end(),
                     [](const auto& asked) { return asked.name.has_value() && asked.topic_id.is_zero(); });
}

// Kafka answers an invalid request with the error on every topic that it named.
void fail_all(const MetadataRequest& request, MetadataResponse& response) {
  for (const auto& asked : *request.topics) {
    Topic topic;
    topic.name = asked.name.value_or("");
    topic.topic_id = asked.topic_id;
    topic.error_code = ErrorCode::invalid_request;
    response.topics.push_back(std::move(topic));
  }
}

}  // namespace

void metadata(Call call, MetadataRequest request) {
  MetadataResponse response;
  if (!is_valid(request, call.version())) {
    fail_all(request, response);
    return call.respond.send(response);
  }
  const auto image = call.services.metadata.image();
  const Source source{*image, call.client->listener, call.version()};
  for (const auto& [id, broker] : image->brokers()) {
    const auto* endpoint = broker.endpoint(source.listener);
    if (endpoint != nullptr) response.brokers.push_back({id, endpoint->host, endpoint->port, broker.rack});
  }
  response.cluster_id = call.services.node.cluster_id;
  response.controller_id = shown_controller(call.services, *image);
  response.topics = describe_topics(call.services, source, request);
  if (request.include_topic_authorized_operations) {
    for (auto& topic : response.topics) topic.topic_authorized_operations = kTopicOperations;
  }
  if (request.include_cluster_authorized_operations)
    response.cluster_authorized_operations = kClusterOperations;
  call.respond.send(response);
}

}  // namespace tandem::broker::api
