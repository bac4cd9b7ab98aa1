// Partitions of a follower's fetch session that rest: the follower has all that is there and was told all. A
// fetch does not look at them; a Resting at each tells when something happened there, and wakes the fetch
// that waits when there is something to read. Fetch keeps them in its session (FetchSession::server,
// Entry::server). A Resting and its session's SessionRest are of the connection's shard, but for what says
// owner.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "broker/api/replica.h"
#include "broker/replica/fetch_session.h"

namespace tandem::broker::api {

class Resting;

// The fetch that waits for its session's partitions.
class Sleeper {
 public:
  virtual ~Sleeper() = default;
  virtual void wake() = 0;  // any thread
};

class SessionRest {
 public:
  explicit SessionRest(std::size_t shards) : used_(shards, false) {
    for (std::size_t i = 0; i < shards; ++i) pulses_.push_back(std::make_shared<replica::FetchPulse>());
  }

  // Of the owner's thread; the shard is one whose partitions have been fetched by the session.
  const std::shared_ptr<replica::FetchPulse>& pulse(std::size_t shard) const { return pulses_[shard]; }

  void use(std::size_t shard) { used_[shard] = true; }
  bool uses(std::size_t shard) const { return used_[shard]; }

  // Those to which something has happened since they were asked for last.
  std::vector<std::shared_ptr<Resting>> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(changed_, {});
  }
  // False when something has happened that was not taken: the sleeper would not hear of it.
  bool doze(std::weak_ptr<Sleeper> sleeper) {
    const std::lock_guard lock(mutex_);
    sleeper_ = std::move(sleeper);
    return changed_.empty();
  }
  // ---- owner ----
  void add(std::shared_ptr<Resting> resting) {
    const std::lock_guard lock(mutex_);
    changed_.push_back(std::move(resting));
  }
  void wake() {
    std::shared_ptr<Sleeper> sleeper;
    {
      const std::lock_guard lock(mutex_);
      sleeper = sleeper_.lock();
    }
    if (sleeper) sleeper->wake();
  }

 private:
  std::vector<bool> used_;
  std::mutex mutex_;  // of what follows: partitions change on the threads of their owners
  std::vector<std::shared_ptr<Resting>> changed_;
  std::weak_ptr<Sleeper> sleeper_;
  std::vector<std::shared_ptr<replica::FetchPulse>> pulses_;
};

class Resting : public std::enable_shared_from_this<Resting> {
 public:
  using At = replica::FetchSession::Entries::iterator;

  Resting(std::weak_ptr<SessionRest> session, At at) : session_(std::move(session)), at_(at) {}

  // What an entry of a session keeps: the session has it no more when that ends.
  static std::shared_ptr<void> make(std::weak_ptr<SessionRest> session, At at) {
    auto resting = std::make_shared<Resting>(std::move(session), at);
    void* self = resting.get();
    return {self, [kept = std::move(resting)](void*) { kept->at_.reset(); }};
  }
  static std::shared_ptr<Resting> of(const std::shared_ptr<void>& kept) {
    return static_cast<Resting*>(kept.get())->shared_from_this();
  }

  std::optional<At> at() const { return at_; }  // nothing: no more in the session
  // It is an item of a fetch again, which looks at it itself.
  void rise() { state_.store(State::awake, std::memory_order_release); }

  // ---- owner ----
  // As of now the reader has all up to `end` and knows all.
  void rest(Replica& replica, std::int64_t end) {
    end_ = end;
    epoch_ = replica.core.leader_epoch();
    if (replica_.lock().get() != &replica) {
      replica_ = replica.weak_from_this();
      replica.wait(std::make_shared<Watch>(weak_from_this()));
    }
    state_.store(State::resting, std::memory_order_release);
  }

 private:
  enum class State : std::uint8_t { awake, resting, changed };

  // On the partition's list for as long as the session has the partition.
  class Watch final : public Waiter {
   public:
    explicit Watch(std::weak_ptr<Resting> resting) : resting_(std::move(resting)) {}
    bool on_change(Replica& replica) override {
      const auto resting = resting_.lock();
      if (resting) resting->on_change(replica);
      return resting == nullptr;
    }
    bool is_done() override { return resting_.expired(); }

   private:
    std::weak_ptr<Resting> resting_;
  };

  void on_change(Replica& replica) {
    auto expected = State::resting;
    const bool first = state_.compare_exchange_strong(expected, State::changed, std::memory_order_acq_rel);
    if (!first && expected == State::awake) return;
    const auto session = session_.lock();
    if (session == nullptr) return;
    if (first) session->add(shared_from_this());
    // Another leader epoch or a failed log is an answer by itself; a watermark goes with the next one.
    const bool answer =
        replica.log->end_offset() > end_ || replica.core.leader_epoch() != epoch_ || replica.log->failed();
    if (answer) session->wake();
  }

  std::weak_ptr<SessionRest> session_;
  std::optional<At> at_;
  std::atomic<State> state_{State::awake};
  std::int64_t end_ = 0;
  std::int32_t epoch_ = -1;
  std::weak_ptr<Replica> replica_;  // on whose list it is
};

}  // namespace tandem::broker::api
