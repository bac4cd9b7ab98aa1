#include "coord/shell/election_port.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <algorithm>

#include "bytes/writer.h"
#include "net/connector.h"
#include "net/loop.h"
#include "tests/unit/coord/shell/raw_peer.h"

using namespace tandem;
using coord::election::Handshake;
using coord::election::HandshakeVersion;
using coord::election::Link;
using coord::election::Notification;
using coord::election::Vote;
using coord::quorum::ServerId;
using coord::shell::ElectionPort;
using coord::shell::ElectionPortOptions;
using coord::shell::free_port;
using coord::shell::say;

namespace {

struct Heard final : coord::shell::ElectionEvents {
  void on_notification(ServerId from, const Notification& notification) override {
    notifications.emplace_back(from, notification);
  }
  void on_election_link(ServerId peer, Link link) override {
    links[peer] = link;
    ups += link == Link::up ? 1 : 0;
  }
  std::vector<std::pair<ServerId, Notification>> notifications;
  std::map<ServerId, Link> links;
  int ups = 0;
};

struct World {
  base::SystemClock clock;
  net::Loop loop{clock};
  std::map<std::int64_t, std::uint16_t> ports;
  std::map<std::int64_t, Heard> heard;
  std::map<std::int64_t, std::unique_ptr<ElectionPort>> servers;
  std::vector<net::Endpoint> first_addresses;  // of every peer, before its own

  explicit World(std::initializer_list<std::int64_t> ids) {
    for (const std::int64_t id : ids) ports[id] = free_port(loop);
  }
  void start(std::int64_t id) {
    ElectionPortOptions options;
    options.self = ServerId(id);
    options.listen = {{"127.0.0.1", ports.at(id)}};
    options.own_addresses = {{"127.0.0.1", ports.at(id)}};
    options.connect_timeout = std::chrono::seconds(2);
    for (const auto& [peer, port] : ports) {
      if (peer == id) continue;
      auto& endpoints = options.peers[ServerId(peer)] = first_addresses;
      endpoints.push_back({"127.0.0.1", port});
    }
    auto port = ElectionPort::open(loop, options, heard[id], {});
    REQUIRE(port.has_value());
    servers[id] = std::move(*port);
  }
  template <class Condition>
  void until(Condition condition) {
    const auto end = clock.now() + std::chrono::seconds(10);
    while (!condition() && clock.now() < end) loop.poll();
    REQUIRE(condition());
  }
  bool linked(std::int64_t a, std::int64_t b) {
    return heard[a].links[ServerId(b)] == Link::up && heard[b].links[ServerId(a)] == Link::up;
  }
  net::Socket connect(std::int64_t to) {
    std::optional<net::Socket> socket;
    const auto connecting = net::connect(loop, {"127.0.0.1", ports.at(to)}, std::chrono::seconds(2),
                                         [&](base::Result<net::Socket> got) {
                                           REQUIRE(got.has_value());
                                           socket = std::move(*got);
                                         });
    until([&] { return socket.has_value(); });
    return std::move(*socket);
  }
};

// Whether the other end has closed; what it sent is read away.
bool is_closed(const net::Socket& socket) {
  char bytes[4096];
  const auto count = ::recv(socket.fd(), bytes, sizeof bytes, MSG_DONTWAIT);
  return count == 0 || (count < 0 && errno == ECONNRESET);
}

std::string framed(std::string_view payload) {
  std::string out;
  bytes::Writer writer(out);
  writer.i32(static_cast<std::int32_t>(payload.size()));
  writer.bytes(payload);
  return out;
}

Notification sample(std::int64_t leader) {
  Notification notification;
  notification.vote = Vote{ServerId(leader), coord::election::Zxid(5), 1, 2};
  notification.vote.version = 2;
  notification.config = "version=0";
  return notification;
}

}  // namespace

TEST_CASE("whoever wants the connection, it comes up for both servers") {
  World world({1, 2});
  world.start(1);
  world.start(2);
  SUBCASE("the larger number opens it") { world.servers[2]->want({ServerId(1)}); }
  SUBCASE("the smaller number knocks and is called back") { world.servers[1]->want({ServerId(2)}); }
  SUBCASE("both at once") {
    world.servers[1]->want({ServerId(2)});
    world.servers[2]->want({ServerId(1)});
  }
  world.until([&] { return world.linked(1, 2); });
  world.servers[1]->send(ServerId(2), sample(1));
  world.servers[2]->send(ServerId(1), sample(2));
  world.until([&] { return !world.heard[1].notifications.empty() && !world.heard[2].notifications.empty(); });
  CHECK(world.heard[1].notifications.front() == std::pair(ServerId(2), sample(2)));
  CHECK(world.heard[2].notifications.front() == std::pair(ServerId(1), sample(1)));
}

