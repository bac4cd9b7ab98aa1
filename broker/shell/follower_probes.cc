#include "broker/shell/follower_probes.h"

#include <algorithm>

#include "broker/protocol/messages/api_versions.h"

namespace tandem::broker::shell {
namespace {

constexpr std::size_t kProbingShard = 0;

}  // namespace

FollowerProbes::FollowerProbes(api::Shards& shards, const api::MetadataCache& metadata,
                               FollowerProbesOptions options, std::function<void()> on_suspects,
                               logging::Logger log)
    : shards_(shards),
      metadata_(metadata),
      options_(std::move(options)),
      on_suspects_(std::move(on_suspects)),
      log_(log),
      core_(options_.suspect_after),
      timer_(shards.loop(kProbingShard), [this] {
        hear();
        core_.on_deadline(now());
        pump();
      }) {}

FollowerProbes::~FollowerProbes() = default;

// The core hears it with the next tick of a shard; a suspect that is back, at once.
void FollowerProbes::heard(std::int32_t follower) {
  const std::lock_guard guard(mutex_);
  heard_[follower] = now();
  if (!suspects_->contains(follower)) return;
  auto left = std::make_shared<Brokers>(*suspects_);
  left->erase(follower);
  suspects_ = std::move(left);
}

std::shared_ptr<const FollowerProbes::Brokers> FollowerProbes::suspects() const {
  const std::lock_guard guard(mutex_);
  return suspects_;
}

void FollowerProbes::held_up(std::size_t shard, Brokers followers) {
  shards_.post(kProbingShard, [this, shard, followers = std::move(followers)]() mutable {
    hear();
    core_.on_held_up(shard, std::move(followers), now());
    pump();
  });
}

void FollowerProbes::hear() {
  std::map<std::int32_t, base::Instant> heard;
  {
    const std::lock_guard guard(mutex_);
    heard.swap(heard_);
  }
  for (const auto& [broker, at] : heard) core_.on_heard(broker, at);
}

void FollowerProbes::pump() {
  for (const auto broker : core_.take()) probe(broker);
  publish();
  timer_.set(core_.next_deadline());
}

void FollowerProbes::probe(std::int32_t broker) {
  auto& link = links_[broker];
  if (!link) {
    PeerLinkOptions options;
    options.client_id = std::to_string(options_.broker_id);
    options.connect_timeout = options_.suspect_after;
    options.answer_timeout = options_.suspect_after;
    link = std::make_unique<PeerLink>(shards_.loop(kProbingShard), options,
                                      [this, broker] { return locate(broker); });
  }
  if (link->busy()) return;
  link->ask<protocol::ApiVersionsRequest>(
      0, {}, [this, broker](const base::Result<protocol::ApiVersionsResponse>& answer) {
        hear();
        if (answer) {
          core_.on_heard(broker, now());
        } else {
          core_.on_probe_lost(broker, now());
        }
        pump();
      });
}

void FollowerProbes::publish() {
  std::shared_ptr<const Brokers> before;
  {
    const std::lock_guard guard(mutex_);
    before = suspects_;
    if (*before == core_.suspects()) return;
    suspects_ = std::make_shared<const Brokers>(core_.suspects());
  }
  bool any = false;
  for (const auto broker : core_.suspects()) {
    if (before->contains(broker)) continue;
    any = true;
    log_.warn("broker {} has neither fetched nor answered for {} ms: it may leave in-sync sets", broker,
              options_.suspect_after.count());
  }
  if (any) on_suspects_();
}

std::optional<net::Endpoint> FollowerProbes::locate(std::int32_t broker) const {
  const auto image = metadata_.image();
  const auto* known = image->broker(broker);
  const auto* endpoint = known == nullptr ? nullptr : known->endpoint(options_.listener);
  if (endpoint == nullptr) return std::nullopt;
  return net::Endpoint{endpoint->host, static_cast<std::uint16_t>(endpoint->port)};
}

}  // namespace tandem::broker::shell
