// The answer of a Fetch, from what its items have read; its session is told what was said and what rests. On
// the connection's shard.
#pragma once

#include "broker/api/fetch_items.h"

namespace tandem::broker::api {

void answer_fetch(Call& call, const replica::ClusterImage& image, const FetchRules& rules, FetchItems& items);
void refuse_fetch(Call& call, protocol::ErrorCode error);

}  // namespace tandem::broker::api
