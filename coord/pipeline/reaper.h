// Finds containers and TTL nodes whose time has come, and paces their deletion. Leader only; what it names is
// proposed as deleteContainer and judged again there. Source: Apache's ContainerManager.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "base/clock.h"
#include "coord/tree/data_tree.h"

namespace tandem::coord::pipeline {

struct ReaperOptions {
  std::int64_t check_interval_ms = 60000;       // znode.container.checkIntervalMs
  std::int64_t max_per_minute = 10000;          // znode.container.maxPerMinute
  std::int64_t max_never_used_interval_ms = 0;  // znode.container.maxNeverUsedIntervalMs; 0: never
};

class Reaper {
 public:
  Reaper(ReaperOptions options, const tree::DataTree& tree, base::Instant now);

  // The next node to delete, when it is time for one.
  std::optional<std::string> next(base::Instant now, base::WallTime wall);
  base::Instant next_deadline() const { return candidates_.empty() ? next_check_ : next_deletion_; }

 private:
  void collect(base::WallTime wall);

  ReaperOptions options_;
  const tree::DataTree& tree_;
  std::deque<std::string> candidates_;
  base::Instant next_check_;
  base::Instant next_deletion_;
};

}  // namespace tandem::coord::pipeline
