#include "broker/shell/replica_fetchers.h"

#include "broker/api/replicas.h"
#include "broker/shell/limits.h"
#include "broker/shell/peer_link.h"
#include "net/timer.h"

namespace tandem::broker::shell {

namespace {

using protocol::ErrorCode;
using zk::TopicPartition;

// How long a fetch that waits at the leader may keep partitions waiting that are to be fetched from now on.
constexpr base::milliseconds kNewcomersWait{10};

// The log of one partition as the core asks of it.
class LogView final : public replica::FollowedLog {
 public:
  LogView(api::Replica& replica, std::uint64_t number) : replica_(replica), number_(number) {}

  api::Replica& replica() const { return replica_; }
  std::uint64_t number() const { return number_; }  // of this time of following
  std::int64_t start_offset() const override { return replica_.log->start_offset(); }
  std::int64_t end_offset() const override { return replica_.log->end_offset(); }
  std::int64_t high_watermark() const override { return replica_.core.high_watermark(); }
  std::int64_t durable_offset() const override {
    return replica_.owner.flush_on_ack() ? replica_.durable_end() : -1;
  }
  std::optional<std::int32_t> latest_epoch() const override { return replica_.log->epochs().latest(); }
  replica::EpochEnd end_of(std::int32_t epoch) const override {
    const auto end = replica_.log->epochs().end_of(epoch, replica_.log->end_offset());
    return {end.epoch, end.end_offset};
  }
  bool throttled() const override {
    return replica_.throttled_follower() && replica_.owner.quotas().exceeded(api::Throttle::follower);
  }

 private:
  api::Replica& replica_;
  std::uint64_t number_;
};

}  // namespace

// One fetcher: a core, its connection and its timer, on the loop of a shard.
class ReplicaFetchers::Source {
 public:
  Source(ReplicaFetchers& owner, std::size_t shard, SourceKey key)
      : owner_(owner),
        shard_(shard),
        key_(key),
        loop_(owner.shards_.loop(shard)),
        core_(owner.options_.core),
        link_(loop_, link_options(), [this] { return locate(); }),
        timer_(loop_,
               [this] {
                 core_.on_deadline(now());
                 pump();
               }),
        hurry_(loop_, [this] { hurry(); }) {}

  // What is not durable yet must not count at the leader by being what the first fetch begins behind.
  void add(api::Replica& replica) {
    const TopicPartition partition{replica.topic, replica.partition};
    views_.emplace(partition, LogView(replica, ++last_view_));
    when_durable(replica, [this, partition] { begin(partition); });
  }

  void begin(const TopicPartition& partition) {
    const auto at = views_.find(partition);
    if (at == views_.end()) return;
    const api::Replica& replica = at->second.replica();
    core_.add(partition, replica.log->topic_id().value_or(protocol::Uuid{}), replica.core.leader_epoch(),
              at->second, now(), true);
    hurry_.set(now() + kNewcomersWait);
    if (begin_queued_) return;
    begin_queued_ = true;  // with all that the controller tells in one request
    loop_.defer([this] {
      begin_queued_ = false;
      core_.on_deadline(now());
      pump();
    });
  }

  void remove(api::Replica& replica) {
    const TopicPartition partition{replica.topic, replica.partition};
    if (!views_.contains(partition)) return;
    core_.remove(partition, now());
    views_.erase(partition);
    if (views_.empty())
      loop_.defer([&owner = owner_, shard = shard_, key = key_] { owner.drop_if_idle(shard, key); });
    pump();
  }

  bool idle() const { return views_.empty() && !begin_queued_; }

 private:
  base::Instant now() const { return loop_.clock().now(); }

  PeerLinkOptions link_options() const {
    PeerLinkOptions options;
    options.client_id = fmt::format("broker-{}-fetcher-{}", owner_.options_.core.broker_id, key_.second);
    options.connect_timeout = owner_.options_.socket_timeout;
    options.answer_timeout = owner_.options_.socket_timeout;
    options.response_bytes_max = kFetchResponseBytesMax;
    return options;
  }

  std::optional<net::Endpoint> locate() const {
    const auto image = owner_.metadata_.image();
    const auto* broker = image->broker(key_.first);
    const auto* endpoint = broker == nullptr ? nullptr : broker->endpoint(owner_.options_.listener);
    if (endpoint == nullptr) return std::nullopt;
    return net::Endpoint{endpoint->host, static_cast<std::uint16_t>(endpoint->port)};
  }

  // At once unless acknowledgements wait for the disk: to fetch on is to acknowledge.
  void when_durable(api::Replica& replica, std::function<void()> then) {
    replica.owner.when_durable(replica, [alive = std::weak_ptr<bool>(alive_), then = std::move(then)] {
      if (!alive.expired()) then();
    });
  }

  // A fetch may wait at the leader for as long as nothing comes: who is new does not wait for it.
  void hurry() {
    if (!core_.interrupt(now())) return;
    link_.close();
    pump();
  }

  // Effects in order; what performing them brings is behind them.
  void pump() {
    if (pumping_) return;
    pumping_ = true;
    for (auto effects = core_.take(); !effects.empty(); effects = core_.take()) {
      for (auto& effect : effects) std::visit([this](auto& each) { perform(each); }, effect);
    }
    pumping_ = false;
    timer_.set(core_.next_deadline());
  }

  void perform(replica::AskLeader& ask) {
    std::visit(
        [&](auto& request) {
          using Request = std::decay_t<decltype(request)>;
          if constexpr (std::is_same_v<Request, protocol::FetchRequest>)
            request.replica_state.replica_epoch = owner_.node_.broker_epoch;
          link_.ask<Request>(ask.version, request,
                             [this, id = ask.id](base::Result<typename Request::Response> answer) {
                               on_answer(id, std::move(answer));
                             });
        },
        ask.request);
  }

