#include "broker/api/cluster_control.h"
#include "broker/api/handlers.h"

namespace tandem::broker::api {

void alter_partition(Call call, protocol::AlterPartitionRequest request) {
  auto pending = std::make_shared<Call>(std::move(call));
  pending->services.control->ask(std::move(request), [pending](controller::ControllerReply reply) {
    pending->respond.send(std::get<protocol::AlterPartitionResponse>(reply));
  });
}

}  // namespace tandem::broker::api
