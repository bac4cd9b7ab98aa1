#include "coord/shell/client_port.h"
#include "coord/shell/driver.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>

#include "bytes/writer.h"
#include "coord/shell/four_letter.h"
#include "jute/codec.h"
#include "jute/proto.h"
#include "net/loop.h"

using namespace tandem;
using namespace tandem::coord;

namespace {

// A whole server on a free port but for the disk: what is logged is durable a moment later.
struct Served {
  explicit Served(shell::ClientPortOptions options = {}, shell::ServerFacts facts = {})
      : driver(loop,
               [this](const pipeline::TxnBatch& batch) {
                 loop.defer([this, last = batch.last] { driver.on_durable(last); });
               }),
        core({}, tree, sessions, authorizer, driver, driver.now()),
        words(
            std::move(facts), [this] { return &core; }, clock) {
    driver.start(core);
    options.endpoint = {"127.0.0.1", 0};
    auto opened = shell::ClientPort::open(options, driver, words, logging::Logger());
    REQUIRE(opened.has_value());
    port = std::move(*opened);
  }

  base::SystemClock clock;
  net::Loop loop{clock, {64 * 1024, std::chrono::milliseconds(5)}};
  tree::DataTree tree{tree::TreeOptions{}};
  session::SessionTracker sessions{std::chrono::seconds(1), jute::SessionId(100)};
  auth::Authorizer authorizer{auth::AuthOptions{}};
  shell::Driver driver;
  pipeline::Pipeline core;
  shell::FourLetterWords words;
  std::unique_ptr<shell::ClientPort> port;
};

class Client {
 public:
  explicit Client(Served& served) : served_(served), fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(served.port->local().port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  ~Client() { ::close(fd_); }

  void send(std::string_view bytes) {
    REQUIRE(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  }
  void send_frame(std::string_view body) {
    std::string frame;
    bytes::Writer writer(frame);
    writer.i32(static_cast<std::int32_t>(body.size()));
    writer.bytes(body);
    send(frame);
  }
  void connect() {
    jute::ConnectRequest request;
    request.timeout_ms = 10'000;
    request.passwd = std::string(16, '\0');
    send_frame(jute::encoded(request));
    CHECK(receive(41).size() == 41);
  }

  // So many bytes, or all there are until the server hangs up.
  std::string receive(std::size_t wanted = 1 << 20) {
    std::string out;
    char buffer[4096];
    for (int round = 0; out.size() < wanted && round < 1'000'000; ++round) {
      served_.loop.poll();
      const std::size_t room = std::min(sizeof buffer, wanted - out.size());
      const ssize_t count = ::recv(fd_, buffer, room, MSG_DONTWAIT);
      if (count > 0) out.append(buffer, static_cast<std::size_t>(count));
      if (count == 0 || (count < 0 && errno != EAGAIN)) {
        ended_ = true;
        break;
      }
    }
    return out;
  }
  bool ended() const { return ended_; }

 private:
  Served& served_;
  int fd_;
  bool ended_ = false;
};

shell::ServerFacts all_words() {
  shell::ServerFacts facts;
  facts.whitelist = {"*"};
  facts.version = "3.9.5-test, built on today";
  return facts;
}

std::string request(std::int32_t xid, jute::OpCode type, std::string_view body) {
  std::string out;
  bytes::Writer writer(out);
  writer.i32(xid);
  writer.i32(static_cast<std::int32_t>(type));
  writer.bytes(body);
  return out;
}

}  // namespace

TEST_CASE("a client connects, writes and reads") {
  Served served;
  Client client(served);
  client.connect();
  client.send_frame(request(1, jute::OpCode::create,
                            jute::encoded(jute::CreateRequest{"/a", std::string("x"), jute::open_acl(), 0})));
  client.send_frame(request(2, jute::OpCode::get_data, jute::encoded(jute::PathWatchRequest{"/a", false})));
  const std::string replies = client.receive(4 + 16 + 6 + 4 + 16 + 5 + 68);
  bytes::Reader reader(replies);
  CHECK(reader.i32() == 22);
  CHECK(reader.i32() == 1);
  CHECK(reader.i64() == 2);
  CHECK(reader.i32() == 0);
  reader.skip(6);
  CHECK(reader.i32() == 16 + 5 + 68);
  CHECK(reader.i32() == 2);
  CHECK_FALSE(client.ended());
}

TEST_CASE("an event goes out to a connection that is idle") {
  Served served;
  Client watcher(served);
  watcher.connect();
  watcher.send_frame(request(1, jute::OpCode::exists, jute::encoded(jute::PathWatchRequest{"/w", true})));
  CHECK(watcher.receive(20).size() == 20);
  Client writer(served);
  writer.connect();
  writer.send_frame(request(1, jute::OpCode::create,
                            jute::encoded(jute::CreateRequest{"/w", std::nullopt, jute::open_acl(), 0})));
  CHECK(watcher.receive(4 + 16 + 8 + 4 + 2).size() == 34);
}

TEST_CASE("lengths that are negative or beyond jute.maxbuffer end the connection without a reply") {
  for (const char* bytes : {"\x7f\xff\xff\xff", "\xff\xff\xff\xff", "\x00\x10\x00\x00"}) {
    Served served;
    Client client(served);
    client.send(std::string_view(bytes, 4));
    CHECK(client.receive().empty());
    CHECK(client.ended());
  }
}

TEST_CASE("connections beyond the limit of an address are turned away, and counted down again") {
  shell::ClientPortOptions options;
  options.connections_per_address_max = 2;
  Served served(options);
  std::optional<Client> first(std::in_place, served);
  Client second(served);
  first->connect();
  second.connect();
  Client third(served);
  CHECK(third.receive().empty());
  CHECK(third.ended());
  first.reset();
  for (int round = 0; served.port->connections() > 1 && round < 1'000'000; ++round) served.loop.poll();
  Client fourth(served);
  fourth.connect();
}

TEST_CASE("who says nothing is sent away after the sessionless timeout") {
  shell::ClientPortOptions options;
  options.sessionless_max = std::chrono::milliseconds(20);
  Served served(options);
  Client client(served);
  CHECK(client.receive().empty());
  CHECK(client.ended());
}

TEST_CASE("a closed session closes the connection behind its reply") {
  Served served;
  Client client(served);
  client.connect();
  client.send_frame(request(7, jute::OpCode::close_session, ""));
  CHECK(client.receive().size() == 20);
  CHECK(client.ended());
  CHECK(served.sessions.size() == 0);
}

TEST_CASE("megabytes of answers that waited for a write all come, however slowly they are read") {
  Served served;
  Client client(served);
  client.connect();
  const auto send_set = [&](std::int32_t xid, const std::string& data) {
    client.send_frame(
        request(xid, jute::OpCode::set_data, jute::encoded(jute::SetDataRequest{"/a", data, -1})));
  };
  client.send_frame(request(1, jute::OpCode::create,
                            jute::encoded(jute::CreateRequest{"/a", std::nullopt, jute::open_acl(), 0})));
  CHECK(client.receive(26).size() == 26);
  const std::string large(100'000, 'x');
  send_set(2, large);
  constexpr int kReads = 100;
  for (int i = 0; i < kReads; ++i)
    client.send_frame(
        request(3 + i, jute::OpCode::get_data, jute::encoded(jute::PathWatchRequest{"/a", false})));
  const std::size_t wanted = 4 + 16 + 68 + kReads * (4 + 16 + 4 + large.size() + 68);
  CHECK(client.receive(wanted).size() == wanted);
}

TEST_CASE("words answer with Apache's text and hang up") {
  struct Row {
    const char* word;
    const char* part;
  };
  const Row rows[] = {
      {"ruok", "imok"},
      {"srvr", "Zookeeper version: 3.9.5-test, built on today\nLatency min/avg/max: 0/0.0/0\n"},
      {"srvr", "Zxid: 0x1\nMode: standalone\nNode count: 5\n"},
      {"stat", "Clients:\n /127.0.0.1:"},
      {"cons", ",sid=0x64,lop=NA,est="},
      {"mntr", "zk_server_state\tstandalone\n"},
      {"mntr", "zk_znode_count\t5\n"},
      {"conf", "tickTime=3000\n"},
      {"dump", "Sessions with Ephemerals (0):\n"},
      {"wchs", "0 connections watching 0 paths\nTotal watches:0\n"},
      {"envi", "Environment:\nzookeeper.version=3.9.5-test"},
      {"isro", "rw"},
      {"crst", "Connection stats reset.\n"},
      {"srst", "Server stats reset.\n"},
      {"gtmk", "306"},
      {"dirs", "datadir_size: 0\nlogdir_size: 0\n"},
      {"hash", "1: "},
  };
  Served served({}, all_words());
  Client session(served);
  session.connect();
  for (const Row& row : rows) {
    CAPTURE(row.word);
    Client client(served);
    client.send(row.word);
    const std::string answer = client.receive();
    CHECK_MESSAGE(answer.find(row.part) != std::string::npos, answer);
    CHECK(client.ended());
  }
}

TEST_CASE("words that are not in the whitelist are refused by name, srvr never") {
  Served served;
  Client refused(served);
  refused.send("ruok");
  CHECK(refused.receive() == "ruok is not executed because it is not in the whitelist.\n");
  Client allowed(served);
  allowed.send("srvr");
  CHECK(allowed.receive().find("Mode: standalone") != std::string::npos);
}

TEST_CASE("stmk keeps the mask that follows it") {
  Served served({}, all_words());
  Client client(served);
  client.send(std::string_view("stmk\0\0\0\0\0\0\0\x7b", 12));
  CHECK(client.receive() == "123");
  Client after(served);
  after.send("gtmk");
  CHECK(after.receive() == "123");
}
