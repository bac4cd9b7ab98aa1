#include "net/loop.h"

#include <doctest/doctest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "net/crowding.h"
#include "net/timer.h"

using namespace tandem;

namespace {

// Each reading is a microsecond later than the one before, and one that is named much later.
class CountingClock final : public base::Clock {
 public:
  base::Instant now() const override {
    ++readings;
    now_ += --leap_in == 0 ? std::chrono::milliseconds(2) : std::chrono::microseconds(1);
    return now_;
  }
  base::WallTime wall() const override { return {}; }
  void advance(base::Duration by) { now_ += by; }

  mutable int readings = 0;
  mutable int leap_in = 0;

 private:
  mutable base::Instant now_{std::chrono::seconds(1)};
};

}  // namespace

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

TEST_CASE("a loop that others kept waiting between two looks sleeps at once for a while, then looks again") {
  CountingClock clock;
  net::LoopOptions options;
  options.spin = std::chrono::microseconds(50);
  net::Loop loop(clock, options);
  boost::asio::steady_timer timer(loop.context());
  std::vector<int> readings;  // between two turns; a loop that does not look reads the clock once
  std::function<void()> turn = [&] {
    readings.push_back(std::exchange(clock.readings, 0));
    if (readings.size() == 3) clock.leap_in = 3;  // behind the turn's end and the first look
    if (readings.size() == 6) clock.advance(2 * net::Crowding::kPauseMin);
    if (readings.size() == 9) return loop.stop();
    timer.expires_after(std::chrono::milliseconds(100));
    timer.async_wait([&](const boost::system::error_code&) { turn(); });
  };
  loop.post(turn);
  loop.run();
  CHECK(readings[2] > 3);   // it looks
  CHECK(readings[3] == 3);  // the second look came late
  CHECK(readings[4] == 1);
  CHECK(readings[5] == 1);
  CHECK(readings[6] == 1);  // the first turn after the pause counts as one after a long wait
  CHECK(readings[8] > 3);
}

TEST_CASE("a task that a loop drops at its end may post to it: that is dropped as well") {
  base::SystemClock clock;
  int dropped = 0;
  {
    net::Loop loop(clock);
    const auto count = [&](const int*) { ++dropped; };
    const auto tell = [&](const int*) {
      ++dropped;
      loop.post([companion = std::shared_ptr<int>(&dropped, count)] { FAIL("ran"); });
    };
    loop.post([companion = std::shared_ptr<int>(&dropped, tell)] { FAIL("ran"); });
  }
  CHECK(dropped == 2);
}
