#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "broker/api/metadata_cache.h"
#include "broker/protocol/messages/api_versions.h"
#include "broker/shell/socket_server.h"

namespace tandem::broker::shell {

namespace {

// A server of one listener on a free port, and a blocking client.
struct Fixture {
  base::SystemClock clock;
  api::Shards shards{clock, 2};
  api::Node node;
  api::MetadataCache metadata;
  api::Services services{clock, logging::Logger(), shards, node, metadata};
  SocketServer server;
  std::uint16_t port = 0;

  explicit Fixture(SocketServerOptions options = {}) : server(services, std::move(options)) {
    auto bound = server.open({{"PLAINTEXT", {"127.0.0.1", 0}}});
    REQUIRE(bound.has_value());
    port = bound->front().endpoint.port;
    shards.start();
  }
  ~Fixture() {
    shards.stop();
    server.close_listeners();
  }

  int connect() const {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const timeval patience{10, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
  }
};

void send_text(int fd, const std::string& bytes) {
  REQUIRE_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

// The body of the next response, its correlation id checked; empty when the connection closed.
std::string receive(int fd, std::int32_t correlation_id, std::int16_t version) {
  char size_bytes[4];
  if (::recv(fd, size_bytes, 4, MSG_WAITALL) != 4) return {};
  std::string frame(bytes::Reader({size_bytes, 4}).u32(), '\0');
  REQUIRE_EQ(::recv(fd, frame.data(), frame.size(), MSG_WAITALL), static_cast<ssize_t>(frame.size()));
  auto response = protocol::read_response(bytes::Slice::own(frame), protocol::ApiKey::api_versions, version);
  REQUIRE(response.has_value());
  CHECK_EQ(response->correlation_id, correlation_id);
  return std::string(response->body.view());
}

protocol::ApiVersionsResponse decoded(const std::string& body, std::int16_t version) {
  auto response = protocol::decode<protocol::ApiVersionsResponse>(bytes::Slice::own(body), version);
  REQUIRE(response.has_value());
  return *response;
}

std::string raw_request(std::int16_t version, std::int32_t correlation_id,
                        const std::string& software = "librdkafka") {
  protocol::ApiVersionsRequest message;
  message.client_software_name = software;
  message.client_software_version = "2.0.2";
  return protocol::encode_request(version, correlation_id, "test", message);
}

}  // namespace

TEST_CASE("pipelined requests are answered in order, each in its version") {
  Fixture fixture;
  const int fd = fixture.connect();
  send_text(fd, raw_request(0, 1) + raw_request(3, 2) + raw_request(4, 3));
  CHECK_EQ(decoded(receive(fd, 1, 0), 0).error_code, protocol::ErrorCode::none);
  CHECK_FALSE(decoded(receive(fd, 2, 3), 3).api_keys.empty());
  CHECK_FALSE(decoded(receive(fd, 3, 4), 4).api_keys.empty());
  ::close(fd);
}

TEST_CASE("an unknown version of ApiVersions is answered in version 0 with the versions to use") {
  Fixture fixture;
  const int fd = fixture.connect();
  std::string frame = raw_request(4, 7);
  frame[7] = 99;  // the version's low byte
  send_text(fd, frame);
  const auto response = decoded(receive(fd, 7, 0), 0);
  CHECK_EQ(response.error_code, protocol::ErrorCode::unsupported_version);
  REQUIRE_EQ(response.api_keys.size(), 1);
  CHECK_EQ(response.api_keys[0].max_version, 4);
  ::close(fd);
}

TEST_CASE("a malformed software name is an invalid request") {
  Fixture fixture;
  const int fd = fixture.connect();
  send_text(fd, raw_request(3, 1, "-bad name"));
  CHECK_EQ(decoded(receive(fd, 1, 3), 3).error_code, protocol::ErrorCode::invalid_request);
  ::close(fd);
}

TEST_CASE("an unknown API, a negative or too large length end the connection") {
  Fixture fixture;
  for (const std::string& bytes : {std::string("\0\0\0\x0a\x7f\xff\0\0\0\0\0\1\0\0", 14),
                                   std::string("\xff\xff\xff\xff", 4), std::string("\x7f\xff\xff\xff", 4)}) {
    const int fd = fixture.connect();
    send_text(fd, bytes);
    char byte;
    CHECK_LE(::recv(fd, &byte, 1, 0), 0);
    ::close(fd);
  }
}

TEST_CASE("an address above its limit is turned away, and served again once a connection closed") {
  SocketServerOptions options;
  options.limits.per_ip_max = 1;
  Fixture fixture(options);
  const int first = fixture.connect();
  send_text(first, raw_request(0, 1));
  CHECK_FALSE(receive(first, 1, 0).empty());
  const int second = fixture.connect();
  char byte;
  CHECK_LE(::recv(second, &byte, 1, 0), 0);
  ::close(first);
  ::close(second);
  std::string answer;
  for (int attempt = 0; attempt < 1000 && answer.empty(); ++attempt) {  // the close takes a moment to be seen
    const int again = fixture.connect();
    const std::string frame = raw_request(0, 2);
    if (::send(again, frame.data(), frame.size(), MSG_NOSIGNAL) > 0) answer = receive(again, 2, 0);
    ::close(again);
  }
  CHECK_FALSE(answer.empty());
}

}  // namespace tandem::broker::shell