  template <class Response>
  void on_answer(std::uint64_t id, base::Result<Response> answer) {
    if (answer) {
      reachable_ = true;
      core_.on_answer(id, std::move(*answer), now());
    } else {
      if (std::exchange(reachable_, false))
        owner_.log_.warn("fetching from broker {} failed: {}", key_.first, answer.error().context);
      core_.on_lost(id, now());
    }
    pump();
  }

  // The change of a log, if the partition is still followed from here, and its outcome to the core.
  template <class Change>
  void store(const TopicPartition& partition, Change change) {
    const auto at = views_.find(partition);
    if (at == views_.end()) return core_.on_stored(partition, ErrorCode::not_leader_or_follower, now());
    api::Replica& replica = at->second.replica();
    const ErrorCode error = change(replica);
    if (error != ErrorCode::none) {
      if (error != ErrorCode::offset_out_of_range)  // which the replica has told
        owner_.log_.warn("{}-{}: what broker {} sent is not stored: {}", partition.topic, partition.partition,
                         key_.first, to_string(error));
      return core_.on_stored(partition, error, now());
    }
    when_durable(replica, [this, partition] { on_durable(partition); });
  }

  void on_durable(const TopicPartition& partition) {
    const auto at = views_.find(partition);
    const bool failed = at != views_.end() && at->second.replica().log->failed();
    core_.on_stored(partition, failed ? ErrorCode::kafka_storage_error : ErrorCode::none, now());
    pump();
  }

  void perform(replica::AppendFetched& append) {
    store(append.partition, [&](api::Replica& replica) {
      if (replica.throttled_follower())
        replica.owner.quotas().record(api::Throttle::follower, append.records.size());
      return replica.append_fetched(append.offset, append.leader_start, append.records.slice().view());
    });
  }
  void perform(replica::Truncate& cut) {
    const auto at = views_.find(cut.partition);
    if (at == views_.end()) return truncate(cut, 0);
    api::Replica& replica = at->second.replica();
    replica.owner.before_cut(replica, cut.offset,
                             [this, alive = std::weak_ptr<bool>(alive_), cut, view = at->second.number()] {
                               if (!alive.expired()) truncate(cut, view);
                             });
  }
  // If it is still followed as it was when this was asked for.
  void truncate(const replica::Truncate& cut, std::uint64_t view) {
    store(cut.partition, [&](api::Replica& replica) {
      if (views_.at(cut.partition).number() != view) return ErrorCode::not_leader_or_follower;
      if (cut.offset < replica.log->end_offset())
        owner_.log_.info("truncating {}-{} from {} to {}", cut.partition.topic, cut.partition.partition,
                         replica.log->end_offset(), cut.offset);
      return replica.truncate(cut.offset);
    });
    pump();
  }
  void perform(replica::Restart& restart) {
    store(restart.partition, [&](api::Replica& replica) {
      owner_.log_.info("{}-{} begins anew at {}", restart.partition.topic, restart.partition.partition,
                       restart.offset);
      return replica.restart(restart.offset);
    });
  }
  void perform(replica::Advance& advance) {
    const auto at = views_.find(advance.partition);
    if (at != views_.end()) at->second.replica().follow(advance.high_watermark, advance.log_start);
  }
  void perform(replica::GiveUp& given_up) {
    owner_.log_.info("{}-{} is not fetched from broker {} any more: {}", given_up.partition.topic,
                     given_up.partition.partition, key_.first, to_string(given_up.error));
  }

  ReplicaFetchers& owner_;
  std::size_t shard_;
  SourceKey key_;
  net::Loop& loop_;
  std::map<TopicPartition, LogView> views_;
  std::uint64_t last_view_ = 0;
  replica::Fetcher core_;
  PeerLink link_;
  net::Timer timer_;
  net::Timer hurry_;
  bool begin_queued_ = false;
  bool pumping_ = false;
  bool reachable_ = true;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

ReplicaFetchers::ReplicaFetchers(api::Shards& shards, const api::MetadataCache& metadata,
                                 const api::Node& node, ReplicaFetchersOptions options, logging::Logger log)
    : shards_(shards),
      metadata_(metadata),
      node_(node),
      options_(std::move(options)),
      fetchers_(options_.fetchers),
      log_(log),
      of_shard_(shards.size()) {}

ReplicaFetchers::~ReplicaFetchers() = default;

ReplicaFetchers::Source& ReplicaFetchers::source_for(const api::Replica& replica) {
  const std::size_t of_each_shard = std::max<std::size_t>(1, fetchers_ / shards_.size());
  const std::size_t fetcher = static_cast<std::size_t>(replica.partition) / shards_.size() % of_each_shard;
  const SourceKey key{replica.core.leader(), fetcher};
  auto& source = of_shard_[replica.shard].sources[key];
  if (!source) source = std::make_unique<Source>(*this, replica.shard, key);
  return *source;
}

void ReplicaFetchers::follow(api::Replica& replica) {
  Source& source = source_for(replica);
  of_shard_[replica.shard].follows[&replica] = &source;
  source.add(replica);
}

void ReplicaFetchers::unfollow(api::Replica& replica) {
  auto& follows = of_shard_[replica.shard].follows;
  const auto at = follows.find(&replica);
  if (at == follows.end()) return;
  Source* source = at->second;
  follows.erase(at);
  source->remove(replica);
}

void ReplicaFetchers::drop_if_idle(std::size_t shard, SourceKey key) {
  auto& sources = of_shard_[shard].sources;
  const auto at = sources.find(key);
  if (at != sources.end() && at->second->idle()) sources.erase(at);
}

}  // namespace tandem::broker::shell
