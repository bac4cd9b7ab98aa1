// floors: what the machine itself can do, so that a server's numbers are given as a share of the physical
// limit.
//   floors pingpong --time S                 100 B there and back over loopback, epoll on both ends
//   floors ingest   --dir D --batch B        loopback receive, CRC-32C, append, 32 B acknowledgement
//   floors sendfile --dir D --chunk B        sendfile from the page cache to a receiver that copies
// Prints one line of key=value pairs. No server is involved; every loop is bounded by --time.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

#include "base/checksum.h"
#include "tests/bench/histogram.h"
#include "tests/bench/options.h"
#include "tests/bench/process.h"
#include "tests/bench/socket.h"

namespace tandem::bench {

namespace {

// Both ends of one loopback TCP connection.
struct Pair {
  explicit Pair(const std::string& port) {
    const int listener = listen_on(port);
    client = connect_to(loopback_address("127.0.0.1:" + port));
    server = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    close(listener);
    if (client < 0 || server < 0) fail("no loopback connection");
  }
  ~Pair() {
    close(client);
    close(server);
  }
  int client = -1, server = -1;
};

// A file that goes away with the object.
struct ScratchFile {
  explicit ScratchFile(const std::string& directory) : path(directory + "/floors.scratch") {
    fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) fail("cannot create " + path);
  }
  ~ScratchFile() {
    close(fd);
    std::filesystem::remove(path);
  }
  std::string path;
  int fd = -1;
};

bool receive_epoll(int epoll, int fd, char* out, std::size_t count) {
  for (std::size_t got = 0; got < count;) {
    epoll_event event;
    if (epoll_wait(epoll, &event, 1, 1000) <= 0) return false;
    const ssize_t part = recv(fd, out + got, count - got, 0);
    if (part <= 0) return false;
    got += static_cast<std::size_t>(part);
  }
  return true;
}

int epoll_of(int fd) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  return epoll;
}

std::uint64_t window_end(const Options& options) {
  return now_ns() + static_cast<std::uint64_t>(options.real("time") * 1e9);
}

void pingpong(const Options& options) {
  constexpr std::size_t kMessage = 100;
  Pair pair(options.text("port"));
  double server_cpu_s = 0;
  std::thread echo([&] {
    char message[kMessage];
    const int epoll = epoll_of(pair.server);
    while (receive_epoll(epoll, pair.server, message, kMessage)) send_all(pair.server, {message, kMessage});
    close(epoll);
    server_cpu_s = thread_cpu_s();
  });
  Histogram latencies;
  char message[kMessage] = {};
  const int epoll = epoll_of(pair.client);
  const std::uint64_t until_ns = window_end(options);
  for (std::uint64_t start = now_ns(); start < until_ns;) {
    send_all(pair.client, {message, kMessage});
    if (!receive_epoll(epoll, pair.client, message, kMessage)) fail("echo lost");
    const std::uint64_t now = now_ns();
    latencies.add(now - start);
    start = now;
  }
  close(epoll);
  shutdown(pair.client, SHUT_RDWR);
  echo.join();
  const auto count = static_cast<double>(latencies.count());
  fmt::print("pingpong p50_us={:.1f} p99_us={:.1f} per_s={:.0f} server_cpu_us_per_request={:.1f}\n",
             latencies.quantile_us(.5), latencies.quantile_us(.99), count / options.real("time"),
             server_cpu_s * 1e6 / count);
}

void ingest(const Options& options) {
  constexpr std::size_t kAck = 32;
  constexpr int kInFlight = 4;
  constexpr off_t kFileMax = off_t{1} << 31;
  Pair pair(options.text("port"));
  ScratchFile file(options.text("dir"));
  const auto batch = static_cast<std::size_t>(options.number("batch"));
  std::atomic<std::uint64_t> taken{0};
  std::thread server([&] {
    std::string bytes(batch, '\0');
    std::uint32_t sum = 0;
    off_t offset = 0;
    while (recv(pair.server, bytes.data(), batch, MSG_WAITALL) == static_cast<ssize_t>(batch)) {
      sum ^= base::crc32c(bytes);
      if (offset >= kFileMax && ftruncate(file.fd, offset = 0) != 0) return;
      if (pwrite(file.fd, bytes.data(), batch, offset) != static_cast<ssize_t>(batch)) return;
      offset += static_cast<off_t>(batch);
      taken += batch;
      const std::string ack(kAck, static_cast<char>(sum));
      if (!send_all(pair.server, ack)) return;
    }
  });
  const std::string bytes(batch, 'p');
  char ack[kAck];
  const std::uint64_t until_ns = window_end(options);
  for (int in_flight = 0; now_ns() < until_ns;) {
    if (in_flight < kInFlight) {
      if (!send_all(pair.client, bytes)) fail("ingest stopped");
      ++in_flight;
    } else {
      if (recv(pair.client, ack, kAck, MSG_WAITALL) != static_cast<ssize_t>(kAck)) fail("ingest stopped");
      --in_flight;
    }
  }
  const std::uint64_t total = taken;
  shutdown(pair.client, SHUT_RDWR);
  server.join();
  fmt::print("ingest mib_per_s={:.0f}\n", static_cast<double>(total) / (1 << 20) / options.real("time"));
}

void send_file(const Options& options) {
  constexpr std::size_t kFileBytes = 256u << 20;
  ScratchFile file(options.text("dir"));
  const std::string block(1 << 20, 'z');
  for (std::size_t written = 0; written < kFileBytes; written += block.size()) {
    if (write(file.fd, block.data(), block.size()) != static_cast<ssize_t>(block.size()))
      fail("cannot fill the file");
  }
  Pair pair(options.text("port"));
  std::uint64_t received = 0;
  std::thread receiver([&] {
    std::string buffer(1 << 20, '\0');
    for (ssize_t got = 1; got > 0; received += got > 0 ? static_cast<std::uint64_t>(got) : 0) {
      got = recv(pair.client, buffer.data(), buffer.size(), 0);
    }
  });
  const auto chunk = static_cast<std::size_t>(options.number("chunk"));
  const std::uint64_t until_ns = window_end(options);
  for (off_t offset = 0; now_ns() < until_ns;) {
    if (static_cast<std::size_t>(offset) + chunk > kFileBytes) offset = 0;
    if (sendfile(pair.server, file.fd, &offset, chunk) <= 0) fail("sendfile");
  }
  shutdown(pair.server, SHUT_WR);
  receiver.join();
  fmt::print("sendfile mib_per_s={:.0f}\n", static_cast<double>(received) / (1 << 20) / options.real("time"));
}

int run_verb(int argc, char** argv) {
  Options options({{"dir", "."}, {"time", "2"}, {"batch", "65536"}, {"chunk", "1048576"}, {"port", "21812"}});
  options.parse(argc, argv, 2);
  std::signal(SIGPIPE, SIG_IGN);
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "pingpong") {
    pingpong(options);
  } else if (verb == "ingest") {
    ingest(options);
  } else if (verb == "sendfile") {
    send_file(options);
  } else {
    fail("use: floors pingpong|ingest|sendfile [--option value]...");
  }
  return 0;
}

}  // namespace

}  // namespace tandem::bench

int main(int argc, char** argv) { return tandem::bench::run_verb(argc, argv); }
