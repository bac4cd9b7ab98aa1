#include <doctest/doctest.h>

#include <atomic>

#include "jute/codec.h"
#include "net/connection.h"
#include "net/listener.h"
#include "zkclient/blocking.h"

namespace tandem::zkclient {

namespace {

// What a test may change about the server while it runs; touched from both threads.
struct Behaviour {
  std::atomic<int> connects{0};
  std::atomic<int> drop_after{-1};  // requests until the connection is dropped without an answer
  std::atomic<bool> refuse_sessions{false};
};

// Grants sessions and answers every request with a Stat that carries the path's length.
class Peer final : public net::Handler {
 public:
  explicit Peer(Behaviour& behaviour) : behaviour_(behaviour) {}

  base::Result<std::size_t> frame_size(std::string_view head) override {
    return net::length_prefixed(head, 1 << 20);
  }

  void on_frame(net::Connection& connection, const net::Frame& frame) override {
    const std::string_view body = frame.bytes().substr(4);
    if (!greeted_) return greet(connection, *jute::decoded<jute::ConnectRequest>(body));
    const auto header = jute::decoded<jute::RequestHeader>(body);
    if (behaviour_.drop_after >= 0 && behaviour_.drop_after-- == 0) return connection.close();
    std::string reply = jute::encoded(jute::ReplyHeader{header->xid, jute::Zxid(1), jute::ErrorCode::ok});
    if (header->type == jute::OpCode::exists) {
      jute::ExistsResponse response;
      const auto request = jute::decoded<jute::PathWatchRequest>(body.substr(8));
      response.stat.data_length = static_cast<std::int32_t>(request->path.size());
      jute::encode(reply, response);
    }
    send(connection, reply);
    if (header->type == jute::OpCode::close_session) connection.close_after_output();
  }
  void on_closed(net::Connection&, const base::Error&) override {}

 private:
  void greet(net::Connection& connection, const jute::ConnectRequest& request) {
    greeted_ = true;
    ++behaviour_.connects;
    jute::ConnectResponse response{0, 5000, request.session_id, std::string(16, 'p')};
    if (request.session_id.value == 0) response.session_id = jute::SessionId(behaviour_.connects);
    if (behaviour_.refuse_sessions && request.session_id.value != 0)
      response = jute::ConnectResponse{0, 0, jute::SessionId(0), std::string(16, '\0')};
    send(connection, jute::encoded(response));
  }
  void send(net::Connection& connection, const std::string& body) {
    bytes::Writer writer(connection.output());
    writer.i32(static_cast<std::int32_t>(body.size()));
    writer.bytes(body);
  }

  Behaviour& behaviour_;
  bool greeted_ = false;
};

struct Server {
  Server() : loop(clock) {
    auto opened = net::Listener::open(loop, {"127.0.0.1", 0}, [this](net::Socket socket) {
      net::Connection::start(loop, std::move(socket), std::make_shared<Peer>(behaviour));
    });
    REQUIRE(opened.has_value());
    listener = std::move(*opened);
    thread = std::thread([this] { loop.run(); });
  }
  ~Server() {
    loop.stop();
    thread.join();
  }
  Options options() const {
    Options options;
    options.session.servers.hosts = {{"127.0.0.1", listener->local().port}};
    options.session.max_in_flight = 10;
    return options;
  }

  base::SystemClock clock;
  Behaviour behaviour;
  net::Loop loop;
  std::unique_ptr<net::Listener> listener;
  std::thread thread;
};

constexpr base::milliseconds kWait{10000};

}  // namespace

TEST_CASE("a batch larger than the window comes back whole and in order") {
  Server server;
  BlockingClient client(server.options());
  REQUIRE(client.wait_connected(kWait));
  std::vector<Op> ops;
  for (std::size_t i = 1; i <= 300; ++i) ops.push_back(Op::exists("/" + std::string(i, 'x')));
  const auto results = client.call_all(ops);
  REQUIRE_EQ(results.size(), 300);
  for (std::size_t i = 0; i < results.size(); ++i) CHECK_EQ(results[i].stat.data_length, i + 2);
}

TEST_CASE("requests that are to be retried survive lost connections in the same session") {
  Server server;
  BlockingClient client(server.options());
  REQUIRE(client.wait_connected(kWait));
  const auto session = client.session_id();
  server.behaviour.drop_after = 15;
  const auto results = client.call_all(std::vector<Op>(40, Op::exists("/ab")), OnLoss::retry);
  for (const auto& result : results) CHECK(result.ok());
  CHECK_EQ(client.session_id(), session);
  CHECK_EQ(server.behaviour.connects, 2);
}

TEST_CASE("a request that is not retried reports the loss") {
  Server server;
  BlockingClient client(server.options());
  REQUIRE(client.wait_connected(kWait));
  server.behaviour.drop_after = 0;
  CHECK_EQ(client.call(Op::exists("/a")).error, jute::ErrorCode::connection_loss);
}

TEST_CASE("an expired session answers requests with its expiry and is replaced on demand") {
  Server server;
  net::Loop loop(server.clock);
  std::vector<State> states;
  std::unique_ptr<Client> client;
  jute::ErrorCode error = jute::ErrorCode::ok;
  client = std::make_unique<Client>(
      loop, server.options(), Callbacks{nullptr, [&](State state) {
                                          states.push_back(state);
                                          if (state == State::connected && states.size() == 2) {
                                            server.behaviour.refuse_sessions = true;
                                            server.behaviour.drop_after = 0;
                                            client->submit(Op::exists("/a"), OnLoss::retry,
                                                           [&](OpResult result) { error = result.error; });
                                          } else if (state == State::connected) {
                                            client->close();
                                          }
                                          if (state == State::expired) client->start();
                                          if (state == State::closed) loop.stop();
                                        }});
  loop.post([&] { client->start(); });
  loop.run();
  CHECK_EQ(error, jute::ErrorCode::session_expired);
  CHECK(states == std::vector<State>{State::connecting, State::connected, State::connecting, State::expired,
                                     State::connecting, State::connected, State::closed});
}

TEST_CASE("an ensemble that is not there fails requests instead of keeping them") {
  Options options;
  options.session.servers.hosts = {{"127.0.0.1", 1}};
  BlockingClient client(options);
  CHECK_EQ(client.call(Op::exists("/a")).error, jute::ErrorCode::connection_loss);
  CHECK_FALSE(client.wait_connected(base::milliseconds(1)));
}

}  // namespace tandem::zkclient
