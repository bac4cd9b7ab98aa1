#include "broker/api/group_service.h"
#include "broker/api/handlers.h"

namespace tandem::broker::api {

void list_groups(Call call, protocol::ListGroupsRequest request) {
  const auto shared = std::make_shared<Call>(std::move(call));
  shared->services.groups->run(
      [shared, request = std::move(request)](group::GroupCoordinator& core, group::Now) {
        shared->respond.send(core.list(request));
      });
}

}  // namespace tandem::broker::api
