// on_owners(): small jobs on partitions, each on the thread of the partition's owner, then one `done` on the
// thread of the last. For the APIs that are not hot; Produce and Fetch use scatter() themselves.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "broker/api/scatter.h"

namespace tandem::broker::api {

struct OwnedJob {
  std::size_t shard = 0;
  std::function<void()> run;
};

class OwnedJobs {
 public:
  OwnedJobs(std::vector<OwnedJob> jobs, std::function<void()> done)
      : jobs_(std::move(jobs)), done_(std::move(done)) {}

  void work(std::size_t shard) {
    for (OwnedJob& job : jobs_)
      if (job.shard == shard) job.run();
  }
  void done() { done_(); }

 private:
  std::vector<OwnedJob> jobs_;
  std::function<void()> done_;
};

inline void on_owners(Shards& shards, std::vector<OwnedJob> jobs, std::function<void()> done) {
  ShardSet set(shards.size());
  for (const OwnedJob& job : jobs) set.add(job.shard);
  auto state = std::make_shared<OwnedJobs>(std::move(jobs), std::move(done));
  scatter(shards, set, std::move(state), &OwnedJobs::work, &OwnedJobs::done);
}

}  // namespace tandem::broker::api
