// What there is to tell of a partition that a Fetch has read, and what has come to it since: whether a fetch
// need not wait, or waits no longer. On the partition's owner, but for is_answer().
#pragma once

#include "broker/api/fetch_read.h"

namespace tandem::broker::api {

// What was read is to be answered at once, however few bytes it is.
bool is_answer(const FetchItem& item, const FetchRules& rules);
// There is more for this reader than when the item was read.
bool has_news(const Replica& replica, const FetchItem& item, const FetchRules& rules);
// What a change counts for, in bytes towards those the fetch waits for; as many as can be when it is an
// answer by itself.
std::uint64_t gained(Replica& replica, FetchItem& item, const FetchRules& rules);

}  // namespace tandem::broker::api
