#include "broker/shell/controller_channel.h"

#include <doctest/doctest.h>

#include <vector>

#include "broker/protocol/messages/api_versions.h"
#include "broker/shell/limits.h"
#include "net/listener.h"
#include "polled.h"

namespace tandem::broker::shell {

namespace {

using protocol::ApiKey;
using protocol::ErrorCode;

// A broker that answers ApiVersions, and ControlledShutdown with `error`; `mute`: not the latter.
class FakeController {
 public:
  explicit FakeController(net::Loop& loop) {
    auto opened = net::Listener::open(loop, {"127.0.0.1", 0}, [this, &loop](net::Socket socket) {
      connections.push_back(
          net::Connection::start(loop, std::move(socket), std::make_shared<Handler>(*this)));
    });
    REQUIRE(opened.has_value());
    listener_ = std::move(*opened);
  }
  ~FakeController() { drop(); }

  zk::Endpoint endpoint() const {
    return {"PLAINTEXT", "127.0.0.1", listener_->local().port, zk::SecurityProtocol::plaintext};
  }
  void drop() {
    for (auto& connection : std::exchange(connections, {})) connection->close();
  }

  std::vector<std::shared_ptr<net::Connection>> connections;
  std::vector<std::int32_t> asked;  // broker ids of the shutdowns that came
  std::vector<std::int16_t> versions;
  ErrorCode error = ErrorCode::none;
  std::int16_t newest = 3;  // of ControlledShutdown; -1: it is not served
  bool mute = false;

 private:
  class Handler final : public net::Handler {
   public:
    explicit Handler(FakeController& fake) : fake_(fake) {}
    base::Result<std::size_t> frame_size(std::string_view head) override {
      return net::length_prefixed(head, kControlResponseBytesMax);
    }
    void on_frame(net::Connection& connection, const net::Frame& frame) override {
      const bytes::Slice whole = frame.own();
      const auto request = protocol::read_request(whole.sub(4, whole.size() - 4));
      REQUIRE(request.has_value());
      fake_.answer(connection, *request);
    }
    void on_closed(net::Connection&, const base::Error&) override {}

   private:
    FakeController& fake_;
  };

  void answer(net::Connection& connection, const protocol::RequestFrame& request) {
    if (request.api->key == ApiKey::api_versions) {
      protocol::ApiVersionsResponse versions;
      versions.api_keys.push_back({static_cast<std::int16_t>(ApiKey::api_versions), 0, 4});
      if (newest >= 0)
        versions.api_keys.push_back({static_cast<std::int16_t>(ApiKey::controlled_shutdown), 0, newest});
      protocol::append_response(connection.output(), 0, request.correlation_id, versions);
      return;
    }
    protocol::ControlledShutdownRequest message;
    REQUIRE(protocol::decode_into(message, request).has_value());
    asked.push_back(message.broker_id);
    versions.push_back(request.version);
    if (mute) return;
    protocol::ControlledShutdownResponse response;
    response.error_code = error;
    protocol::append_response(connection.output(), request.version, request.correlation_id, response);
  }

  std::unique_ptr<net::Listener> listener_;
};

// Broker N is fakes[N]; what came of each request, as text.
struct Channel {
  base::SystemClock clock;
  net::Loop loop{clock};
  std::vector<std::unique_ptr<FakeController>> fakes;
  std::vector<std::string> told;
  ControllerChannel channel;

