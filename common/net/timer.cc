#include "net/timer.h"

#include <boost/asio/steady_timer.hpp>

#include "net/loop.h"

namespace tandem::net {

struct Timer::State : std::enable_shared_from_this<Timer::State> {
  State(Loop& owner, std::function<void()> callback)
      : loop(owner), timer(owner.context()), on_due(std::move(callback)) {}

  void arm(base::Instant at) {
    armed_for = at;
    timer.expires_after(std::max(at - loop.clock().now(), base::Duration::zero()));
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && !self->dead) self->wake();
    });
  }

  void wake() {
    armed_for.reset();
    if (!wanted) return;
    if (*wanted > loop.clock().now()) return arm(*wanted);  // was moved later meanwhile
    wanted.reset();
    on_due();
  }

  Loop& loop;
  boost::asio::steady_timer timer;
  std::function<void()> on_due;
  std::optional<base::Instant> wanted;     // what set() asked for
  std::optional<base::Instant> armed_for;  // what Asio waits for; never later than `wanted`
  bool dead = false;
};

Timer::Timer(Loop& loop, std::function<void()> on_due)
    : state_(std::make_shared<State>(loop, std::move(on_due))) {}

Timer::~Timer() {
  state_->dead = true;
  state_->timer.cancel();
}

void Timer::set(std::optional<base::Instant> at) {
  state_->wanted = at;
  if (at && (!state_->armed_for || *at < *state_->armed_for)) state_->arm(*at);
}

}  // namespace tandem::net
