#include "net/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tandem::net {

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}

Endpoint Socket::peer() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return numeric_endpoint(reinterpret_cast<sockaddr*>(&address));
}

Endpoint Socket::local() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return numeric_endpoint(reinterpret_cast<sockaddr*>(&address));
}

void Socket::set_no_delay() {
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void Socket::set_buffers(int send_bytes, int receive_bytes) {
  if (send_bytes > 0) ::setsockopt(fd_, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof send_bytes);
  if (receive_bytes > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
}

}  // namespace tandem::net
