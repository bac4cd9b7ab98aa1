// The handlers, one for each served API, each in a file of its name; dispatch.cc decodes for them.
// Called on the thread of the connection's shard; the contract is in handler.h.
#pragma once

#include "broker/api/handler.h"
#include "broker/protocol/messages/api_versions.h"

namespace tandem::broker::api {

void api_versions(Call call);  // answers versions that it does not know, so it decodes for itself

}  // namespace tandem::broker::api
