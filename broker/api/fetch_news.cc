#include "broker/api/fetch_news.h"

#include <algorithm>

namespace tandem::broker::api {

namespace {

// Where consumers read from followers, these are told of a watermark at once, not with the next records.
bool wants_watermark(const FetchRules& rules) { return rules.rack_aware && rules.replica_id >= 0; }

bool lacks_watermark(const Replica& replica, const FetchItem& item, const FetchRules& rules) {
  return wants_watermark(rules) && replica.core.high_watermark() > item.seen_high_watermark;
}

// About how many bytes came since the item was read.
std::uint64_t bytes_since(Replica& replica, FetchItem& item) {
  const std::int64_t from = std::max(item.seen_end, replica.log->start_offset());
  item.seen_end = replica.log->end_offset();
  const auto range = replica.log->read(from, INT32_MAX, item.seen_end, false);
  return range ? range->size : 1;
}

}  // namespace

bool is_answer(const FetchItem& item, const FetchRules& rules) {
  return item.data.error_code != protocol::ErrorCode::none || item.data.diverging_epoch.epoch >= 0 ||
         item.data.preferred_read_replica >= 0 ||
         (wants_watermark(rules) && item.data.high_watermark > item.told.high_watermark);
}

bool has_news(const Replica& replica, const FetchItem& item, const FetchRules& rules) {
  return visible_end(replica, rules) > item.seen_end || lacks_watermark(replica, item, rules);
}

std::uint64_t gained(Replica& replica, FetchItem& item, const FetchRules& rules) {
  std::uint64_t out = 0;
  // Another leader epoch or a failed log is an answer by itself.
  if (replica.core.leader_epoch() != item.seen_epoch || replica.log->failed() ||
      lacks_watermark(replica, item, rules))
    out = UINT32_MAX;
  if (visible_end(replica, rules) > item.seen_end && !item.throttled) out += bytes_since(replica, item);
  return out;
}

}  // namespace tandem::broker::api
