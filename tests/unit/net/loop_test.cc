#include "net/loop.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "net/timer.h"

using namespace tandem;

TEST_CASE("a loop that looks for work before it sleeps runs what comes fast, what comes late, and ends") {
  base::SystemClock clock;
  net::LoopOptions options;
  options.spin = std::chrono::microseconds(50);
  net::Loop loop(clock, options);
  std::atomic<int> asked{0}, answered{0};
  std::thread thread([&] { loop.run(); });
  for (int i = 0; i < 2000; ++i) {  // one at a time, as fast as they are answered
    loop.post([&] { ++answered; });
    ++asked;
    while (answered < asked) std::this_thread::yield();
  }
  std::atomic<bool> late{false};
  std::unique_ptr<net::Timer> timer;
  loop.post([&] {
    timer = std::make_unique<net::Timer>(loop, [&] {
      late = true;
      timer.reset();
      loop.stop();
    });
    timer->set(clock.now() + std::chrono::milliseconds(20));
  });
  thread.join();
  CHECK(late);
  CHECK(answered == 2000);
}
