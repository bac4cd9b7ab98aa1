#include "broker/api/fetch_rest.h"

#include <utility>

namespace tandem::broker::api {

SessionRest::SessionRest(std::size_t shards) : used_(shards, false) {
  for (std::size_t i = 0; i < shards; ++i) pulses_.push_back(std::make_shared<replica::FetchPulse>());
}

std::vector<std::shared_ptr<Resting>> SessionRest::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(changed_, {});
}

bool SessionRest::doze(std::weak_ptr<Sleeper> sleeper) {
  const std::lock_guard lock(mutex_);
  sleeper_ = std::move(sleeper);
  return changed_.empty();
}

void SessionRest::add(std::shared_ptr<Resting> resting) {
  const std::lock_guard lock(mutex_);
  changed_.push_back(std::move(resting));
}

void SessionRest::wake() {
  std::shared_ptr<Sleeper> sleeper;
  {
    const std::lock_guard lock(mutex_);
    sleeper = sleeper_.lock();
  }
  if (sleeper) sleeper->wake();
}

// On the partition's list for as long as the session has the partition.
class Resting::Watch final : public Waiter {
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

std::shared_ptr<void> Resting::make(std::weak_ptr<SessionRest> session, At at) {
  auto resting = std::make_shared<Resting>(std::move(session), at);
  void* self = resting.get();
  return {self, [kept = std::move(resting)](void*) { kept->at_.reset(); }};
}

void Resting::rest(Replica& replica, std::int64_t end) {
  end_ = end;
  epoch_ = replica.core.leader_epoch();
  if (replica_.lock().get() != &replica) {
    replica_ = replica.weak_from_this();
    replica.wait(std::make_shared<Watch>(weak_from_this()));
  }
  state_.store(State::resting, std::memory_order_release);
}

void Resting::on_change(Replica& replica) {
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

}  // namespace tandem::broker::api
