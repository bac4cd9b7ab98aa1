// A loop that is run by its test, on the thread of the test: until what is awaited has come, at most ten
// seconds.
#pragma once

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>

#include "net/loop.h"

namespace tandem::broker::test {

inline void poll_until(net::Loop& loop, const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    REQUIRE(std::chrono::steady_clock::now() < end);
    loop.poll();
    loop.context().restart();
    loop.context().run_one_for(std::chrono::milliseconds(5));
  }
}

}  // namespace tandem::broker::test
