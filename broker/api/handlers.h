// The handlers, one for each served API, each in a file of its name; dispatch.cc decodes for them.
// Called on the thread of the connection's shard; the contract is in handler.h.
#pragma once

#include "broker/api/handler.h"
#include "broker/protocol/messages/api_versions.h"
#include "broker/protocol/messages/describe_cluster.h"
#include "broker/protocol/messages/metadata.h"
#include "broker/protocol/messages/update_metadata.h"

namespace tandem::broker::api {

void api_versions(Call call);  // answers versions that it does not know, so it decodes for itself
void describe_cluster(Call call, protocol::DescribeClusterRequest request);
void metadata(Call call, protocol::MetadataRequest request);
void update_metadata(Call call, protocol::UpdateMetadataRequest request);

}  // namespace tandem::broker::api
