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
  alter_and_answer(std::move(call), std::move(request), [](auto& resource) {
    return [wanted = std::move(resource.configs)](zk::Config& settings) { return replace(wanted, settings); };
  });
}

}  // namespace tandem::broker::api
