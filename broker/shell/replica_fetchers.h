// ReplicaFetchers: the followers of this broker. For each shard and each leader broker at least one fetcher
// core with a connection of its own to the leader's inter-broker listener; more where num.replica.fetchers
// asks for more than there are shards. A partition is fetched on its owner's thread, which stores what comes.
// The server makes it before the first LeaderAndIsr and destroys it after the shards have stopped.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/api/following.h"
#include "broker/api/metadata_cache.h"
#include "broker/api/services.h"
#include "broker/replica/fetcher.h"

namespace tandem::broker::shell {

struct ReplicaFetchersOptions {
  replica::FetcherOptions core;               // the broker's number is filled in
  std::size_t fetchers = 1;                   // num.replica.fetchers, for each leader
  std::string listener;                       // inter.broker.listener.name
  base::milliseconds socket_timeout{30'000};  // replica.socket.timeout.ms
};

class ReplicaFetchers final : public api::Following {
 public:
  ReplicaFetchers(api::Shards& shards, const api::MetadataCache& metadata, const api::Node& node,
                  ReplicaFetchersOptions options, logging::Logger log);
  ~ReplicaFetchers() override;

  void follow(api::Replica& replica) override;
  void unfollow(api::Replica& replica) override;
  // Any thread; for partitions that are followed from now on.
  void set_fetchers(std::size_t of_each_leader) { fetchers_ = of_each_leader; }

 private:
  class Source;
  using SourceKey = std::pair<std::int32_t, std::size_t>;  // leader, fetcher
  struct OfShard {
    std::map<SourceKey, std::unique_ptr<Source>> sources;
    std::unordered_map<const api::Replica*, Source*> follows;
  };

  Source& source_for(const api::Replica& replica);
  void drop_if_idle(std::size_t shard, SourceKey key);

  api::Shards& shards_;
  const api::MetadataCache& metadata_;
  const api::Node& node_;
  ReplicaFetchersOptions options_;
  std::atomic<std::size_t> fetchers_;
  logging::Logger log_;
  std::vector<OfShard> of_shard_;
};

}  // namespace tandem::broker::shell
