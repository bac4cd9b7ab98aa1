#include "broker/api/handlers.h"
#include "broker/api/pass_on.h"

namespace tandem::broker::api {

void allocate_producer_ids(Call call, protocol::AllocateProducerIdsRequest request) {
  pass_on(std::move(call), std::move(request));
}

}  // namespace tandem::broker::api
