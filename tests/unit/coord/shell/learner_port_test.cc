#include "coord/shell/learner_port.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <map>
#include <optional>
#include <set>

#include "coord/shell/leader_link.h"
#include "net/connector.h"
#include "net/loop.h"
#include "tests/unit/coord/shell/raw_peer.h"

using namespace tandem;
using coord::records::PacketType;
using coord::records::QuorumPacket;
using coord::shell::free_port;
using coord::shell::LeaderLink;
using coord::shell::LeaderLinkOptions;
using coord::shell::LearnerPort;
using coord::shell::LearnerPortOptions;
using coord::shell::say;

namespace {

// Numbers learners and remembers what it hears.
struct Owner final : coord::shell::LearnerPortEvents {
  std::uint64_t on_learner_open(const std::string&) override { return refuses ? 0 : ++last; }
  void on_learner_packet(std::uint64_t learner, const QuorumPacket& packet) override {
    packets[learner].push_back(packet.type);
  }
  void on_learner_packets_end() override {}
  void on_learner_progress(std::uint64_t learner, bool) override { ++parts[learner]; }
  void on_learner_gone(std::uint64_t learner) override { gone.insert(learner); }

  bool refuses = false;
  std::uint64_t last = 0;
  std::map<std::uint64_t, std::vector<PacketType>> packets;
  std::map<std::uint64_t, int> parts;
  std::set<std::uint64_t> gone;
};

// A learner's side.
struct Learner final : coord::shell::LeaderLinkEvents {
  void on_leader_connected() override { connected = true; }
  void on_leader_packet(const QuorumPacket& packet) override { packets.push_back(packet.type); }
  void on_leader_packets_end() override {}
  void on_leader_part() override { ++parts; }
  bool wants_leader_packets() override { return true; }
  base::Result<bool> on_leader_snapshot(std::string_view&) override { return true; }
  void on_leader_gone(const base::Error& reason) override { gone = reason.context; }

  bool connected = false;
  int parts = 0;
  std::vector<PacketType> packets;
  std::optional<std::string> gone;
};

struct Bench {
  explicit Bench(std::size_t unsent_max = 8U << 20, std::size_t total_max = 16U << 20) {
    LearnerPortOptions options;
    options.endpoints = {{"127.0.0.1", number}};
    options.unsent_max = unsent_max;
    options.unsent_total_max = total_max;
    auto opened = LearnerPort::open(loop, options, owner, {});
    REQUIRE(opened.has_value());
    port = std::move(*opened);
  }
  // What is closed is let go of in the loop.
  ~Bench() {
    port.reset();
    loop.poll();
  }
  template <class Condition>
  void until(Condition condition) {
    const auto end = clock.now() + std::chrono::seconds(20);
    while (!condition() && clock.now() < end) loop.poll();
    REQUIRE(condition());
  }
  net::Socket connect() {
    std::optional<net::Socket> socket;
    const std::uint64_t before = owner.last;
    const auto connecting = net::connect(loop, {"127.0.0.1", number}, std::chrono::seconds(2),
                                         [&](base::Result<net::Socket> got) {
                                           REQUIRE(got.has_value());
                                           socket = std::move(*got);
                                         });
    until([&] { return socket.has_value() && owner.last > before; });
    return std::move(*socket);
  }
  std::unique_ptr<LeaderLink> link(Learner& learner) {
    LeaderLinkOptions options;
    options.endpoints = {{"127.0.0.1", number}};
    options.connect_max = std::chrono::seconds(5);
    return std::make_unique<LeaderLink>(loop, options, learner);
  }

  base::SystemClock clock;
  net::Loop loop{clock};
  std::uint16_t number = free_port(loop);
  Owner owner;
  std::unique_ptr<LearnerPort> port;
};

std::string packet(PacketType type, std::size_t data) {
  std::string out;
  coord::records::put_packet(out, type, jute::Zxid(1), std::string(data, 'x'));
  return out;
}

constexpr std::size_t kPiece = 1U << 20;

}  // namespace

TEST_CASE("packets go both ways, and part of one is heard of") {
  Bench bench;
  Learner learner;
  const auto link = bench.link(learner);
  bench.until([&] { return learner.connected; });
  link->output() += packet(PacketType::follower_info, 20);
  bench.until([&] { return bench.owner.packets[1].size() == 1; });
  const std::string whole = packet(PacketType::proposal, 100);
  bench.port->output(1) += whole.substr(0, 50);
  bench.until([&] { return learner.parts == 1; });
  CHECK(learner.packets.empty());
  bench.port->output(1) += whole.substr(50);
  bench.until([&] { return learner.packets.size() == 1; });
}

TEST_CASE("a learner that does not read is closed before it has become the server's memory") {
  Bench bench(4 * kPiece);
  const net::Socket silent = bench.connect();
  Learner learner;
  const auto link = bench.link(learner);
  bench.until([&] { return learner.connected && bench.owner.last == 2; });
  std::size_t most = 0;
  for (int i = 0; i < 200 && !bench.owner.gone.contains(1); ++i) {
    bench.port->output(1) += packet(PacketType::proposal, kPiece / 2);
    bench.port->output(2) += packet(PacketType::proposal, kPiece / 2);
    most = std::max(most, bench.port->unsent_bytes(1));
    const std::size_t before = learner.packets.size();
    bench.until([&] { return learner.packets.size() > before; });
  }
  CHECK(bench.owner.gone.contains(1));
  CHECK(!bench.owner.gone.contains(2));
  CHECK(most <= 5 * kPiece);
}

TEST_CASE("when all learners together hold too much, the one with the most goes") {
  Bench bench(64 * kPiece, 8 * kPiece);
  const net::Socket one = bench.connect();
  const net::Socket two = bench.connect();
  for (int i = 0; i < 400 && bench.owner.gone.empty(); ++i) {
    bench.port->output(1) += packet(PacketType::proposal, kPiece / 4);
    bench.port->output(2) += packet(PacketType::proposal, kPiece / 8);
    bench.loop.poll();
  }
  CHECK(bench.owner.gone == std::set<std::uint64_t>{1});
}

TEST_CASE("the first packet must be as small as an introduction is") {
  Bench bench;
  const net::Socket liar = bench.connect();
  say(liar, std::string("\0\0\0\x0b\0\0\0\0\0\0\0\0\0\0\x20\0", 16));  // 8 KiB, none of them sent
  bench.until([&] { return bench.owner.gone.contains(1); });
  const net::Socket honest = bench.connect();
  say(honest, packet(PacketType::follower_info, 28));
  say(honest, packet(PacketType::request, 100000));
  bench.until([&] { return bench.owner.packets[2].size() == 2; });
}

TEST_CASE("a learner that is turned away is not heard of") {
  Bench bench;
  bench.owner.refuses = true;
  Learner learner;
  const auto link = bench.link(learner);
  bench.until([&] { return learner.gone.has_value(); });
  CHECK(bench.owner.gone.empty());
  CHECK(bench.port->learners() == 0);
}
