// What AlterConfigs and IncrementalAlterConfigs share: a resource's settings in the tree are read, changed,
// checked and written back under a check of /controller, then a notification tells every broker. Resources
// one after another; callbacks on the control thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "broker/api/handler.h"
#include "broker/api/services.h"
#include "broker/protocol/errors.h"
#include "broker/zk/configs.h"

namespace tandem::broker::api {

// The resource types of configs that have settings here.
inline constexpr std::int8_t kTopicResource = 2;
inline constexpr std::int8_t kBrokerResource = 4;
inline constexpr std::int8_t kBrokerLoggerResource = 8;

struct AlterRefusal {
  protocol::ErrorCode code = protocol::ErrorCode::none;
  std::string message;
};

struct Alteration {
  std::int8_t resource_type = 0;
  std::string resource_name;
  // Changes the settings, or says why not.
  std::function<std::optional<AlterRefusal>(zk::Config& settings)> change;
};

struct AlterOutcome {
  std::int8_t resource_type = 0;
  std::string resource_name;
  AlterRefusal error;
};

void alter(Services& services, std::vector<Alteration> alterations, bool validate_only,
           std::function<void(std::vector<AlterOutcome>)> done);

// The whole handler but for what is changed: the two APIs answer alike. `change_of` takes a resource of the
// request and gives its Alteration::change.
template <class Request, class ChangeOf>
void alter_and_answer(Call call, Request request, const ChangeOf& change_of) {
  std::vector<Alteration> alterations;
  for (auto& resource : request.resources)
    alterations.push_back({resource.resource_type, resource.resource_name, change_of(resource)});
  Services& services = call.services;
  const auto shared = std::make_shared<Call>(std::move(call));
  alter(services, std::move(alterations), request.validate_only,
        [shared](std::vector<AlterOutcome> outcomes) {
          typename Request::Response response;
          for (AlterOutcome& outcome : outcomes) {
            auto& row = response.responses.emplace_back();
            row.error_code = outcome.error.code;
            if (!outcome.error.message.empty()) row.error_message = std::move(outcome.error.message);
            row.resource_type = outcome.resource_type;
            row.resource_name = std::move(outcome.resource_name);
          }
          shared->respond.send(response);
        });
}

// Where a resource's settings are in the tree. A broker without a name means all of them.
struct ConfigPlace {
  std::string type;
  std::string entity;
};
ConfigPlace topic_place(const std::string& topic);
ConfigPlace broker_place(const std::string& broker);
std::optional<std::int32_t> broker_id_of(const std::string& name);

inline constexpr std::string_view kNoLoggers = "Loggers of this broker cannot be listed or set yet.";

}  // namespace tandem::broker::api
