#include <algorithm>
#include <atomic>
#include <optional>

#include "broker/api/fetch_read.h"
#include "broker/api/handlers.h"
#include "broker/api/partition_errors.h"
#include "broker/api/replicas.h"
#include "broker/api/scatter.h"

namespace tandem::broker::api {

namespace {

using protocol::ErrorCode;
using protocol::FetchRequest;
using protocol::FetchResponse;

constexpr std::int16_t kSinceReplicaState = 15;
constexpr std::int16_t kSinceLeaderHint = 16;
constexpr std::int16_t kHardLimitUntil =
    2;  // up to here a response never exceeds the limit, even for one batch

// One Fetch from arrival to answer. Its life: begin on the connection's shard (session, items), read on the
// owners, then answer, or wait on every partition until enough bytes are there or the time is over, read
// again and answer.
class Fetch final : public Waiter,
                    public Delayed,
                    public Sleeper,
                    public std::enable_shared_from_this<Fetch> {
 public:
  Fetch(Call call, FetchRequest request)
      : call_(std::move(call)), request_(std::move(request)), image_(call_.services.metadata.image()) {}

  void begin() {
    Services& services = call_.services;
    home_ = services.shards.current();
    const std::int32_t replica_id =
        call_.version() >= kSinceReplicaState ? request_.replica_state.replica_id : request_.replica_id;
    rules_ = {.version = call_.version(),
              .replica_id = replica_id,
              .committed = request_.isolation_level == 1,
              .bytes_max = static_cast<std::uint64_t>(std::max(0, request_.max_bytes))};
    if (replica_id >= 0) services.replicas->heard(replica_id);
    rack_aware_ = services.replicas->rack_aware();
    if (rack_aware_) {
      rules_.rack = request_.rack_id;
      rules_.listener = call_.client->listener;
    }
    context_ =
        services.replicas->sessions(home_).begin(request_, call_.version(), wanted(), services.clock.now());
    if (context_.error != ErrorCode::none) return refuse(context_.error);
    if (context_.incremental || context_.session != nullptr) items_.clear();  // the session has them all
    set_.emplace(services.shards.size());
    if (context_.session != nullptr) {
      session_epoch_ = context_.session->epoch;
      begin_rest(*context_.session);
      auto& entries = context_.session->entries;
      for (auto at = entries.begin(); at != entries.end(); ++at) add_item(at);
    } else {
      for (FetchItem& item : items_) place(item);
    }
    read();
  }

  bool on_change(Replica& replica) override {
    if (done_.load(std::memory_order_acquire)) return true;
    std::uint64_t gained = 0;
    for (FetchItem& item : items_) {
      if (item.wanted.request.partition != replica.partition || item.wanted.topic != replica.topic) continue;
      // Another leader epoch or a failed log is an answer by itself.
      if (replica.core.leader_epoch() != item.seen_epoch || replica.log->failed()) gained = UINT32_MAX;
      // Consumers that read here wait for it.
      if (lacks_watermark(replica, item)) gained = UINT32_MAX;
      if (visible_end(replica, rules_) > item.seen_end && !item.throttled)
        gained += bytes_since(replica, item);
    }
    if (ready_.fetch_add(gained) + gained < static_cast<std::uint64_t>(std::max(1, request_.min_bytes)))
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
  friend void scatter<Fetch>(Shards&, const ShardSet&, std::shared_ptr<Fetch>, void (Fetch::*)(std::size_t),
                             void (Fetch::*)(), bool);

  // A session may have begun before this broker heard of the topic.
  void resolve(replica::WantedPartition& wanted) const {
    if (!wanted.topic.empty()) return;
    if (const auto known = image_->topic(wanted.topic_id)) wanted.topic = known->name;
  }

  // What the request names: a session keeps it, without one it is all there is.
  std::vector<replica::WantedPartition> wanted() {
    std::vector<replica::WantedPartition> out;
    for (auto& topic : request_.topics) {
      std::string name = topic.topic;
      if (call_.version() >= kSinceTopicIds) {
        const auto known = image_->topic(topic.topic_id);
        name = known ? known->name : std::string();
      }
      for (const auto& partition : topic.partitions) {
        out.push_back({name, topic.topic_id, partition});
        items_.emplace_back().wanted = out.back();
      }
    }
    return out;
  }

  void place(FetchItem& item) {
    item.shard = call_.services.shards.owner(item.wanted.topic, item.wanted.request.partition);
    set_->add(item.shard);
  }

  // Partitions of followers rest; a consumer's sessions are small, and waits for as many bytes as it says.
  void begin_rest(replica::FetchSession& session) {
    if (rules_.replica_id < 0 || request_.min_bytes > 1 || rack_aware_) return;
    if (session.server == nullptr) session.server = std::make_shared<SessionRest>(set_->size());
    rest_ = std::static_pointer_cast<SessionRest>(session.server);
    for (const auto& changed : rest_->take()) {
      if (const auto at = changed->at()) session.wake(*at);
    }
    // What rests is fetched as well: its pulse beats.
    for (std::size_t shard = 0; shard < set_->size(); ++shard) {
      if (rest_->uses(shard)) set_->add(shard);
    }
  }

  void add_item(replica::FetchSession::Entries::iterator at) {
    resolve(at->wanted);
    FetchItem& item = items_.emplace_back();
    item.wanted = at->wanted;
    item.at = at;
    if (at->told_once) item.told = at->told;
    place(item);
    if (rest_ == nullptr) return;
    rest_->use(item.shard);
    if (at->server == nullptr) at->server = Resting::make(rest_, at);
    item.resting = Resting::of(at->server);
    item.resting->rise();
  }

  replica::FetchSession* session() {
    if (context_.session == nullptr) return nullptr;
    // Another request may have ended or changed the session while this one waited.
    auto* found = call_.services.replicas->sessions(home_).find(context_.session_id);
    return found != nullptr && found->epoch == session_epoch_ ? found : nullptr;
  }

  // What rested, and does not any more, is read with the rest.
  void take_changed() {
    auto* open = rest_ == nullptr ? nullptr : session();
    if (open == nullptr) return;
    for (const auto& changed : rest_->take()) {
      const auto at = changed->at();
      if (!at || !(*at)->rests) continue;
      open->wake(*at);
      add_item(*at);
    }
  }

  // Where consumers read from followers, these are told of a watermark at once, not with the next records.
  bool lacks_watermark(const Replica& replica, const FetchItem& item) const {
    return rack_aware_ && rules_.replica_id >= 0 && replica.core.high_watermark() > item.seen_high_watermark;
  }

  void refuse(ErrorCode error) {
    FetchResponse response;
    response.error_code = error;
    call_.respond.send(response);
  }

  void read() {
    scatter(call_.services.shards, *set_, shared_from_this(), &Fetch::read_shard, &Fetch::was_read, true);
  }

  void read_shard(std::size_t shard) {
    std::uint64_t left = rules_.bytes_max;
    bool min_one = call_.version() > kHardLimitUntil;
    static const std::shared_ptr<replica::FetchPulse> kNone;
    const auto& pulse = rest_ == nullptr ? kNone : rest_->pulse(shard);
    if (pulse && !rules_.again) pulse->at = call_.services.clock.now();
    for (FetchItem& item : items_) {
      if (item.shard != shard) continue;
      read_partition(*call_.services.replicas, *image_, rules_, item, left, min_one, pulse);
      const std::uint64_t size = item.data.records.size();
      left -= std::min(left, size);
      if (size > 0) min_one = false;
    }
  }

  void was_read() {
    std::uint64_t bytes = 0;
    bool now = last_pass_ || request_.max_wait_ms <= 0 || (items_.empty() && rest_ == nullptr);
    for (const FetchItem& item : items_) {
      bytes += item.data.records.size();
      now = now || item.data.error_code != ErrorCode::none || item.data.diverging_epoch.epoch >= 0 ||
            item.data.preferred_read_replica >= 0 || was_told_less(item);
    }
    if (now || bytes >= static_cast<std::uint64_t>(std::max(0, request_.min_bytes))) return answer();
    ready_.store(bytes);
    if (rest_ != nullptr && !rest_->doze(weak_from_this())) {
      if (session() == nullptr) return answer();
      rules_.again = true;
      take_changed();
      return read();
    }
    last_pass_ = true;
    const auto at = call_.received + std::chrono::milliseconds(request_.max_wait_ms);
    delay_id_ = call_.services.replicas->delays(home_).add(at, shared_from_this());
    scatter(call_.services.shards, *set_, shared_from_this(), &Fetch::wait_shard, &Fetch::waiting, true);
  }

  bool was_told_less(const FetchItem& item) const {
    return rack_aware_ && rules_.replica_id >= 0 && item.data.high_watermark > item.told.high_watermark;
  }

  void wait_shard(std::size_t shard) {
    for (FetchItem& item : items_) {
      if (item.shard != shard || item.rests) continue;
      Replica* replica = call_.services.replicas->find(item.wanted.topic, item.wanted.request.partition);
      if (replica == nullptr) continue;
      // It may have grown since it was read on another thread's behalf.
      const bool more = visible_end(*replica, rules_) > item.seen_end || lacks_watermark(*replica, item);
      if (more && on_change(*replica)) continue;
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
      self->take_changed();
      self->read();
    });
  }

  // The limit holds for the response as a whole; owners each kept to it alone.
  void trim() {
    std::uint64_t left = rules_.bytes_max;
    bool first = call_.version() > kHardLimitUntil;
    for (FetchItem& item : items_) {
      const std::uint64_t size = item.data.records.size();
      if (size > left && !first) item.data.records = protocol::Records();
      if (size == 0) continue;
      left -= std::min(left, size);
      first = false;
    }
  }

  void answer() {
    done_.store(true);
    trim();
    FetchResponse response;
    replica::FetchSession* session = this->session();
    if (session != nullptr) response.session_id = session->id;
    for (FetchItem& item : items_) {
      const bool changed = session == nullptr || session->include(*item.at, item.data);
      if (session != nullptr && item.rests) session->rest(item.at);
      if (context_.incremental && session != nullptr && !changed) continue;
      add(response, item);
    }
    if (session != nullptr) rotate(*session);
    call_.respond.send_linked(response);
  }

  void add(FetchResponse& response, FetchItem& item) {
    if (response.responses.empty() || response.responses.back().topic != item.wanted.topic ||
        response.responses.back().topic_id != item.wanted.topic_id) {
      auto& topic = response.responses.emplace_back();
      topic.topic = item.wanted.topic;
      topic.topic_id = item.wanted.topic_id;
    }
    if (call_.version() >= kSinceLeaderHint && moved(item.data.error_code))
      hint_leader(*image_, call_.client->listener, item.wanted.topic, item.data.partition_index, item.data,
                  response);
    response.responses.back().partitions.push_back(std::move(item.data));
  }

  // Partitions that gave data are served last the next time.
  void rotate(replica::FetchSession& session) {
    for (FetchItem& item : items_) {
      if (item.gave_data) session.entries.splice(session.entries.end(), session.entries, item.at);
    }
  }

  Call call_;
  FetchRequest request_;
  MetadataCache::Image image_;
  FetchRules rules_;
  replica::FetchContext context_;
  std::int32_t session_epoch_ = 0;
  std::vector<FetchItem> items_;
  std::shared_ptr<SessionRest> rest_;  // null: nothing rests here
  std::optional<ShardSet> set_;
  std::size_t home_ = 0;
  bool last_pass_ = false;
  bool waits_ = false;
  bool woken_ = false;
  bool rack_aware_ = false;
  std::uint64_t delay_id_ = 0;
  std::atomic<std::uint64_t> ready_{0};
  std::atomic<bool> done_{false};
};

}  // namespace

void fetch(Call call, FetchRequest request) {
  std::make_shared<Fetch>(std::move(call), std::move(request))->begin();
}

}  // namespace tandem::broker::api
