// Partitions of a follower's fetch session that rest: the follower has all that is there and was told all. A
// fetch does not look at them; a Resting at each tells when something happened there, and wakes the fetch
// that waits when there is something to read. FetchItems keeps them in its session (FetchSession::server,
// Entry::server). A Resting and its session's SessionRest are of the connection's shard, but for what says
// owner.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
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
  explicit SessionRest(std::size_t shards);

  // Of the owner's thread; the shard is one whose partitions have been fetched by the session.
  const std::shared_ptr<replica::FetchPulse>& pulse(std::size_t shard) const { return pulses_[shard]; }

  void use(std::size_t shard) { used_[shard] = true; }
  bool uses(std::size_t shard) const { return used_[shard]; }

  // Those to which something has happened since they were asked for last.
  std::vector<std::shared_ptr<Resting>> take();
  // False when something has happened that was not taken: the sleeper would not hear of it.
  bool doze(std::weak_ptr<Sleeper> sleeper);
  // ---- owner ----
  void add(std::shared_ptr<Resting> resting);
  void wake();

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
  static std::shared_ptr<void> make(std::weak_ptr<SessionRest> session, At at);
  static std::shared_ptr<Resting> of(const std::shared_ptr<void>& kept) {
    return static_cast<Resting*>(kept.get())->shared_from_this();
  }

  std::optional<At> at() const { return at_; }  // nothing: no more in the session
  // It is an item of a fetch again, which looks at it itself.
  void rise() { state_.store(State::awake, std::memory_order_release); }

  // ---- owner ----
  // As of now the reader has all up to `end` and knows all.
  void rest(Replica& replica, std::int64_t end);

 private:
  enum class State : std::uint8_t { awake, resting, changed };
  class Watch;

  void on_change(Replica& replica);

  std::weak_ptr<SessionRest> session_;
  std::optional<At> at_;
  std::atomic<State> state_{State::awake};
  std::int64_t end_ = 0;
  std::int32_t epoch_ = -1;
  std::weak_ptr<Replica> replica_;  // on whose list it is
};

}  // namespace tandem::broker::api
