// What the tests of the ensemble's ports share: a port that nobody listens on, and bytes that a peer would
// not send, written past the connection's queue.
#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <cstdint>
#include <string_view>

#include "net/listener.h"
#include "net/loop.h"
#include "net/socket.h"

namespace tandem::coord::shell {

inline std::uint16_t free_port(net::Loop& loop) {
  auto listener = net::Listener::open(loop, {"127.0.0.1", 0}, [](net::Socket) {});
  REQUIRE(listener.has_value());
  return (*listener)->local().port;
}

inline void say(const net::Socket& socket, std::string_view bytes) {
  REQUIRE(::send(socket.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(bytes.size()));
}

}  // namespace tandem::coord::shell
