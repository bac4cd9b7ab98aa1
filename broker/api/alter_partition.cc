#include "broker/api/handlers.h"
#include "broker/api/pass_on.h"

namespace tandem::broker::api {

void alter_partition(Call call, protocol::AlterPartitionRequest request) {
  pass_on(std::move(call), std::move(request));
}

}  // namespace tandem::broker::api
