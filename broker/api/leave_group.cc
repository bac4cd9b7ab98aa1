#include "broker/api/group_service.h"
#include "broker/api/handlers.h"

namespace tandem::broker::api {

void leave_group(Call call, protocol::LeaveGroupRequest request) {
  const auto shared = std::make_shared<Call>(std::move(call));
  shared->services.groups->run(
      [shared, request = std::move(request)](group::GroupCoordinator& core, group::Now now) {
        shared->respond.send(core.leave(request, shared->version(), now));
      });
}

}  // namespace tandem::broker::api
