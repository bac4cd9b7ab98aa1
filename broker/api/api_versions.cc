#include <algorithm>

#include "broker/api/dispatch.h"
#include "broker/api/handlers.h"

namespace tandem::broker::api {

namespace {

// [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])? of KIP-511.
bool is_software_text(const std::string& text) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const auto is_inner = [&](char c) { return is_plain(c) || c == '-' || c == '.'; };
  return !text.empty() && is_plain(text.front()) && is_plain(text.back()) &&
         std::all_of(text.begin(), text.end(), is_inner);
}

}  // namespace

void api_versions(Call call) {
  protocol::ApiVersionsResponse response;
  if (!call.frame.version_known) {  // KIP-511: told in version 0 what to ask for instead
    response.error_code = protocol::ErrorCode::unsupported_version;
    const auto& api = protocol::api_of(protocol::ApiKey::api_versions);
    response.api_keys.push_back({static_cast<std::int16_t>(api.key), 0, api.version_max});
    return call.respond.send_as(response, 0);
  }
  protocol::ApiVersionsRequest request;
  if (!protocol::decode_into(request, call.frame)) return call.respond.close();
  if (call.version() >= 3) {
    if (!is_software_text(request.client_software_name) ||
        !is_software_text(request.client_software_version)) {
      response.error_code = protocol::ErrorCode::invalid_request;
      return call.respond.send(response);
    }
    call.client->software_name = request.client_software_name;
    call.client->software_version = request.client_software_version;
  }
  response.api_keys = served_apis();
  response.finalized_features_epoch = call.services.node.features_epoch;
  call.respond.send(response);
}

}  // namespace tandem::broker::api
