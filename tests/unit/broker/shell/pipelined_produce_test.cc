// Produce requests that reach a connection together: however its turn ends, what was handed out is written,
// and what can still be answered is, in order.
#include <arpa/inet.h>
#include <sys/socket.h>

#include "broker/shell/socket_server.h"
#include "tests/unit/broker/api/partitions_fixture.h"

namespace tandem::broker::shell {

namespace {

constexpr std::int16_t kProduceVersion = 9;

// The first connection is of shard 0, and so is the partition.
class ServedPartitions : public api::PartitionsFixture {
 public:
  ServedPartitions() : server(*services, {}), here(shards->owner("t", 0) == 0 ? 0 : 1) {
    std::promise<std::uint16_t> port;
    shards->post(0, [&] {
      const auto bound = server.open({{"PLAINTEXT", {"127.0.0.1", 0}}});
      port.set_value(bound ? bound->front().endpoint.port : 0);
    });
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port.get_future().get());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    const timeval patience{20, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~ServedPartitions() {
    ::close(fd);
    shards->stop();
    server.close_listeners();
    stop();
  }

  std::string produce_frame(std::int32_t number, std::int16_t acks = -1) const {
    return protocol::encode_request(kProduceVersion, number, "test", produce_request(here, batch(1), acks));
  }
  void send_bytes(const std::string& bytes) const {
    REQUIRE(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  }
  // The next response's bytes behind the size; empty when the connection closed.
  std::string next() const {
    char size[4];
    if (::recv(fd, size, 4, MSG_WAITALL) != 4) return {};
    std::string frame(bytes::Reader({size, 4}).u32(), '\0');
    REQUIRE(::recv(fd, frame.data(), frame.size(), MSG_WAITALL) == static_cast<ssize_t>(frame.size()));
    return frame;
  }
  void check_produced(std::int32_t number, std::int64_t offset) const {
    const std::string frame = next();
    REQUIRE(!frame.empty());
    const auto response =
        protocol::read_response(bytes::Slice::own(frame), protocol::ApiKey::produce, kProduceVersion);
    REQUIRE(response.has_value());
    CHECK(response->correlation_id == number);
    const auto decoded = protocol::decode<protocol::ProduceResponse>(response->body, kProduceVersion);
    REQUIRE(decoded.has_value());
    const auto& answer = decoded->responses.at(0).partition_responses.at(0);
    CHECK(answer.error_code == protocol::ErrorCode::none);
    CHECK(answer.base_offset == offset);
  }

  SocketServer server;
  std::int32_t here;
  int fd = -1;
};

}  // namespace

TEST_CASE_FIXTURE(ServedPartitions,
                  "more requests than a connection may have open are all answered in order") {
  constexpr std::int32_t kRequests = 500;
  std::string all;
  for (std::int32_t i = 0; i < kRequests; ++i) all += produce_frame(i);
  send_bytes(all);
  for (std::int32_t i = 0; i < kRequests; ++i) check_produced(i, i);
}

TEST_CASE_FIXTURE(ServedPartitions, "a request between produces finds what came before it written") {
  protocol::ListOffsetsRequest ends;
  ends.replica_id = -1;
  ends.topics.push_back({"t", {}});
  ends.topics[0].partitions.emplace_back().partition_index = here;
  ends.topics[0].partitions[0].timestamp = -1;
  send_bytes(produce_frame(1) + produce_frame(2) + protocol::encode_request(5, 3, "test", ends) +
             produce_frame(4));
  check_produced(1, 0);
  check_produced(2, 1);
  const auto response = protocol::read_response(bytes::Slice::own(next()), protocol::ApiKey::list_offsets, 5);
  REQUIRE(response.has_value());
  const auto decoded = protocol::decode<protocol::ListOffsetsResponse>(response->body, 5);
  REQUIRE(decoded.has_value());
  CHECK(decoded->topics.at(0).partitions.at(0).offset == 2);
  check_produced(4, 2);
}

TEST_CASE_FIXTURE(ServedPartitions, "what precedes a request that closes the connection is written") {
  send_bytes(produce_frame(1) + produce_frame(2, 0) + std::string("\0\0\0\2\x7f\xff", 6) + produce_frame(3));
  while (!next().empty()) {
  }
  CHECK(put(here, batch(1)).base_offset == 2);
}

}  // namespace tandem::broker::shell
