#include "broker/shell/peer_watch.h"

#include <doctest/doctest.h>

#include <vector>

#include "net/listener.h"
#include "polled.h"

namespace tandem::broker::shell {

namespace {

struct Peer {
  base::SystemClock clock;
  net::Loop loop{clock};
  std::unique_ptr<net::Listener> listener;
  std::vector<net::Socket> accepted;
  std::uint16_t port = 0;

  void listen() {
    auto opened = net::Listener::open(loop, {"127.0.0.1", port},
                                      [this](net::Socket socket) { accepted.push_back(std::move(socket)); });
    REQUIRE(opened.has_value());
    listener = std::move(*opened);
    port = listener->local().port;
  }
  void die() {
    listener.reset();
    accepted.clear();
  }
  zk::Endpoint endpoint() const { return {"PLAINTEXT", "127.0.0.1", port, zk::SecurityProtocol::plaintext}; }
};

}  // namespace

TEST_CASE("the end of a process is told once, with the epoch that was watched, and its return") {
  Peer peer;
  peer.listen();
  std::vector<std::string> told;
  PeerWatch watch(peer.loop, [&](std::int32_t broker, std::int64_t epoch, bool refuses) {
    told.push_back(fmt::format("{} {} {}", broker, epoch, refuses ? "refuses" : "listens"));
  });
  watch.add(4, 99, peer.endpoint());
  test::poll_until(peer.loop, [&] { return !peer.accepted.empty(); });
  peer.die();
  test::poll_until(peer.loop, [&] { return !told.empty(); });
  peer.listen();
  test::poll_until(peer.loop, [&] { return told.size() > 1; });
  CHECK(told == std::vector<std::string>{"4 99 refuses", "4 99 listens"});
}

TEST_CASE("a connection that ends while the listener stays says nothing") {
  Peer peer;
  peer.listen();
  bool told = false;
  PeerWatch watch(peer.loop, [&](std::int32_t, std::int64_t, bool) { told = true; });
  watch.add(4, 99, peer.endpoint());
  test::poll_until(peer.loop, [&] { return !peer.accepted.empty(); });
  peer.accepted.clear();
  test::poll_until(peer.loop, [&] { return !peer.accepted.empty(); });
  CHECK_FALSE(told);
}

TEST_CASE("that a connection has ended is said at once, and that there is one again") {
  Peer peer;
  peer.listen();
  std::vector<bool> lines;
  bool told = false;
  PeerWatch watch(
      peer.loop, [&](std::int32_t, std::int64_t, bool) { told = true; },
      [&](std::int32_t broker, bool connected) {
        CHECK_EQ(broker, 4);
        lines.push_back(connected);
      });
  watch.add(4, 99, peer.endpoint());
  test::poll_until(peer.loop, [&] { return !peer.accepted.empty() && lines.size() == 1; });
  peer.accepted.clear();
  test::poll_until(peer.loop, [&] { return lines.size() == 3; });
  CHECK(lines == std::vector<bool>{true, false, true});
  CHECK_FALSE(told);
}

TEST_CASE("a process that was never there is told of as well, but not after its removal") {
  Peer peer;
  peer.listen();
  peer.die();
  int told = 0;
  PeerWatch watch(peer.loop, [&](std::int32_t broker, std::int64_t, bool) {
    ++told;
    watch.remove(broker);
  });
  watch.add(4, 99, peer.endpoint());
  watch.add(5, 1, peer.endpoint());
  watch.remove(5);
  test::poll_until(peer.loop, [&] { return told > 0; });
  peer.loop.poll();
  CHECK(told == 1);
}

}  // namespace tandem::broker::shell
