#include "net/executors.h"

#include <doctest/doctest.h>

#include <atomic>

#include "net/loop.h"
#include "net/timer.h"

using namespace tandem;

TEST_CASE("a pool runs every task, the last ones during its destruction") {
  std::atomic<int> count{0};
  {
    net::ThreadPool pool("disk", 3);
    for (int i = 0; i < 100; ++i) pool.run([&] { ++count; });
    pool.wait_idle();
    CHECK(count == 100);
    pool.run([&] { ++count; });
  }
  CHECK(count == 101);
}

TEST_CASE("work done on a pool is reported on the loop") {
  base::SystemClock clock;
  net::Loop loop(clock);
  net::ThreadPool pool("disk", 1);
  std::thread::id worked, reported;
  pool.run(
      loop, [&] { worked = std::this_thread::get_id(); },
      [&] {
        reported = std::this_thread::get_id();
        loop.stop();
      });
  loop.run();
  CHECK(reported == std::this_thread::get_id());
  CHECK(worked != reported);
}

TEST_CASE("a timer fires at the time set last, earlier or later, and not when off") {
  base::SystemClock clock;
  net::Loop loop(clock);
  int fired = 0;
  const auto start = clock.now();
  net::Timer off(loop, [&] { fired += 100; });
  net::Timer timer(loop, [&] {
    ++fired;
    loop.stop();
  });
  off.set(start + std::chrono::milliseconds(5));
  off.set(std::nullopt);
  timer.set(start + std::chrono::seconds(100));
  timer.set(start + std::chrono::milliseconds(2));
  timer.set(start + std::chrono::milliseconds(20));
  loop.run();
  CHECK(fired == 1);
  CHECK(clock.now() - start >= std::chrono::milliseconds(20));
}
