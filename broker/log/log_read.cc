// Reading: from an offset to a range of a segment file, and from a timestamp to an offset.
#include <algorithm>

#include "broker/log/log.h"
#include "broker/record/record.h"

namespace tandem::broker::log {

using base::Result;

// How far into the segment a reader may go that sees offsets below `offset_max`.
Result<std::uint64_t> Log::bound_of(Segment& segment, std::int64_t offset_max) {
  if (offset_max >= end_offset()) return segment.size();
  const auto next = segments_.upper_bound(segment.base_offset());
  if (next != segments_.end() && next->first <= offset_max) return segment.size();
  for (const Recent& recent : recent_)
    if (recent.segment == segment.base_offset() && recent.first_offset == offset_max) return recent.position;
  const auto found = segment.find(offset_max);
  if (!found) return found.error();
  return *found ? (*found)->position : segment.size();
}

// Rotten bytes are no failure of the log: it is for the owner to decide what becomes of it.
base::Error Log::noted(base::Error error) {
  if (error.code != base::Errc::corrupt) fail(error);
  return error;
}

Result<ReadRange> Log::read(std::int64_t offset, std::uint64_t bytes_max, std::int64_t offset_max,
                            bool min_one) {
  if (failure_) return *failure_;
  ReadRange range;
  if (offset >= std::min(offset_max, end_offset())) return range;
  auto it = segments_.upper_bound(offset);
  ENSURE(it != segments_.begin(), "offset {} is below the first segment", offset);
  for (--it; it != segments_.end(); ++it) {
    Segment& segment = *it->second;
    std::optional<FoundBatch> found;
    for (const Recent& recent : recent_) {
      if (recent.segment == segment.base_offset() && recent.first_offset == offset)
        found = FoundBatch{offset, recent.position, recent.size};
    }
    if (!found) {
      const auto looked_up = segment.find(offset);
      if (!looked_up) return noted(looked_up.error());
      found = *looked_up;
    }
    if (!found) continue;  // a gap up to the next segment
    const auto bound = bound_of(segment, offset_max);
    if (!bound) return bound.error();
    if (*bound <= found->position) return range;
    std::uint64_t size = bytes_max;
    if (min_one) size = std::max(size, found->size);
    auto file = segment.file();
    if (!file) {
      fail(file.error());
      return file.error();
    }
    range.file = std::move(*file);
    range.position = found->position;
    const auto checked = segment.checked(found->position, std::min(size, *bound - found->position), epochs_);
    if (!checked) return noted(checked.error());
    range.size = *checked;
    return range;
  }
  return range;
}

Result<std::optional<TimestampFound>> Log::find_timestamp(std::int64_t timestamp) {
  if (failure_) return *failure_;
  for (auto& [base, segment] : segments_) {
    const auto next = segments_.upper_bound(base);
    const bool active = next == segments_.end();
    if (!active && next->first <= start_offset()) continue;
    if (segment->size() == 0 || (segment->max_timestamp().timestamp < timestamp && !active)) continue;
    auto found = segment->find_timestamp(timestamp, start_offset());
    if (!found || *found) return found;
  }
  return std::optional<TimestampFound>{};
}

Result<std::optional<TimestampFound>> Log::find_max_timestamp() {
  if (failure_) return *failure_;
  Segment* best = nullptr;
  for (auto& [base, segment] : segments_)
    if (best == nullptr || segment->max_timestamp().timestamp > best->max_timestamp().timestamp)
      best = segment.get();
  if (best == nullptr || best->max_timestamp().timestamp < 0) return std::optional<TimestampFound>{};
  return best->find_timestamp(best->max_timestamp().timestamp, best->base_offset());
}

std::vector<std::pair<std::int64_t, std::int64_t>> Log::segment_times() const {
  std::vector<std::pair<std::int64_t, std::int64_t>> out;
  for (const auto& [base, segment] : segments_) out.emplace_back(base, segment->modified_ms());
  return out;
}

Result<std::vector<AbortedTxn>> Log::aborted_in(std::int64_t from, std::int64_t to) {
  std::vector<AbortedTxn> out;
  auto it = segments_.upper_bound(from);
  if (it != segments_.begin()) --it;
  for (; it != segments_.end(); ++it) {
    const auto entries = read_aborted(disk_, it->second->txn_index_path());
    if (!entries) return entries.error();
    for (const AbortedTxn& txn : *entries) {
      if (txn.last_offset >= from && txn.first_offset < to) out.push_back(txn);
      // Beyond the stable offset of an entry nothing of this range can have been open.
      if (txn.last_stable_offset >= to) return out;
    }
  }
  return out;
}

}  // namespace tandem::broker::log
