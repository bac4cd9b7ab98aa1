#include "broker/api/staged_appends.h"

#include <algorithm>

#include "broker/api/replicas.h"

namespace tandem::broker::api {

void StagedAppends::add(Replica& replica) {
  const auto same = [&](const auto& other) { return other.get() == &replica; };
  if (std::none_of(replicas_.begin(), replicas_.end(), same)) replicas_.push_back(replica.shared_from_this());
}

void StagedAppends::add(std::shared_ptr<Request> request) { requests_.push_back(std::move(request)); }

void StagedAppends::finish() {
  if (requests_.empty()) return;
  for (const auto& replica : replicas_) replica->write_staged();
  // Whoever waits for one partition may read the others too.
  for (const auto& replica : replicas_)
    if (!replica->log->failed()) replica->settle(replica->owner.clock().wall().ms);
  replicas_.clear();
  for (const auto& request : requests_) request->written();
  requests_.clear();
}

}  // namespace tandem::broker::api
