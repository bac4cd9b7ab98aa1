#include "tools/kafka/connection.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "broker/protocol/messages/api_versions.h"

namespace tandem::tools::kafka {

namespace {

constexpr std::int32_t kResponseBytesMax = 1 << 30;

base::Error system_error(const char* what) {
  return base::make_error(base::Errc::unavailable, "{}: {}", what, std::strerror(errno));
}

}  // namespace

Connection::Connection(Connection&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      timeout_(other.timeout_),
      correlation_id_(other.correlation_id_),
      deadline_(other.deadline_),
      versions_(std::move(other.versions_)) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  std::swap(socket_, other.socket_);
  timeout_ = other.timeout_;
  correlation_id_ = other.correlation_id_;
  deadline_ = other.deadline_;
  versions_ = std::move(other.versions_);
  return *this;
}

Connection::~Connection() {
  if (socket_ >= 0) ::close(socket_);
}

base::Result<Connection> Connection::open(const std::string& host, std::uint16_t port, Milliseconds timeout) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (status != 0)
    return base::make_error(base::Errc::unavailable, "cannot resolve {}: {}", host, ::gai_strerror(status));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, ::freeaddrinfo);
  base::Error last = base::make_error(base::Errc::unavailable, "{} has no address", host);
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const int socket = ::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) return system_error("socket");
    Connection connection(socket, timeout);
    connection.deadline_ = base::SystemClock().now() + timeout;
    const int one = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (::connect(socket, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS) {
      last = system_error("connect");
      continue;
    }
    if (auto ready = connection.wait_for(POLLOUT, connection.deadline_); !ready) {
      last = ready.error();
      continue;
    }
    int failure = 0;
    socklen_t size = sizeof failure;
    ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) {
      errno = failure;
      last = system_error("connect");
      continue;
    }
    if (auto asked = connection.ask_versions(); !asked) return asked.error();
    return connection;
  }
  return last;
}

base::Status Connection::ask_versions() {
  const protocol::ApiVersionsRequest request{.client_software_name = "tandem",
                                             .client_software_version = "0.1.0"};
  std::int16_t version = protocol::ApiVersionsRequest::kVersionMax;
  for (;;) {
    const auto body = exchange(protocol::encode_request(version, ++correlation_id_, kClientId, request),
                               protocol::ApiKey::api_versions, version);
    if (!body) return body.error();
    // A broker that does not know the version answers in version 0 with error 35.
    bytes::Reader error(body->view());
    const bool unknown = error.i16() == static_cast<std::int16_t>(protocol::ErrorCode::unsupported_version);
    if (unknown && version > 0) {
      version = 0;
      continue;
    }
    const auto response = protocol::decode<protocol::ApiVersionsResponse>(*body, version);
    if (!response) return response.error();
    for (const auto& api : response->api_keys) versions_[api.api_key] = {api.min_version, api.max_version};
    return {};
  }
}

base::Result<std::int16_t> Connection::version_for(protocol::ApiKey key, std::int16_t version_max) const {
  const auto found = versions_.find(static_cast<std::int16_t>(key));
  const auto name = protocol::api_of(key).name;
  if (found == versions_.end())
    return base::make_error(base::Errc::unsupported, "The node does not support {}", name);
  const std::int16_t version = std::min(version_max, found->second.max);
  if (version < found->second.min)
    return base::make_error(base::Errc::unsupported, "The node does not support {} below version {}", name,
                            found->second.min);
  return version;
}

base::Result<bytes::Slice> Connection::exchange(const std::string& frame, protocol::ApiKey key,
                                                std::int16_t version) {
  deadline_ = base::SystemClock().now() + timeout_;
  if (auto sent = send_all(frame); !sent) return sent.error();
  std::array<char, protocol::kSizeBytes> prefix{};
  if (auto got = receive(prefix.data(), prefix.size()); !got) return got.error();
  const std::int32_t size = bytes::Reader({prefix.data(), prefix.size()}).i32();
  if (size < 0 || size > kResponseBytesMax)
    return base::make_error(base::Errc::corrupt, "a response of {} bytes", size);
  std::string body(static_cast<std::size_t>(size), '\0');
  if (auto got = receive(body.data(), body.size()); !got) return got.error();
  auto response = protocol::read_response(bytes::Slice::own(std::move(body)), key, version);
  if (!response) return response.error();
  if (response->correlation_id != correlation_id_)
    return base::make_error(base::Errc::corrupt, "response {} to request {}", response->correlation_id,
                            correlation_id_);
  return response->body;
}

base::Status Connection::wait_for(short events, base::Instant deadline) {
  for (;;) {
    const auto left = std::chrono::duration_cast<Milliseconds>(deadline - base::SystemClock().now());
    if (left.count() <= 0)
      return base::make_error(base::Errc::timed_out, "no answer in {} ms", timeout_.count());
    pollfd poll{socket_, events, 0};
    const int ready = ::poll(&poll, 1, static_cast<int>(left.count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return system_error("poll");
  }
}

base::Status Connection::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (auto ready = wait_for(POLLOUT, deadline_); !ready) return ready;
    } else if (errno != EINTR) {
      return system_error("send");
    }
  }
  return {};
}

base::Status Connection::receive(char* out, std::size_t count) {
  while (count > 0) {
    const ssize_t got = ::recv(socket_, out, count, 0);
    if (got == 0) return base::make_error(base::Errc::closed, "the broker closed the connection");
    if (got > 0) {
      out += got;
      count -= static_cast<std::size_t>(got);
    } else if (errno == EAGAIN) {
      if (auto ready = wait_for(POLLIN, deadline_); !ready) return ready;
    } else if (errno != EINTR) {
      return system_error("recv");
    }
  }
  return {};
}

}  // namespace tandem::tools::kafka
