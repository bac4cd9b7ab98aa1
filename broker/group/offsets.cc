#include "broker/group/offsets.h"

namespace tandem::broker::group {

void OffsetTable::settle(const TopicPartition& at) {
  const auto pending = pending_.find(at);
  if (pending != pending_.end() && --pending->second == 0) pending_.erase(pending);
}

const Committed* OffsetTable::find(const TopicPartition& at) const {
  const auto found = offsets_.find(at);
  return found == offsets_.end() ? nullptr : &found->second;
}

}  // namespace tandem::broker::group
