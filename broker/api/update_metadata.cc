#include "broker/api/handlers.h"
#include "broker/api/metadata_cache.h"

namespace tandem::broker::api {

void update_metadata(Call call, protocol::UpdateMetadataRequest request) {
  protocol::UpdateMetadataResponse response;
  const std::int64_t own_epoch = call.services.node.broker_epoch;
  // -1: the controller does not say; a newer epoch than ours: it knows our new session before we do
  // (KIP-380).
  if (request.broker_epoch != -1 && request.broker_epoch < own_epoch) {
    response.error_code = protocol::ErrorCode::stale_broker_epoch;
  } else {
    response.error_code = call.services.metadata.update(request);
  }
  call.respond.send(response);
}

}  // namespace tandem::broker::api
