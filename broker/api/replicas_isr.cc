// The in-sync sets of the partitions led here: what their followers fetch, and what the controller is asked.
#include <fmt/format.h>

#include "broker/api/replicas.h"

namespace tandem::broker::api {

using protocol::ErrorCode;

void Replicas::on_follower_fetch(Replica& replica, std::int32_t follower,
                                 const replica::Partition::Fetched& fetched) {
  const bool trimmed = fetched.log_start > 0 && fetched.log_start != replica.core.log_start_of(follower);
  const bool moved = replica.core.on_fetch(follower, fetched, replica.ends(), clock_.now());
  if (auto change = replica.core.expand(follower)) ask_isr(replica, std::move(*change));
  // Who waits for a deletion of records waits for the followers' log starts, too.
  if (moved || trimmed) replica.changed();
}

void Replicas::shrink_isrs(std::size_t shard, bool lagging) {
  const FollowerProbes::Brokers nobody;
  const auto now = clock_.now();
  const auto suspects = probes_ == nullptr ? nullptr : probes_->suspects();
  const bool any = suspects != nullptr && !suspects->empty();
  FollowerProbes::Brokers silent;
  std::vector<std::pair<Replica*, replica::IsrChange>> changes;
  for (const auto& [topic, partitions] : state_[shard]->topics) {
    for (const auto& [index, replica] : partitions) {
      if (!replica->core.has_followers() || replica->log->failed()) continue;
      if (probes_ != nullptr) replica->core.add_silent(replica->ends(), now, probes_->patience(), silent);
      if (!lagging && !any) continue;
      if (auto change = replica->core.shrink(replica->ends(), now, any ? *suspects : nobody))
        changes.emplace_back(replica.get(), std::move(*change));
    }
  }
  if (probes_ != nullptr) probes_->held_up(shard, std::move(silent));
  for (auto& [replica, change] : changes) ask_isr(*replica, std::move(change));
}

void Replicas::on_brokers_gone(const std::set<std::int32_t>& gone) {
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    shards_.post(shard, [this, shard, gone] {
      const auto now = clock_.now();
      for (const auto& [topic, partitions] : state_[shard]->topics)
        for (const auto& [index, replica] : partitions)
          if (!replica->log->failed() && replica->core.on_brokers_gone(gone, replica->ends(), now))
            replica->changed();
    });
  }
}

void Replicas::ask_isr(Replica& replica, replica::IsrChange change) {
  const auto& isr = replica.core.state().isr;
  log_.info("{}-{}: asking for the in-sync replicas [{}] in place of [{}]", replica.topic, replica.partition,
            fmt::join(change.isr, ","), fmt::join(isr, ","));
  if (keeper_ == nullptr) {
    replica.core.on_isr_refused(change, replica.ends(), clock_.now());
    return;
  }
  IsrKeeper::Ask ask;
  ask.topic = replica.topic;
  ask.topic_id = replica.log->topic_id().value_or(protocol::Uuid{});
  ask.partition = replica.partition;
  ask.shard = replica.shard;
  ask.change = change;
  const auto self = state_[replica.shard]->topics[replica.topic][replica.partition];
  keeper_->ask(std::move(ask), [this, self, change](ErrorCode error, replica::IsrChange now) {
    on_isr_answered(*self, change, error, now);
  });
}

void Replicas::on_isr_answered(Replica& replica, const replica::IsrChange& asked, ErrorCode error,
                               const replica::IsrChange& now) {
  switch (error) {
    case ErrorCode::none:
      log_.info("{}-{}: the in-sync replicas are [{}], version {}", replica.topic, replica.partition,
                fmt::join(now.isr, ","), now.partition_epoch);
      // A log that has failed acknowledges nothing any more, not even as the only one in sync.
      if (replica.log->failed()) return;
      replica.core.on_isr_changed(now, replica.ends(), clock_.now());
      return replica.changed();
    // The controller's version is the one known here, and nothing was written.
    case ErrorCode::ineligible_replica:
    case ErrorCode::operation_not_attempted:
      log_.info("{}-{}: the controller refuses the in-sync replicas [{}]", replica.topic, replica.partition,
                fmt::join(asked.isr, ","));
      if (!replica.log->failed() && replica.core.on_isr_refused(asked, replica.ends(), clock_.now()))
        replica.changed();
      return;
    // What is known here is old, or the answer to an earlier attempt was lost: the controller will tell.
    default:
      log_.info("{}-{}: the in-sync replicas are not changed: {}", replica.topic, replica.partition,
                to_string(error));
  }
}

}  // namespace tandem::broker::api
