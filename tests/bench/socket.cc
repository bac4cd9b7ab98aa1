#include "tests/bench/socket.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "base/clock.h"
#include "bytes/reader.h"
#include "tests/bench/options.h"

namespace tandem::bench {

std::uint64_t now_ns() {
  return static_cast<std::uint64_t>(base::SystemClock().now().time_since_epoch().count());
}

void pass_time(std::uint64_t until_ns) {
  for (std::uint64_t now = now_ns(); now < until_ns; now = now_ns()) {
    poll(nullptr, 0, static_cast<int>((until_ns - now) / 1'000'000) + 1);
  }
}

sockaddr_in loopback_address(const std::string& host_and_port) {
  const std::size_t colon = host_and_port.rfind(':');
  if (colon == std::string::npos) fail("bad address " + host_and_port);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  std::uint16_t port = 0;
  std::from_chars(host_and_port.data() + colon + 1, host_and_port.data() + host_and_port.size(), port);
  address.sin_port = htons(port);
  const std::string host =
      host_and_port.substr(0, colon) == "localhost" ? "127.0.0.1" : host_and_port.substr(0, colon);
  const bool parsed = inet_pton(AF_INET, host.c_str(), &address.sin_addr) == 1;
  if (!parsed || ntohl(address.sin_addr.s_addr) >> 24 != 127)
    fail("not a loopback address: " + host_and_port);
  return address;
}

int connect_to(const sockaddr_in& address) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("no socket left");
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

int listen_on(const std::string& port) {
  const sockaddr_in address = loopback_address("127.0.0.1:" + port);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  const bool bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (!bound || listen(fd, 1024) != 0) fail("cannot listen on port " + port);
  return fd;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool read_exactly(int fd, char* out, std::size_t count, std::uint64_t deadline_ns) {
  while (count > 0) {
    const std::uint64_t now = now_ns();
    if (now >= deadline_ns) return false;
    pollfd ready{fd, POLLIN, 0};
    if (poll(&ready, 1, static_cast<int>((deadline_ns - now) / 1'000'000) + 1) <= 0) continue;
    const ssize_t got = recv(fd, out, count, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return false;
    if (got > 0) {
      out += got;
      count -= static_cast<std::size_t>(got);
    }
  }
  return true;
}

bool read_frame(int fd, std::string& body, std::size_t min, std::size_t max, std::uint64_t deadline_ns) {
  char header[4];
  if (!read_exactly(fd, header, sizeof header, deadline_ns)) return false;
  const std::int32_t size = bytes::Reader({header, sizeof header}).i32();
  if (size < 0 || static_cast<std::size_t>(size) < min || static_cast<std::size_t>(size) > max) return false;
  body.resize(static_cast<std::size_t>(size));
  return read_exactly(fd, body.data(), body.size(), deadline_ns);
}

}  // namespace tandem::bench
