#include "broker/api/group_service.h"
#include "broker/api/handlers.h"

namespace tandem::broker::api {

void heartbeat(Call call, protocol::HeartbeatRequest request) {
  const auto shared = std::make_shared<Call>(std::move(call));
  shared->services.groups->run(
      [shared, request = std::move(request)](group::GroupCoordinator& core, group::Now now) {
        protocol::HeartbeatResponse response;
        response.error_code = core.heartbeat(request, now);
        shared->respond.send(response);
      });
}

}  // namespace tandem::broker::api
