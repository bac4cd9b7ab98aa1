// The simulated connections do for those who use them what the real ones do.
#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "bytes/writer.h"
#include "net/connection.h"
#include "net/connector.h"
#include "net/listener.h"
#include "net/loop.h"
#include "tests/sim/brokers/mutants.h"
#include "tests/sim/brokers/process.h"
#include "tests/sim/brokers/tree.h"

using namespace tandem;
using namespace tandem::sim;
using namespace tandem::sim::brokers;

namespace {

std::string framed(std::string_view body) {
  std::string out;
  bytes::Writer writer(out);
  writer.i32(static_cast<std::int32_t>(body.size()));
  writer.bytes(body);
  return out;
}

struct Peer : net::Handler {
  base::Result<std::size_t> frame_size(std::string_view head) override {
    return net::length_prefixed(head, 1 << 20);
  }
  void on_frame(net::Connection&, const net::Frame& frame) override { frames.emplace_back(frame.bytes()); }
  void on_closed(net::Connection&, const base::Error&) override {}

  std::vector<std::string> frames;
};

// Answers at the end of a receive, as a broker does that stages its appends; reads no further while so many
// answers are due.
struct Gatherer final : Peer {
  static constexpr std::size_t kDueMax = 4;

  void on_frame(net::Connection& connection, const net::Frame& frame) override {
    due.emplace_back(frame.bytes());
    if (due.size() >= kDueMax) connection.pause_reading();
  }
  void on_frames_end(net::Connection& connection) override {
    for (const auto& answer : due) connection.output() += answer;
    due.clear();
    connection.resume_reading();
  }

  std::vector<std::string> due;
};

// Two hosts with a connection between them.
struct Hosts {
  explicit Hosts(std::shared_ptr<net::Handler> serves) {
    auto listens =
        net::Listener::open(server_loop, {"h2", 9092},
                            [this, serves](net::Socket socket) {
                              served = net::Connection::start(server_loop, std::move(socket), serves, {});
                            },
                            {});
    REQUIRE(listens.has_value());
    listener = std::move(*listens);
    connecting = net::connect(client_loop, {"h2", 9092}, milliseconds(100), [this](auto socket) {
      REQUIRE(socket.has_value());
      connection = net::Connection::start(client_loop, std::move(*socket), client, {});
    });
    run();
    REQUIRE(connection != nullptr);
  }
  ~Hosts() {
    network.leave(2, false);
    network.leave(3, false);
    run();  // ends of connections hold what holds them
    client_loop.stop();
    server_loop.stop();
  }

  void run() {
    const Instant end = scheduler.now() + std::chrono::seconds(1);
    while (scheduler.run_one(end)) {
    }
  }

  Scheduler scheduler;
  Network network{scheduler, base::Random(1), std::chrono::microseconds(300), 0};
  Tree tree{scheduler};
  Mutation mutation{BrokerMutant::none, base::Random(2)};
  Surroundings around{scheduler, network, tree, mutation};
  Process server{around, 2, base::Random(3)};
  Process peer{around, 3, base::Random(4)};
  net::Loop server_loop{server, {}};
  net::Loop client_loop{peer, {}};
  std::unique_ptr<net::Listener> listener;
  std::shared_ptr<net::Connecting> connecting;
  std::shared_ptr<Peer> client = std::make_shared<Peer>();
  std::shared_ptr<net::Connection> connection;
  std::shared_ptr<net::Connection> served;
};

}  // namespace

TEST_CASE("frames behind a pause that ends with the receive are handed out too") {
  Hosts hosts(std::make_shared<Gatherer>());
  std::vector<std::string> sent;
  for (std::size_t i = 0; i < 3 * Gatherer::kDueMax + 1; ++i) {
    sent.push_back(framed(std::to_string(i)));
    hosts.connection->output() += sent.back();
  }
  hosts.run();
  CHECK(hosts.client->frames == sent);
}
