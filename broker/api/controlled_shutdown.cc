#include "broker/api/handlers.h"
#include "broker/api/pass_on.h"

namespace tandem::broker::api {

void controlled_shutdown(Call call, protocol::ControlledShutdownRequest request) {
  pass_on(std::move(call), std::move(request));
}

}  // namespace tandem::broker::api
