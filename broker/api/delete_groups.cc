#include <set>

#include "broker/api/group_service.h"
#include "broker/api/handlers.h"

namespace tandem::broker::api {

void delete_groups(Call call, protocol::DeleteGroupsRequest request) {
  const auto shared = std::make_shared<Call>(std::move(call));
  shared->services.groups->run(
      [shared, request = std::move(request)](group::GroupCoordinator& core, group::Now now) {
        protocol::DeleteGroupsResponse response;
        std::set<std::string> seen;  // a group named twice is deleted once
        for (const auto& group : request.groups_names) {
          if (seen.insert(group).second) response.results.push_back({group, core.delete_group(group, now)});
        }
        shared->respond.send(response);
      });
}

}  // namespace tandem::broker::api
