#include "tools/service/four_letter.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace tandem::tools::service {

namespace {

using base::Errc;
using base::make_error;

struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

bool connect_to(const addrinfo& address, base::milliseconds timeout, Descriptor& out) {
  const int fd = ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC, address.ai_protocol);
  if (fd < 0) return false;
  timeval limit{static_cast<time_t>(timeout.count() / 1000),
                static_cast<suseconds_t>(timeout.count() % 1000 * 1000)};
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (::connect(fd, address.ai_addr, address.ai_addrlen) != 0) {
    ::close(fd);
    return false;
  }
  out.fd = fd;
  return true;
}

base::Status open_to(const std::string& host, std::uint16_t port, base::milliseconds timeout,
                     Descriptor& out) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int fault = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (fault != 0) return make_error(Errc::not_found, "cannot resolve {}: {}", host, ::gai_strerror(fault));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    if (connect_to(*one, timeout, out)) return {};
  }
  return make_error(Errc::unavailable, "cannot connect to {}:{}: {}", host, port, std::strerror(errno));
}

}  // namespace

base::Result<std::string> ask_four_letter_word(const std::string& host, std::uint16_t port,
                                               const std::string& word, base::milliseconds timeout) {
  Descriptor socket;
  if (auto status = open_to(host, port, timeout, socket); !status) return status.error();
  if (::send(socket.fd, word.data(), word.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(word.size()))
    return make_error(Errc::io, "cannot ask {}:{}: {}", host, port, std::strerror(errno));
  constexpr std::size_t kAnswerMax = 1 << 20;
  std::string answer;
  char part[4096];
  while (answer.size() < kAnswerMax) {
    const ssize_t count = ::recv(socket.fd, part, sizeof part, 0);
    if (count == 0) return answer;
    if (count < 0)
      return make_error(Errc::timed_out, "{}:{} does not answer: {}", host, port, std::strerror(errno));
    answer.append(part, static_cast<std::size_t>(count));
  }
  return answer;
}

bool port_answers(const std::string& host, std::uint16_t port) {
  Descriptor socket;
  return open_to(host, port, base::milliseconds(200), socket).has_value();
}

}  // namespace tandem::tools::service
