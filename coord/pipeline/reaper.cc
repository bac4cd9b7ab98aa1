#include "coord/pipeline/reaper.h"

#include <algorithm>

namespace tandem::coord::pipeline {

Reaper::Reaper(ReaperOptions options, const tree::DataTree& tree, base::Instant now)
    : options_(options), tree_(tree), next_check_(now + base::milliseconds(options.check_interval_ms)) {}

void Reaper::collect(base::WallTime wall) {
  for (const tree::NodeId id : tree_.owners().containers()) {
    if (tree_.child_count(id) > 0) continue;
    const jute::StatPersisted stat = tree_.persisted_stat(id);
    // One that never had a child is left alone: its maker may be about to use it.
    const bool never_used_too_long = options_.max_never_used_interval_ms != 0 &&
                                     wall.ms - stat.mtime > options_.max_never_used_interval_ms;
    if (stat.cversion > 0 || never_used_too_long) candidates_.push_back(tree_.path(id));
  }
  for (const tree::NodeId id : tree_.owners().ttls()) {
    if (tree_.child_count(id) > 0) continue;
    const jute::StatPersisted stat = tree_.persisted_stat(id);
    const std::int64_t ttl_ms = tree::ttl_of_owner(stat.ephemeral_owner);
    if (ttl_ms != 0 && wall.ms - stat.mtime > ttl_ms) candidates_.push_back(tree_.path(id));
  }
  std::sort(candidates_.begin(), candidates_.end());
}

std::optional<std::string> Reaper::next(base::Instant now, base::WallTime wall) {
  if (candidates_.empty()) {
    if (now < next_check_) return std::nullopt;
    next_check_ = now + base::milliseconds(options_.check_interval_ms);
    collect(wall);
    next_deletion_ = now;
    if (candidates_.empty()) return std::nullopt;
  }
  if (now < next_deletion_) return std::nullopt;
  next_deletion_ = now + base::milliseconds(60'000 / std::max<std::int64_t>(1, options_.max_per_minute));
  std::string path = std::move(candidates_.front());
  candidates_.pop_front();
  return path;
}

}  // namespace tandem::coord::pipeline
