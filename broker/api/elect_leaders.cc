#include "broker/api/cluster_control.h"
#include "broker/api/handlers.h"
#include "broker/api/metadata_cache.h"
#include "broker/controller/controller.h"

namespace tandem::broker::api {

namespace {

using protocol::ElectLeadersRequest;
using protocol::ElectLeadersResponse;
using protocol::ErrorCode;

constexpr std::int8_t kElectionMax = 1;  // the kinds: preferred is 0, unclean 1

// Kafka takes a kind that it does not know for a fault of its own, and says so of everything that was named.
ElectLeadersResponse unknown_kind(const ElectLeadersRequest& request) {
  ElectLeadersResponse response = controller::not_elected(request, ErrorCode::unknown_server_error);
  response.error_code = ErrorCode::unknown_server_error;
  return response;
}

// Nothing named means everything that the metadata knows.
std::vector<ElectLeadersRequest::TopicPartitions> everything(const replica::ClusterImage& image) {
  std::vector<ElectLeadersRequest::TopicPartitions> out;
  for (const auto& [name, topic] : image.topics()) {
    auto& entry = out.emplace_back();
    entry.topic = name;
    for (const auto& [number, state] : topic->partitions) entry.partitions.push_back(number);
  }
  return out;
}

void leave_out_not_needed(ElectLeadersResponse& response) {
  for (auto& topic : response.replica_election_results) {
    std::erase_if(topic.partition_result,
                  [](const auto& result) { return result.error_code == ErrorCode::election_not_needed; });
  }
  std::erase_if(response.replica_election_results,
                [](const auto& topic) { return topic.partition_result.empty(); });
}

}  // namespace

void elect_leaders(Call call, ElectLeadersRequest request) {
  if (request.election_type < 0 || request.election_type > kElectionMax)
    return call.respond.send(unknown_kind(request));
  const bool all = !request.topic_partitions;
  if (all) request.topic_partitions = everything(*call.services.metadata.image());
  auto pending = std::make_shared<Call>(std::move(call));
  pending->services.control->ask(std::move(request), [pending, all](controller::ControllerReply reply) {
    auto& response = std::get<ElectLeadersResponse>(reply);
    if (all) leave_out_not_needed(response);
    pending->respond.send(response);
  });
}

}  // namespace tandem::broker::api