TEST_CASE("a server that is not there is reported, and connected once it is") {
  World world({1, 2});
  world.start(2);
  world.servers[2]->want({ServerId(1)});
  world.until([&] { return world.heard[2].links[ServerId(1)] == Link::down; });
  world.start(1);
  world.until([&] { return world.linked(1, 2); });
  world.servers.erase(1);
  world.until([&] { return world.heard[2].links[ServerId(1)] == Link::down; });
  world.start(1);
  world.until([&] { return world.linked(1, 2); });
}

TEST_CASE("who knocks is called back at the address that answers") {
  World world({1, 2});
  world.first_addresses = {{"127.0.0.1", free_port(world.loop)}};
  world.start(1);
  world.start(2);
  world.servers[1]->want({ServerId(2)});
  world.until([&] { return world.linked(1, 2); });
}

TEST_CASE("a new connection of the same server takes the place of the old one") {
  World world({1, 3});
  world.start(1);
  const auto introduction = encode(Handshake{ServerId(3), HandshakeVersion::v2, {{"127.0.0.1", 1}}});
  const net::Socket first = world.connect(1);
  say(first, introduction);
  world.until([&] { return world.heard[1].ups == 1; });
  const net::Socket second = world.connect(1);
  say(second, introduction + framed(encode(sample(3))));
  world.until([&] { return !world.heard[1].notifications.empty(); });
  world.until([&] { return is_closed(first); });
  CHECK(world.heard[1].links[ServerId(3)] == Link::up);
  CHECK(world.servers[1]->links() == 1);
}

TEST_CASE("what no server says closes the connection, and only that") {
  World world({1, 2});
  world.start(1);
  world.start(2);
  world.servers[2]->want({ServerId(1)});
  world.until([&] { return world.linked(1, 2); });
  const auto introduction = encode(Handshake{ServerId(9), HandshakeVersion::v1, {{"127.0.0.1", 1}}});
  const std::string wrong[] = {
      std::string("\xff\xff\xff\xff\xff\xff\xff\xff garbage", 16),               // unknown version
      std::string("GET / HTTP/1.1\r\n\r\n") + std::string(100, 'x'),             // a legacy number
      encode(Handshake{ServerId(1), HandshakeVersion::v1, {{"127.0.0.1", 1}}}),  // our own number
      introduction + std::string("\0\0\0\0", 4),                                 // empty
      introduction + std::string("\x7f\xff\xff\xff", 4),                         // 2 GiB
      introduction + std::string("\xff\xff\xff\xff", 4),                         // negative
      introduction + std::string("\0\x08\0\1", 4),                               // 524 289 bytes
  };
  for (const std::string& bytes : wrong) {
    const net::Socket socket = world.connect(1);
    say(socket, bytes);
    world.until([&] { return is_closed(socket); });
  }
  // One that can be framed and not read is passed over.
  const net::Socket socket = world.connect(1);
  say(socket, introduction + framed("short") + framed(encode(sample(7))));
  world.until([&] { return !world.heard[1].notifications.empty(); });
  CHECK(world.heard[1].notifications.front() == std::pair(ServerId(9), sample(7)));
  CHECK(world.linked(1, 2));
}

TEST_CASE("connections that do not say who they are are limited in number and time") {
  World world({1, 2});
  world.start(1);
  std::vector<net::Socket> sockets;
  for (int i = 0; i < 80; ++i) sockets.push_back(world.connect(1));
  world.until([&] { return std::count_if(sockets.begin(), sockets.end(), is_closed) >= 16; });
  world.until([&] { return std::all_of(sockets.begin(), sockets.end(), is_closed); });
}

TEST_CASE("who is not in the configuration is heard now and then, however often it asks") {
  World world({1});
  world.start(1);
  const net::Socket stranger = world.connect(1);
  Handshake handshake{ServerId(77), HandshakeVersion::v1, {{"127.0.0.1", 1}}};
  std::string asked = coord::election::encode(handshake);
  for (int i = 0; i < 1000; ++i) asked += framed(coord::election::encode(sample(77)));
  say(stranger, asked);
  const auto& heard = world.heard[1].notifications;
  world.until([&] { return !heard.empty(); });
  const auto later = world.clock.now() + std::chrono::milliseconds(50);
  world.until([&] { return world.clock.now() > later; });
  say(stranger, framed(coord::election::encode(sample(78))));
  world.until([&] { return heard.back().second.vote.leader == ServerId(78); });
  CHECK(heard.size() < 10);
}

TEST_CASE("an observer without a number gets one of ours") {
  World world({1, 2});
  world.start(1);
  const net::Socket socket = world.connect(1);
  say(socket,
      encode(Handshake{coord::election::kObserverWithoutId, HandshakeVersion::v1, {{"127.0.0.1", 1}}}) +
          framed(encode(sample(1))));
  world.until([&] { return !world.heard[1].notifications.empty(); });
  CHECK(world.heard[1].notifications.front().first == ServerId(-1));
}
