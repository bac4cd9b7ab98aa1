#include "broker/api/group_service.h"
#include "broker/api/handlers.h"

namespace tandem::broker::api {

void sync_group(Call call, protocol::SyncGroupRequest request) {
  const auto shared = std::make_shared<Call>(std::move(call));
  shared->services.groups->sync(std::move(request), [shared](const protocol::SyncGroupResponse& response) {
    shared->respond.send(response);
  });
}

}  // namespace tandem::broker::api
