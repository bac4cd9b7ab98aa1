#include "broker/api/group_service.h"
#include "broker/api/handlers.h"
#include "broker/api/metadata_cache.h"
#include "broker/api/producer_ids.h"

namespace tandem::broker::api {

namespace {

using protocol::ErrorCode;
using Coordinator = protocol::FindCoordinatorResponse::Coordinator;

constexpr std::int16_t kSinceKeyLists = 4;
constexpr std::int8_t kGroup = 0;
constexpr std::int8_t kTransaction = 1;

Coordinator failed(const std::string& key, ErrorCode error) {
  Coordinator coordinator;
  coordinator.key = key;
  coordinator.node_id = -1;
  coordinator.port = -1;
  coordinator.error_code = error;
  return coordinator;
}

Coordinator find_group(const Call& call, const replica::ClusterImage& image, const std::string& group) {
  if (!image.topic(kOffsetsTopic)) {  // the first group of the cluster makes the topic
    call.services.internal_topics->request(std::string(kOffsetsTopic));
    return failed(group, ErrorCode::coordinator_not_available);
  }
  const auto* partition = image.partition(kOffsetsTopic, call.services.groups->partition_of(group));
  const auto* broker = partition == nullptr ? nullptr : image.broker(partition->leader);
  const auto* endpoint = broker == nullptr ? nullptr : broker->endpoint(call.client->listener);
  if (endpoint == nullptr) return failed(group, ErrorCode::coordinator_not_available);
  Coordinator coordinator = failed(group, ErrorCode::none);
  coordinator.node_id = broker->id;
  coordinator.host = endpoint->host;
  coordinator.port = endpoint->port;
  return coordinator;
}

Coordinator find_one(const Call& call, const replica::ClusterImage& image, std::int8_t type,
                     const std::string& key) {
  if (type == kGroup) return find_group(call, image, key);
  return failed(key, type == kTransaction ? kTransactionsUnsupported : ErrorCode::invalid_request);
}

}  // namespace

void find_coordinator(Call call, protocol::FindCoordinatorRequest request) {
  const auto image = call.services.metadata.image();
  protocol::FindCoordinatorResponse response;
  if (call.version() >= kSinceKeyLists) {
    for (const auto& key : request.coordinator_keys) {
      response.coordinators.push_back(find_one(call, *image, request.key_type, key));
      auto& found = response.coordinators.back();
      // The one refusal that Kafka words here.
      found.error_message = found.error_code == ErrorCode::invalid_request
                                ? std::string(sentence_of(ErrorCode::invalid_request))
                                : "";
    }
    return call.respond.send(response);
  }
  const Coordinator found = find_one(call, *image, request.key_type, request.key);
  response.error_code = found.error_code;
  response.error_message =
      found.error_code == ErrorCode::none ? "NONE" : std::string(sentence_of(found.error_code));
  response.node_id = found.node_id;
  response.host = found.host;
  response.port = found.port;
  call.respond.send(response);
}

}  // namespace tandem::broker::api
