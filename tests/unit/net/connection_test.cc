#include "net/connection.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bytes/writer.h"
#include "fs/posix_disk.h"
#include "net/connector.h"
#include "net/listener.h"
#include "net/loop.h"

using namespace tandem;

namespace {

std::string framed(std::string_view body) {
  std::string out;
  bytes::Writer writer(out);
  writer.i32(static_cast<std::int32_t>(body.size()));
  writer.bytes(body);
  return out;
}

// Echoes frames, unless a test says otherwise.
struct Echo final : net::Handler {
  base::Result<std::size_t> frame_size(std::string_view head) override {
    return net::length_prefixed(head, 8 << 20);
  }
  void on_frame(net::Connection& connection, const net::Frame& frame) override {
    bodies.push_back(frame.own());
    if (pause_each) connection.pause_reading();
    connection.write(frame.bytes());
  }
  void on_frames_end(net::Connection&) override { ++wakeups; }
  void on_closed(net::Connection&, const base::Error& reason) override { closed = reason.context; }

  std::vector<bytes::Slice> bodies;
  std::string closed;
  int wakeups = 0;
  bool pause_each = false;
};

struct Pair {
  explicit Pair(net::ConnectionOptions options = {}, std::size_t receive_buffer = 256 * 1024)
      : loop(clock, {receive_buffer, std::chrono::milliseconds(5)}) {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    client = net::Socket(fds[1]);
    connection = net::Connection::start(loop, net::Socket(fds[0]), echo, options);
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ::send(client.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
      loop.poll();
    }
  }
  std::string receive() {
    loop.poll();
    std::string got;
    std::string part(1 << 20, '\0');
    for (;;) {
      const auto count = ::recv(client.fd(), part.data(), part.size(), MSG_DONTWAIT);
      if (count <= 0) return got;
      got.append(part, 0, static_cast<std::size_t>(count));
      loop.poll();
    }
  }
  template <class Condition>
  void until(Condition condition) {
    const auto end = clock.now() + std::chrono::seconds(10);
    while (!condition() && clock.now() < end) loop.poll();
    REQUIRE(condition());
  }

  base::SystemClock clock;
  net::Loop loop;
  std::shared_ptr<Echo> echo = std::make_shared<Echo>();
  net::Socket client;
  std::shared_ptr<net::Connection> connection;
};

}  // namespace

TEST_CASE("frames sent together are answered together") {
  Pair pair;
  const std::string two = framed("one") + framed("") + framed("two");
  pair.send(two);
  CHECK(pair.receive() == two);
  CHECK(pair.echo->bodies.size() == 3);
  CHECK(pair.echo->wakeups == 1);
}

TEST_CASE("frames cut anywhere arrive whole") {
  Pair pair({}, 100 * 1024);
  std::string stream;
  for (std::size_t size : {0, 1, 5000, 40'000, 200'000, 3, 1'000'000})
    stream += framed(std::string(size, 'x'));
  std::string got;
  for (std::size_t at = 0, step = 1; at < stream.size(); at += step, step = step * 2 + 1) {
    pair.send(std::string_view(stream).substr(at, step));
    got += pair.receive();
  }
  CHECK(got == stream);
  CHECK(pair.echo->bodies.size() == 7);
}

TEST_CASE("a length out of bounds closes the connection after what was owed was sent") {
  Pair pair;
  pair.send(framed("good") + std::string("\x7f\xff\xff\xff", 4));
  CHECK(pair.receive() == framed("good"));
  CHECK(pair.echo->closed == "frame length 2147483647 is not in 0..8388608");
  CHECK(pair.loop.connections() == 0);
}

TEST_CASE("a claimed length allocates nothing before its bytes arrive") {
  Pair pair;
  std::string head = framed(std::string(8 << 20, 'x')).substr(0, 10);
  pair.send(head);
  CHECK(pair.receive().empty());
  CHECK(pair.connection->is_open());
}

