#include "broker/api/group_service.h"
#include "broker/api/handlers.h"
#include "broker/api/metadata_cache.h"

namespace tandem::broker::api {

void describe_groups(Call call, protocol::DescribeGroupsRequest request) {
  const auto shared = std::make_shared<Call>(std::move(call));
  shared->services.groups->run(
      [shared, request = std::move(request)](group::GroupCoordinator& core, group::Now) {
        protocol::DescribeGroupsResponse response;
        for (const auto& group : request.groups) {
          auto described = core.describe(group);
          const bool asked =
              request.include_authorized_operations && described.error_code == protocol::ErrorCode::none;
          if (asked) described.authorized_operations = kGroupOperations;
          response.groups.push_back(std::move(described));
        }
        shared->respond.send(response);
      });
}

}  // namespace tandem::broker::api
