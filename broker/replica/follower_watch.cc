#include "broker/replica/follower_watch.h"

#include <algorithm>

namespace tandem::broker::replica {

using base::Instant;

void FollowerWatch::on_heard(std::int32_t broker, Instant now) {
  Follower& follower = followers_[broker];
  follower.heard = now;
  follower.probed.reset();
  follower.again.reset();
  suspects_.erase(broker);
}

void FollowerWatch::on_held_up(std::size_t shard, std::set<std::int32_t> brokers, Instant now) {
  for (const auto broker : brokers)
    followers_.try_emplace(broker, Follower{now, std::nullopt, std::nullopt, false});
  held_up_[shard] = std::move(brokers);
  for (auto& [broker, follower] : followers_) {
    follower.held_up = std::any_of(held_up_.begin(), held_up_.end(), [id = broker](const auto& of_shard) {
      return of_shard.second.contains(id);
    });
  }
  on_deadline(now);
}

void FollowerWatch::on_probe_lost(std::int32_t broker, Instant now) {
  const auto at = followers_.find(broker);
  if (at != followers_.end() && at->second.probed) at->second.again = now + patience() / kParts;
}

// A watch that did not run itself for a while (this process stood still) leaves an answer its time from the
// probe on, and blames nobody before.
Instant FollowerWatch::verdict(const Follower& follower) const {
  return std::max(follower.heard + suspect_after_, *follower.probed + patience());
}

Instant FollowerWatch::due(const Follower& follower) const {
  if (!follower.probed) return follower.heard + patience();
  return follower.again ? std::min(*follower.again, verdict(follower)) : verdict(follower);
}

void FollowerWatch::on_deadline(Instant now) {
  for (auto& [broker, follower] : followers_) {
    if (!follower.held_up || suspects_.contains(broker) || due(follower) > now) continue;
    if (follower.probed && verdict(follower) <= now) {
      suspects_.insert(broker);
      continue;
    }
    if (!follower.probed) follower.probed = now;
    follower.again.reset();
    probes_.push_back(broker);
  }
}

std::optional<Instant> FollowerWatch::next_deadline() const {
  std::optional<Instant> next;
  for (const auto& [broker, follower] : followers_) {
    if (!follower.held_up || suspects_.contains(broker)) continue;
    const Instant at = due(follower);
    if (!next || at < *next) next = at;
  }
  return next;
}

}  // namespace tandem::broker::replica
