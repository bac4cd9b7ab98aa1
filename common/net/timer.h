// Timer: the one timer of a core. set() to the core's next_deadline() after each call; setting it to the
// same or a later time costs nothing, an early wake-up is harmless because cores ask for the time.
// Lives on the Loop's thread; the callback never runs after the destructor.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/clock.h"

namespace tandem::net {

class Loop;

class Timer {
 public:
  Timer(Loop& loop, std::function<void()> on_due);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void set(std::optional<base::Instant> at);  // nullopt: off

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tandem::net
