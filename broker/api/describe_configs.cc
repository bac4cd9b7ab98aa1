#include <algorithm>

#include "broker/api/cluster_control.h"
#include "broker/api/config_alteration.h"
#include "broker/api/config_registry.h"
#include "broker/api/handlers.h"
#include "broker/api/metadata_cache.h"
#include "broker/zk/paths.h"

namespace tandem::broker::api {

namespace {

using protocol::DescribeConfigsRequest;
using protocol::DescribeConfigsResponse;
using protocol::ErrorCode;
using Resource = DescribeConfigsRequest::DescribeConfigsResource;

std::int8_t type_number(conf::Type type) {
  switch (type) {
    case conf::Type::boolean:
      return 1;
    case conf::Type::string:
      return 2;
    case conf::Type::int32:
      return 3;
    case conf::Type::int16:
      return 4;
    case conf::Type::int64:
      return 5;
    case conf::Type::float64:
      return 6;
    case conf::Type::list:
      return 7;
    case conf::Type::name_of_class:
      return 8;
    case conf::Type::password:
      return 9;
  }
  UNREACHABLE("type {}", static_cast<int>(type));
}

DescribeConfigsResponse::DescribeConfigsResourceResult to_wire(config::Described row,
                                                               const DescribeConfigsRequest& request) {
  DescribeConfigsResponse::DescribeConfigsResourceResult out;
  out.name = std::move(row.name);
  out.value = std::move(row.value);
  out.read_only = row.read_only;
  out.config_source = static_cast<std::int8_t>(row.source);
  out.is_sensitive = row.sensitive;
  out.config_type = type_number(row.type);
  if (request.include_documentation) out.documentation = std::move(row.doc);
  if (!request.include_synonyms) return out;
  for (config::Synonym& synonym : row.synonyms) {
    out.synonyms.push_back(
        {std::move(synonym.name), std::move(synonym.value), static_cast<std::int8_t>(synonym.source)});
  }
  return out;
}

// The rows of a resource whose settings in the tree are `overrides`: what was altered a moment ago shows at
// once, though this broker may not have been notified yet.
std::vector<config::Described> rows_of(const config::Settings& now, const Resource& resource,
                                       config::Overrides overrides) {
  std::vector<std::string> complaints;
  if (resource.resource_type == kTopicResource) {
    return now.describe_topic(overrides);
  }
  if (resource.resource_name.empty()) {
    return now.with_cluster(std::move(overrides), complaints).describe_cluster();
  }
  return now.with_broker(std::move(overrides), complaints).describe_broker();
}

void answer(Call& call, const DescribeConfigsRequest& request,
            std::vector<DescribeConfigsResponse::DescribeConfigsResult> results,
            const std::vector<zk::ZkResult>& nodes) {
  DescribeConfigsResponse response;
  response.results = std::move(results);
  const auto now = call.services.configs->now();
  std::size_t node = 0;
  for (std::size_t i = 0; i < request.resources.size(); ++i) {
    auto& result = response.results[i];
    if (result.error_code != ErrorCode::none) continue;
    const Resource& resource = request.resources[i];
    if (node >= nodes.size()) {
      result.error_code = ErrorCode::unknown_server_error;
      continue;
    }
    const auto settings = zk::decode_config("/config", nodes[node++].data);
    config::Overrides overrides;
    if (settings) overrides = config::Overrides(settings->begin(), settings->end());
    for (config::Described& row : rows_of(*now, resource, std::move(overrides))) {
      const auto& keys = resource.configuration_keys;
      if (keys && !keys->empty() && std::find(keys->begin(), keys->end(), row.name) == keys->end()) continue;
      result.configs.push_back(to_wire(std::move(row), request));
    }
  }
  call.respond.send(response);
}

bool is_known_type(const Resource& resource) {
  return resource.resource_type == kTopicResource || resource.resource_type == kBrokerResource ||
         resource.resource_type == kBrokerLoggerResource;
}

// Why this broker cannot describe the resource.
AlterRefusal refuse(const Services& services, const Resource& resource) {
  const std::string& name = resource.resource_name;
  if (resource.resource_type == kBrokerLoggerResource)
    return {ErrorCode::invalid_request, std::string(kNoLoggers)};
  if (resource.resource_type == kTopicResource) {
    if (const auto fault = zk::topic_name_fault(name))
      return {ErrorCode::invalid_topic_exception, "Topic name is invalid: " + *fault};
    if (services.metadata.image()->topic(name) == nullptr) return {ErrorCode::unknown_topic_or_partition, ""};
    return {};
  }
  if (name.empty()) return {};
  const auto id = broker_id_of(name);
  if (!id)
    return {ErrorCode::invalid_request, fmt::format("Broker id must be an integer, but it is: {}", name)};
  if (*id == services.node.broker_id) return {};
  return {ErrorCode::invalid_request,
          fmt::format("Unexpected broker id, expected {} or empty string, but received {}",
                      services.node.broker_id, name)};
}

}  // namespace

void describe_configs(Call call, DescribeConfigsRequest request) {
  std::vector<DescribeConfigsResponse::DescribeConfigsResult> results;
  std::vector<zk::ZkOp> reads;
  const bool known_types = std::all_of(request.resources.begin(), request.resources.end(),
                                       [](const auto& resource) { return is_known_type(resource); });
  for (const Resource& resource : request.resources) {
    auto& result = results.emplace_back();
    result.resource_type = resource.resource_type;
    result.resource_name = resource.resource_name;
    // A type that is none refuses the request as a whole.
    const AlterRefusal refusal =
        known_types
            ? refuse(call.services, resource)
            : AlterRefusal{ErrorCode::invalid_request, std::string(sentence_of(ErrorCode::invalid_request))};
    result.error_code = refusal.code;
    result.error_message = refusal.message;
    if (refusal.code != ErrorCode::none) continue;
    const ConfigPlace place = resource.resource_type == kTopicResource ? topic_place(resource.resource_name)
                                                                       : broker_place(resource.resource_name);
    reads.push_back(zk::get_op(zk::config_path(place.type, place.entity)));
  }
  if (reads.empty()) return answer(call, request, std::move(results), {});
  ClusterControl& control = *call.services.control;
  const auto shared = std::make_shared<Call>(std::move(call));
  control.perform(std::move(reads),
                  [shared, request = std::move(request), results = std::move(results)](
                      std::vector<zk::ZkResult> nodes) { answer(*shared, request, results, nodes); });
}

}  // namespace tandem::broker::api
