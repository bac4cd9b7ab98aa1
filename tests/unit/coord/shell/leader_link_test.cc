#include "coord/shell/leader_link.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>

#include "net/loop.h"

namespace tandem::coord::shell {
namespace {

using std::chrono::milliseconds;

struct LinkOwner final : LeaderLinkEvents {
  void on_leader_connected() override { connected = true; }
  void on_leader_packet(const records::QuorumPacket& packet) override { packets.push_back(packet.type); }
  void on_leader_packets_end() override {}
  void on_leader_part() override {}
  bool wants_leader_packets() override { return true; }
  base::Result<bool> on_leader_snapshot(std::string_view&) override { return true; }
  void on_leader_gone(const base::Error& reason) override { gone = reason; }

  bool connected = false;
  std::vector<records::PacketType> packets;
  std::optional<base::Error> gone;
};

// A port that the test opens when it likes, and that takes nobody up.
class SilentPort {
 public:
  SilentPort() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(socket_, as_address(), sizeof address_) == 0);
    socklen_t size = sizeof address_;
    REQUIRE(::getsockname(socket_, as_address(), &size) == 0);
  }
  ~SilentPort() {
    for (const int fd : held_) ::close(fd);
    ::close(socket_);
  }
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;

  std::uint16_t number() const { return ntohs(address_.sin_port); }
  void listen(int backlog) { REQUIRE(::listen(socket_, backlog) == 0); }
  // Until the system takes no more: whoever comes then is not answered.
  void fill() {
    listen(0);
    for (int i = 0; i < 4; ++i) {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      static_cast<void>(::connect(fd, as_address(), sizeof address_));
      held_.push_back(fd);
    }
  }
  int accept() { return held_.emplace_back(::accept(socket_, nullptr, nullptr)); }

 private:
  sockaddr* as_address() { return static_cast<sockaddr*>(static_cast<void*>(&address_)); }

  int socket_;
  sockaddr_in address_{};
  std::vector<int> held_;
};

struct LinkBench {
  std::unique_ptr<LeaderLink> link(base::Duration connect_max = std::chrono::seconds(5)) {
    LeaderLinkOptions options;
    options.endpoints = {{"127.0.0.1", port.number()}};
    options.connect_max = connect_max;
    return std::make_unique<LeaderLink>(loop, options, learner);
  }
  template <class Condition>
  void until(Condition condition) {
    const auto end = clock.now() + std::chrono::seconds(20);
    while (!condition() && clock.now() < end) loop.poll();
    REQUIRE(condition());
  }
  ~LinkBench() { loop.poll(); }

  base::SystemClock clock;
  net::Loop loop{clock};
  SilentPort port;
  LinkOwner learner;
};

}  // namespace

TEST_CASE("a leader that opens its port a moment later is reached") {
  LinkBench bench;
  const auto begun = bench.clock.now();
  auto link = bench.link();
  bench.until([&] { return bench.clock.now() > begun + milliseconds(100); });
  CHECK(!bench.learner.gone);
  bench.port.listen(8);
  bench.until([&] { return bench.learner.connected; });
  CHECK(!bench.learner.gone);
  link.reset();
}

TEST_CASE("a leader that refuses is given up after a second, and is not called silent") {
  LinkBench bench;
  const auto begun = bench.clock.now();
  auto link = bench.link();
  bench.until([&] { return bench.learner.gone.has_value(); });
  CHECK(bench.clock.now() - begun >= std::chrono::seconds(1));
  CHECK(bench.learner.gone->code != base::Errc::timed_out);
  CHECK(!bench.learner.connected);
  link.reset();
}

TEST_CASE("a leader that does not answer is given up when the time for it is over, as silent") {
  LinkBench bench;
  bench.port.fill();
  auto link = bench.link(milliseconds(1200));
  bench.until([&] { return bench.learner.gone.has_value(); });
  CHECK(bench.learner.gone->code == base::Errc::timed_out);
  link.reset();
}

TEST_CASE("a leader that ends the connection is gone, and no other attempt follows by itself") {
  LinkBench bench;
  bench.port.listen(8);
  auto link = bench.link();
  bench.until([&] { return bench.learner.connected; });
  const int end = bench.port.accept();
  std::string packet;
  records::put_packet(packet, records::PacketType::ping, jute::Zxid(1));
  REQUIRE(::send(end, packet.data(), packet.size(), 0) == static_cast<ssize_t>(packet.size()));
  ::shutdown(end, SHUT_RDWR);
  bench.until([&] { return bench.learner.gone.has_value(); });
  CHECK(bench.learner.packets == std::vector{records::PacketType::ping});
  link.reset();
}

}  // namespace tandem::coord::shell
