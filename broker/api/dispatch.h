// From a frame to its handler: reads the header, decodes the request in its version, calls the handler.
// The table in dispatch.cc is what this broker serves; ApiVersions lists exactly its rows that are for
// clients.
#pragma once

#include <vector>

#include "base/result.h"
#include "broker/api/handler.h"
#include "broker/protocol/messages/api_versions.h"
#include "bytes/slice.h"

namespace tandem::broker::api {

// nullptr when the API is not served.
Handler find_handler(protocol::ApiKey key);

// The rows of an ApiVersions response, ascending.
std::vector<protocol::ApiVersionsResponse::ApiVersion> served_apis();

}  // namespace tandem::broker::api
