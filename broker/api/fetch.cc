#include <algorithm>
#include <atomic>

#include "broker/api/fetch_answer.h"
#include "broker/api/fetch_items.h"
#include "broker/api/fetch_news.h"
#include "broker/api/handlers.h"
#include "broker/api/metadata_cache.h"

namespace tandem::broker::api {

namespace {

using protocol::ErrorCode;
using protocol::FetchRequest;

constexpr std::int16_t kSinceReplicaState = 15;

// What its views show is of the request and the client.
FetchRules rules_of(const Call& call, const FetchRequest& request) {
  FetchRules rules{.version = call.version(),
                   .replica_id = call.version() >= kSinceReplicaState ? request.replica_state.replica_id
                                                                      : request.replica_id,
                   .committed = request.isolation_level == 1,
                   .bytes_max = static_cast<std::uint64_t>(std::max(0, request.max_bytes)),
                   .rack_aware = call.services.replicas->rack_aware()};
  if (rules.rack_aware) {
    rules.rack = request.rack_id;
    rules.listener = call.client->listener;
  }
  return rules;
}

// One Fetch from arrival to answer. Its life: begin on the connection's shard (session, items), read on the
// owners, then answer, or wait on every partition until enough bytes are there or the time is over, read
// again and answer.
class Fetch final : public Waiter,
                    public Delayed,
                    public Sleeper,
                    public std::enable_shared_from_this<Fetch> {
 public:
  Fetch(Call call, FetchRequest request)
      : call_(std::move(call)),
        request_(std::move(request)),
        image_(call_.services.metadata.image()),
        rules_(rules_of(call_, request_)),
        items_(call_.services, *image_),
        home_(call_.services.shards.current()) {}

  void begin() {
    if (rules_.replica_id >= 0) call_.services.replicas->heard(rules_.replica_id);
    if (const auto error = items_.begin(request_, rules_); error != ErrorCode::none)
      return refuse_fetch(call_, error);
    read();
  }

  bool on_change(Replica& replica) override {
    if (done_.load(std::memory_order_acquire)) return true;
    std::uint64_t more = 0;
    for (FetchItem& item : items_.all()) {
      if (item.wanted.request.partition == replica.partition && item.wanted.topic == replica.topic)
        more += gained(replica, item, rules_);
    }
    if (ready_.fetch_add(more) + more < static_cast<std::uint64_t>(std::max(1, request_.min_bytes)))
      return false;
    finish_wait();
    return true;
  }

  void wake() override { finish_wait(); }
  bool is_done() override { return done_.load(std::memory_order_acquire); }

  void on_deadline() override {
    delay_id_ = 0;
    finish_wait();
  }

 private:
  // ---- reading ----
  void read() {
    scatter(call_.services.shards, items_.shards(), shared_from_this(), &Fetch::read_shard, &Fetch::was_read,
            true);
  }

  void read_shard(std::size_t shard) {
    std::uint64_t left = rules_.bytes_max;
    bool min_one = rules_.version > kHardLimitUntil;
    const auto& pulse = items_.pulse(shard);
    if (pulse && !rules_.again) pulse->at = call_.services.clock.now();
    for (FetchItem& item : items_.all()) {
      if (item.shard != shard) continue;
      read_partition(*call_.services.replicas, *image_, rules_, item, left, min_one, pulse);
      const std::uint64_t size = item.data.records.size();
      left -= std::min(left, size);
      if (size > 0) min_one = false;
    }
  }

  void was_read() {
    std::uint64_t bytes = 0;
    SessionRest* rest = items_.rest();
    bool now = last_pass_ || request_.max_wait_ms <= 0 || (items_.all().empty() && rest == nullptr);
    for (const FetchItem& item : items_.all()) {
      bytes += item.data.records.size();
      now = now || is_answer(item, rules_);
    }
    if (now || bytes >= static_cast<std::uint64_t>(std::max(0, request_.min_bytes))) return answer();
    ready_.store(bytes);
    if (rest != nullptr && !rest->doze(weak_from_this())) {
      if (items_.session() == nullptr) return answer();
      rules_.again = true;
      items_.take_changed();
      return read();
    }
    begin_wait();
  }

  void answer() {
    done_.store(true);
    answer_fetch(call_, *image_, rules_, items_);
  }

  // ---- waiting ----
  void begin_wait() {
    last_pass_ = true;
    const auto at = call_.received + std::chrono::milliseconds(request_.max_wait_ms);
    delay_id_ = call_.services.replicas->delays(home_).add(at, shared_from_this());
    scatter(call_.services.shards, items_.shards(), shared_from_this(), &Fetch::wait_shard, &Fetch::waiting,
            true);
  }

  void wait_shard(std::size_t shard) {
    for (FetchItem& item : items_.all()) {
      if (item.shard != shard || item.rests) continue;
      Replica* replica = call_.services.replicas->find(item.wanted.topic, item.wanted.request.partition);
      if (replica == nullptr) continue;
      // It may have grown since it was read on another thread's behalf.
      if (has_news(*replica, item, rules_) && on_change(*replica)) continue;
      replica->wait(shared_from_this());
    }
  }
  void waiting() {
    waits_ = true;
    if (woken_) resume();
  }

  // Enough is there, or the time is over. Any thread, the first wins.
  void finish_wait() {
    if (done_.exchange(true, std::memory_order_acq_rel)) return;
    Shards& shards = call_.services.shards;
    if (shards.current() == home_) return resume();
    shards.post(home_, [self = shared_from_this()] { self->resume(); });
  }

  // Not before all shards know that it waits: they look at the items.
  void resume() {
    woken_ = true;
    if (!waits_) return;
    if (delay_id_ != 0) call_.services.replicas->delays(home_).remove(delay_id_);
    delay_id_ = 0;
    // The partition that woke us is in the middle of its own change: read once it is through.
    rules_.again = true;
    call_.services.shards.loop(home_).defer([self = shared_from_this()] {
      self->items_.take_changed();
      self->read();
    });
  }

  Call call_;
  FetchRequest request_;
  MetadataCache::Image image_;
  FetchRules rules_;
  FetchItems items_;
  std::size_t home_;
  bool last_pass_ = false;
  bool waits_ = false;
  bool woken_ = false;
  std::uint64_t delay_id_ = 0;
  std::atomic<std::uint64_t> ready_{0};
  std::atomic<bool> done_{false};
};

}  // namespace

void fetch(Call call, FetchRequest request) {
  std::make_shared<Fetch>(std::move(call), std::move(request))->begin();
}

}  // namespace tandem::broker::api
