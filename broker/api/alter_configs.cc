#include "broker/api/config_alteration.h"
#include "broker/api/handlers.h"

namespace tandem::broker::api {

namespace {

using protocol::AlterConfigsRequest;
using protocol::ErrorCode;

// Everything that was set is replaced.
std::optional<AlterRefusal> replace(const std::vector<AlterConfigsRequest::AlterableConfig>& wanted,
                                    zk::Config& settings) {
  settings.clear();
  for (const auto& config : wanted) {
    if (!config.value) {
      return AlterRefusal{ErrorCode::invalid_request,
                          fmt::format("Null value not supported for : {}", config.name)};
    }
    for (const auto& [name, value] : settings) {
      if (name == config.name) {
        return AlterRefusal{ErrorCode::invalid_request,
                            fmt::format("Error due to duplicate config keys : {}", name)};
      }
    }
    settings.emplace_back(config.name, *config.value);
  }
  return std::nullopt;
}

}  // namespace

void alter_configs(Call call, AlterConfigsRequest request) {
  std::vector<Alteration> alterations;
  for (auto& resource : request.resources) {
    alterations.push_back(
        {resource.resource_type, resource.resource_name,
         [wanted = std::move(resource.configs)](zk::Config& settings) { return replace(wanted, settings); }});
  }
  Services& services = call.services;
  const auto shared = std::make_shared<Call>(std::move(call));
  alter(services, std::move(alterations), request.validate_only,
        [shared](std::vector<AlterOutcome> outcomes) {
          protocol::AlterConfigsResponse response;
          for (AlterOutcome& outcome : outcomes) {
            auto& row = response.responses.emplace_back();
            row.error_code = outcome.error.code;
            if (outcome.error.code != ErrorCode::none) row.error_message = std::move(outcome.error.message);
            row.resource_type = outcome.resource_type;
            row.resource_name = std::move(outcome.resource_name);
          }
          shared->respond.send(response);
        });
}

}  // namespace tandem::broker::api
