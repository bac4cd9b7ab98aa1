#include "broker/replica/truncation.h"

#include <algorithm>

namespace tandem::broker::replica {

Truncation truncation_for(const FollowedLog& log, const EpochEnd& leader, std::int64_t otherwise) {
  const std::int64_t end = log.end_offset();
  if (leader.end_offset == EpochEnd{}.end_offset) return {otherwise, true};
  if (leader.epoch == EpochEnd{}.epoch)
    return {std::min(leader.end_offset, end), true};  // a leader before KIP-279
  const EpochEnd own = log.end_of(leader.epoch);
  // Nothing is known here of epochs so old; the leader's end is below all that is known.
  if (own.end_offset == EpochEnd{}.end_offset) return {std::min(leader.end_offset, end), true};
  if (own.epoch != leader.epoch) return {std::min(own.end_offset, end), false};
  return {std::min({own.end_offset, leader.end_offset, end}), true};
}

}  // namespace tandem::broker::replica
