// Socket: an owned descriptor of a TCP stream, non-blocking, without delay; moved from a listener or a
// connector to the thread that will serve it.
#pragma once

#include <utility>

#include "base/result.h"
#include "net/endpoint.h"

namespace tandem::net {

class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.release()) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket();

  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }

  Endpoint peer() const;
  Endpoint local() const;
  void set_no_delay();
  void set_buffers(int send_bytes, int receive_bytes);  // not set where <= 0

 private:
  int fd_ = -1;
};

}  // namespace tandem::net
