#include "broker/api/group_service.h"
#include "broker/api/handlers.h"

namespace tandem::broker::api {

namespace {

constexpr std::int16_t kSinceNullProtocol = 7;

}  // namespace

void join_group(Call call, protocol::JoinGroupRequest request) {
  const auto shared = std::make_shared<Call>(std::move(call));
  group::Caller caller{std::string(shared->frame.client_id), shared->client->host};
  shared->services.groups->join(std::move(caller), std::move(request), shared->version(),
                                [shared](protocol::JoinGroupResponse response) {
                                  const bool nullable = shared->version() >= kSinceNullProtocol;
                                  if (!nullable && !response.protocol_name) response.protocol_name = "";
                                  shared->respond.send(response);
                                });
}

}  // namespace tandem::broker::api
