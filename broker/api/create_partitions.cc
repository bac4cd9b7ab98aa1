#include <map>
#include <set>

#include "broker/api/admin_errors.h"
#include "broker/api/cluster_control.h"
#include "broker/api/handlers.h"

namespace tandem::broker::api {

namespace {

using protocol::CreatePartitionsRequest;
using protocol::CreatePartitionsResponse;
using protocol::ErrorCode;

struct PartitionsPending {
  Call call;
  CreatePartitionsResponse response;
};

void add_result(CreatePartitionsResponse& response, const std::string& topic,
                const controller::AdminError& error) {
  auto& result = response.results.emplace_back();
  result.name = topic;
  set_error(result, error);
}

}  // namespace

void create_partitions(Call call, CreatePartitionsRequest request) {
  auto pending = std::make_shared<PartitionsPending>(PartitionsPending{std::move(call), {}});
  std::map<std::string, std::size_t> occurrences;
  for (const auto& topic : request.topics) ++occurrences[topic.name];
  std::set<std::string> refused;
  controller::CreatePartitions ask;
  ask.validate_only = request.validate_only;
  ask.timeout = base::milliseconds(request.timeout_ms);
  for (auto& topic : request.topics) {
    if (occurrences[topic.name] > 1) {
      if (!refused.insert(topic.name).second) continue;
      add_result(pending->response, topic.name, {ErrorCode::invalid_request, "Duplicate topic in request."});
      continue;
    }
    controller::GrowTopic grow{topic.name, topic.count};
    if (topic.assignments) {
      grow.assignments.emplace();
      for (auto& assignment : *topic.assignments)
        grow.assignments->push_back(std::move(assignment.broker_ids));
    }
    ask.topics.push_back(std::move(grow));
  }
  pending->call.services.control->ask(std::move(ask), [pending](controller::ControllerReply reply) {
    for (const auto& topic : std::get<controller::TopicErrors>(reply).topics) {
      add_result(pending->response, topic.topic, topic.error);
    }
    pending->call.respond.send(pending->response);
  });
}

}  // namespace tandem::broker::api
