#include "broker/api/cluster_control.h"
#include "broker/api/handlers.h"

namespace tandem::broker::api {

void controlled_shutdown(Call call, protocol::ControlledShutdownRequest request) {
  auto pending = std::make_shared<Call>(std::move(call));
  pending->services.control->ask(std::move(request), [pending](controller::ControllerReply reply) {
    pending->respond.send(std::get<protocol::ControlledShutdownResponse>(reply));
  });
}

}  // namespace tandem::broker::api