  explicit Channel(base::milliseconds request_timeout = std::chrono::seconds(30))
      : channel(
            loop, {"9", request_timeout},
            [this](std::int32_t broker, const ControllerChannel::Found& found) {
              found(fakes.at(static_cast<std::size_t>(broker))->endpoint());
            },
            logging::Logger()) {
    for (int i = 0; i < 2; ++i) fakes.push_back(std::make_unique<FakeController>(loop));
  }
  void ask(std::int32_t broker, base::milliseconds timeout = std::chrono::seconds(30)) {
    protocol::ControlledShutdownRequest request;
    request.broker_id = broker;
    channel.send(request, timeout, [this, broker](const base::Result<api::FromController>& answer) {
      if (!answer) {
        told.push_back(fmt::format("{} {}", broker, base::to_string(answer.error().code)));
      } else {
        const auto& response = std::get<protocol::ControlledShutdownResponse>(*answer);
        told.push_back(fmt::format("{} answered {}", broker, static_cast<int>(response.error_code)));
      }
    });
  }
  void wait_for(std::size_t answers) {
    test::poll_until(loop, [&] { return told.size() >= answers; });
  }
};

using Told = std::vector<std::string>;

}  // namespace

TEST_CASE("requests wait for a controller, and are answered in order in the version it speaks") {
  Channel c;
  c.fakes[0]->newest = 2;
  c.ask(5);
  c.ask(6);
  c.loop.poll();
  CHECK(c.channel.queued() == 2);
  c.channel.set_controller(0);
  c.wait_for(2);
  CHECK(c.told == Told{"5 answered 0", "6 answered 0"});
  CHECK(c.fakes[0]->versions == std::vector<std::int16_t>{2, 2});
  CHECK(c.fakes[0]->connections.size() == 1);
}

TEST_CASE("a broker that is not the controller any more is asked again, until another one is named") {
  Channel c;
  c.fakes[0]->error = ErrorCode::not_controller;
  c.channel.set_controller(0);
  c.ask(5);
  test::poll_until(c.loop, [&] { return c.fakes[0]->asked.size() > 1; });
  CHECK(c.told.empty());
  c.channel.set_controller(1);
  c.wait_for(1);
  CHECK(c.told == Told{"5 answered 0"});
  CHECK(c.fakes[1]->asked == std::vector<std::int32_t>{5});
}

TEST_CASE("a request whose connection is lost is made again on another") {
  Channel c;
  c.fakes[0]->mute = true;
  c.channel.set_controller(0);
  c.ask(5);
  test::poll_until(c.loop, [&] { return !c.fakes[0]->asked.empty(); });
  c.fakes[0]->mute = false;
  c.fakes[0]->drop();
  c.wait_for(1);
  CHECK(c.told == Told{"5 answered 0"});
  CHECK(c.fakes[0]->asked.size() == 2);
}

TEST_CASE("a request that nobody answers ends at its timeout, and its late answer is nobody else's") {
  Channel c;
  c.fakes[0]->mute = true;
  c.channel.set_controller(0);
  c.ask(5, base::milliseconds(100));
  c.wait_for(1);
  CHECK(c.told == Told{"5 timed out"});
  c.fakes[0]->mute = false;
  c.ask(6);
  c.wait_for(2);
  CHECK(c.told.back() == "6 answered 0");
}

TEST_CASE("a controller that is silent for the socket's timeout is asked on another connection") {
  Channel c(base::milliseconds(100));
  c.fakes[0]->mute = true;
  c.channel.set_controller(0);
  c.ask(5);
  test::poll_until(c.loop, [&] { return c.fakes[0]->asked.size() > 1; });
  c.fakes[0]->mute = false;
  c.wait_for(1);
  CHECK(c.told == Told{"5 answered 0"});
}

TEST_CASE("an API that the controller does not serve is an error at once") {
  Channel c;
  c.fakes[0]->newest = -1;
  c.channel.set_controller(0);
  c.ask(5);
  c.wait_for(1);
  CHECK(c.told == Told{"5 not supported"});
}

TEST_CASE("a full queue refuses, and the end of the channel answers what waits") {
  Channel c;
  for (std::size_t i = 0; i < kControllerRequestsMax; ++i) c.ask(1);
  CHECK(c.told.empty());
  c.ask(2);
  CHECK(c.told == Told{"2 limit exceeded"});
  c.channel.stop();
  CHECK(c.told.size() == kControllerRequestsMax + 1);
  CHECK(c.told.back() == "1 closed");
  c.ask(3);
  CHECK(c.told.back() == "3 limit exceeded");
}

}  // namespace tandem::broker::shell
