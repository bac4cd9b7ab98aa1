#include "broker/api/handlers.h"
#include "broker/api/pass_on.h"

namespace tandem::broker::api {

void list_partition_reassignments(Call call, protocol::ListPartitionReassignmentsRequest request) {
  pass_on(std::move(call), std::move(request));
}

}  // namespace tandem::broker::api
