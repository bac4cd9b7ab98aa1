#include "broker/api/cluster_control.h"
#include "broker/api/handlers.h"

namespace tandem::broker::api {

void allocate_producer_ids(Call call, protocol::AllocateProducerIdsRequest request) {
  auto pending = std::make_shared<Call>(std::move(call));
  pending->services.control->ask(std::move(request), [pending](controller::ControllerReply reply) {
    pending->respond.send(std::get<protocol::AllocateProducerIdsResponse>(reply));
  });
}

}  // namespace tandem::broker::api
