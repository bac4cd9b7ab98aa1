#include <fmt/core.h>

#include "broker/api/handlers.h"
#include "broker/api/metadata_cache.h"

namespace tandem::broker::api {

namespace {

constexpr std::int8_t kBrokers = 1;  // endpoint type of KIP-919

}  // namespace

void describe_cluster(Call call, protocol::DescribeClusterRequest request) {
  protocol::DescribeClusterResponse response;
  response.endpoint_type = kBrokers;
  if (request.endpoint_type != kBrokers) {
    const bool known = request.endpoint_type == 2;
    response.error_code = known ? protocol::ErrorCode::mismatched_endpoint_type
                                : protocol::ErrorCode::unsupported_endpoint_type;
    response.error_message = known ? "The request was sent to an endpoint of type BROKER, but we wanted an "
                                     "endpoint of type CONTROLLER"
                                   : fmt::format("Unsupported endpoint type {}", request.endpoint_type);
    return call.respond.send(response);
  }
  const auto image = call.services.metadata.image();
  response.cluster_id = call.services.node.cluster_id;
  response.controller_id = shown_controller(call.services, *image);
  for (const auto& [id, broker] : image->brokers()) {
    const auto* endpoint = broker.endpoint(call.client->listener);
    if (endpoint != nullptr) response.brokers.push_back({id, endpoint->host, endpoint->port, broker.rack});
  }
  if (request.include_cluster_authorized_operations)
    response.cluster_authorized_operations = kClusterOperations;
  call.respond.send(response);
}

}  // namespace tandem::broker::api
