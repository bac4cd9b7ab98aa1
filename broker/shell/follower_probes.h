// FollowerProbes: performs what replica/follower_watch asks: an ApiVersions request to a follower's listener
// between brokers, which every broker answers that runs. Followers are heard of on any thread; the core, its
// timer and the connections are on the first shard's. The server makes it before the shards start and
// destroys it after they have stopped.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "broker/api/following.h"
#include "broker/api/metadata_cache.h"
#include "broker/api/shards.h"
#include "broker/replica/follower_watch.h"
#include "broker/shell/peer_link.h"
#include "logging/logger.h"
#include "net/timer.h"

namespace tandem::broker::shell {

struct FollowerProbesOptions {
  base::milliseconds suspect_after{3000};  // tandem.replica.suspect.ms
  std::string listener;                    // inter.broker.listener.name
  std::int32_t broker_id = -1;
};

class FollowerProbes final : public api::FollowerProbes {
 public:
  // `on_suspects`: there is a suspect that was none before; on the first shard's thread.
  FollowerProbes(api::Shards& shards, const api::MetadataCache& metadata, FollowerProbesOptions options,
                 std::function<void()> on_suspects, logging::Logger log);
  ~FollowerProbes() override;

  void heard(std::int32_t follower) override;
  void held_up(std::size_t shard, Brokers followers) override;
  base::Duration patience() const override { return core_.patience(); }
  std::shared_ptr<const Brokers> suspects() const override;

 private:
  base::Instant now() const { return shards_.loop(0).clock().now(); }
  void hear();
  void pump();
  void probe(std::int32_t broker);
  void publish();
  std::optional<net::Endpoint> locate(std::int32_t broker) const;

  api::Shards& shards_;
  const api::MetadataCache& metadata_;
  FollowerProbesOptions options_;
  std::function<void()> on_suspects_;
  logging::Logger log_;

  // ---- the first shard's thread ----
  replica::FollowerWatch core_;
  net::Timer timer_;
  std::map<std::int32_t, std::unique_ptr<PeerLink>> links_;

  mutable std::mutex mutex_;                     // guards what follows
  std::map<std::int32_t, base::Instant> heard_;  // since the core was told last
  std::shared_ptr<const Brokers> suspects_ = std::make_shared<const Brokers>();
};

}  // namespace tandem::broker::shell