TEST_CASE("a handler that pauses gets the frames behind one by one when it resumes") {
  Pair pair;
  pair.echo->pause_each = true;
  std::string stream;
  for (int i = 0; i < 5; ++i) stream += framed(std::string(100, static_cast<char>('a' + i)));
  pair.send(stream);
  std::string got;
  for (std::size_t i = 1; i <= 5; ++i) {
    got += pair.receive();
    CHECK(pair.echo->bodies.size() == i);
    pair.connection->resume_reading();
  }
  CHECK(got == stream);
  pair.send(framed("later"));
  CHECK(pair.receive() == framed("later"));
}

TEST_CASE("a peer that sends without end leaves the others their turn") {
  Pair pair;
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += framed("m");
  int fds[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
  net::Socket other(fds[1]);
  std::size_t before = 0;
  struct Other final : net::Handler {
    Other(const Echo& echo, std::size_t& before) : echo_(echo), before_(before) {}
    base::Result<std::size_t> frame_size(std::string_view head) override {
      return net::length_prefixed(head, 100);
    }
    void on_frame(net::Connection&, const net::Frame&) override { before_ = echo_.bodies.size(); }
    void on_closed(net::Connection&, const base::Error&) override {}
    const Echo& echo_;
    std::size_t& before_;
  };
  net::Connection::start(pair.loop, net::Socket(fds[0]), std::make_shared<Other>(*pair.echo, before));
  const std::string one = framed("o");
  REQUIRE(::send(pair.client.fd(), many.data(), many.size(), MSG_DONTWAIT) == static_cast<long>(many.size()));
  REQUIRE(::send(other.fd(), one.data(), one.size(), MSG_DONTWAIT) == static_cast<long>(one.size()));
  CHECK(pair.receive().size() == many.size());
  CHECK(pair.echo->bodies.size() == 10'000);
  CHECK(before < 1000);
}

TEST_CASE("reading stops while the peer does not read, and nothing is lost") {
  net::ConnectionOptions options;
  options.output_pause_bytes = 64 * 1024;
  Pair pair(options);
  const std::string frame = framed(std::string(10'000, 'y'));
  std::size_t sent = 0;
  for (int idle = 0; idle < 3;) {
    const auto count = ::send(pair.client.fd(), frame.data() + sent % frame.size(),
                              frame.size() - sent % frame.size(), MSG_DONTWAIT);
    if (count > 0) sent += static_cast<std::size_t>(count);
    idle = count > 0 ? 0 : idle + 1;
    pair.loop.poll();
  }
  CHECK(pair.connection->unsent_bytes() < 400'000);
  CHECK(pair.receive().size() == sent / frame.size() * frame.size());
}

TEST_CASE("a peer that never reads is closed after the stall deadline, a silent one when idle") {
  net::ConnectionOptions options;
  options.stall_max = std::chrono::milliseconds(20);
  options.idle_max = std::chrono::milliseconds(200);
  Pair stalled(options);
  stalled.connection->write(std::string(4 << 20, 'z'));
  stalled.until([&] { return !stalled.connection->is_open(); });
  CHECK(stalled.echo->closed == "the peer does not read");
  Pair idle(options);
  idle.until([&] { return !idle.connection->is_open(); });
  CHECK(idle.echo->closed == "idle");
}

TEST_CASE("slices and file ranges go out in order, whatever the socket takes at a time") {
  std::string root = "/tmp/tandem-net-XXXXXX";
  REQUIRE(::mkdtemp(root.data()) != nullptr);
  fs::PosixDisk disk;
  std::shared_ptr<fs::File> file = std::move(*disk.open(root + "/f", fs::OpenMode::create));
  std::string contents(3'000'000, '\0');
  for (std::size_t i = 0; i < contents.size(); ++i) contents[i] = static_cast<char>(i * 7);
  REQUIRE(file->append(contents).has_value());

  Pair pair;
  const auto block = bytes::Slice::own(std::string(500'000, 's'));
  bytes::Chain chain;
  chain.append("head");
  chain.append(block);
  chain.append(bytes::FileRange{file, file->fd(), 1000, 2'000'000});
  chain.append("tail");
  pair.connection->write("first ");
  pair.connection->write(std::move(chain));
  pair.connection->write(" last");
  CHECK(pair.receive() ==
        "first head" + std::string(block.view()) + contents.substr(1000, 2'000'000) + "tail last");
  pair.connection->write("again");
  CHECK(pair.receive() == "again");
  REQUIRE(fs::remove_tree(disk, root).has_value());
}

TEST_CASE("what is to be sent now is out before the wake-up ends, and once") {
  Pair pair;
  std::string early;
  pair.loop.defer([&] {
    pair.connection->write("first");
    pair.loop.send_written();
    std::string part(100, '\0');
    const auto count = ::recv(pair.client.fd(), part.data(), part.size(), MSG_DONTWAIT);
    if (count > 0) early = part.substr(0, static_cast<std::size_t>(count));
    pair.connection->write(", then the rest");
  });
  CHECK(pair.receive() == ", then the rest");
  CHECK(early == "first");
}

TEST_CASE("a connection found broken when it is to be sent to now is closed with the wake-up") {
  Pair pair;
  pair.client = net::Socket();
  pair.loop.defer([&] {
    pair.connection->write("nobody reads this");
    pair.loop.send_written();
    CHECK(pair.echo->closed.empty());
  });
  pair.until([&] { return !pair.echo->closed.empty(); });
  CHECK(pair.loop.connections() == 0);
}

TEST_CASE("a connection that ends after its output delivers it and tells its handler once") {
  Pair pair;
  pair.connection->write(std::string(2'000'000, 'w'));
  pair.connection->close_after_output();
  CHECK(pair.receive().size() == 2'000'000);
  pair.until([&] { return !pair.echo->closed.empty(); });
  CHECK(pair.echo->closed == "closed here");
}

TEST_CASE("a handler that holds its connection is let go of when that is closed") {
  struct Holder final : net::Handler {
    base::Result<std::size_t> frame_size(std::string_view) override { return std::size_t{0}; }
    void on_frame(net::Connection&, const net::Frame&) override {}
    void on_closed(net::Connection&, const base::Error&) override {}
    std::shared_ptr<net::Connection> connection;
  };
  Pair pair;
  int fds[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
  const net::Socket other(fds[1]);
  auto holder = std::make_shared<Holder>();
  holder->connection = net::Connection::start(pair.loop, net::Socket(fds[0]), holder, {});
  holder->connection->close();
  const std::weak_ptr<Holder> left = std::exchange(holder, nullptr);
  pair.until([&] { return left.expired(); });
  CHECK(left.expired());
}

TEST_CASE("who lets go of an attempt to connect hears nothing of it") {
  base::SystemClock clock;
  net::Loop loop(clock);
  auto listener = net::Listener::open(loop, {"127.0.0.1", 0}, [](net::Socket) {});
  REQUIRE(listener.has_value());
  const net::Endpoint there = (*listener)->local();
  bool heard = false;
  auto dropped = net::connect(loop, there, std::chrono::seconds(5),
                              [&](const base::Result<net::Socket>&) { heard = true; });
  dropped.reset();
  bool connected = false;
  const auto kept = net::connect(loop, there, std::chrono::seconds(5),
                                 [&](const base::Result<net::Socket>&) { connected = true; });
  while (!connected) loop.poll();
  CHECK(!heard);
}

TEST_CASE("a listener and a connector make a connection; a refused port is an error that names it") {
  base::SystemClock clock;
  net::Loop loop(clock);
  const auto echo = std::make_shared<Echo>();
  net::Endpoint peer;
  auto listener = net::Listener::open(loop, {"127.0.0.1", 0}, [&](net::Socket socket) {
    peer = net::Connection::start(loop, std::move(socket), echo)->peer();
  });
  REQUIRE(listener.has_value());
  const net::Endpoint there = (*listener)->local();
  CHECK(there.port != 0);
  net::Socket client;
  auto first = net::connect(loop, there, std::chrono::seconds(5), [&](base::Result<net::Socket> result) {
    REQUIRE(result.has_value());
    client = std::move(*result);
    loop.stop();
  });
  loop.run();
  while (loop.connections() == 0) loop.poll();
  CHECK(peer == client.local());

  listener->reset();
  std::string error;
  auto second = net::connect(loop, there, std::chrono::seconds(5),
                             [&](base::Result<net::Socket> result) { error = result.error().context; });
  while (error.empty()) loop.poll();
  CHECK(error == "cannot connect to " + net::to_string(there) + ": Connection refused");
}
