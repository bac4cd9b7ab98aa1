#include "broker/api/group_service.h"
#include "broker/api/handlers.h"

namespace tandem::broker::api {

namespace {

constexpr std::int16_t kSinceProtocolNames = 5;  // both must be there, KIP-559

}  // namespace

void sync_group(Call call, protocol::SyncGroupRequest request) {
  if (call.version() >= kSinceProtocolNames && (!request.protocol_type || !request.protocol_name)) {
    call.respond.send(
        protocol::SyncGroupResponse{.error_code = protocol::ErrorCode::inconsistent_group_protocol});
    return;
  }
  const auto shared = std::make_shared<Call>(std::move(call));
  shared->services.groups->sync(std::move(request), [shared](const protocol::SyncGroupResponse& response) {
    shared->respond.send(response);
  });
}

}  // namespace tandem::broker::api
