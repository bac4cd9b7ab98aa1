#include "net/listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>

#include "net/loop.h"

namespace tandem::net {

namespace {

constexpr int kAcceptsPerWakeup = 64;  // then other descriptors get their turn
constexpr auto kOutOfDescriptorsPause = std::chrono::milliseconds(100);

base::Error listen_error(const Endpoint& endpoint, const char* call, const char* text) {
  return base::make_error(base::Errc::io, "cannot listen on {}: {}: {}", to_string(endpoint), call, text);
}

base::Result<Socket> bind_and_listen(const Endpoint& endpoint, const addrinfo& address,
                                     const ListenerOptions& options) {
  Socket socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return listen_error(endpoint, "socket", std::strerror(errno));
  const int on = 1;
  const int off = 0;
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.ai_family == AF_INET6 && endpoint.host.empty()) {
    ::setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  socket.set_buffers(options.send_buffer_bytes,
                     options.receive_buffer_bytes);  // inherited by what it accepts
  if (::bind(socket.fd(), address.ai_addr, address.ai_addrlen) != 0) {
    return listen_error(endpoint, "bind", std::strerror(errno));
  }
  if (::listen(socket.fd(), options.backlog) != 0)
    return listen_error(endpoint, "listen", std::strerror(errno));
  return socket;
}

base::Result<Socket> open_socket(const Endpoint& endpoint, const ListenerOptions& options) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(endpoint.port);
  const int error =
      ::getaddrinfo(endpoint.host.empty() ? nullptr : endpoint.host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) return listen_error(endpoint, "getaddrinfo", ::gai_strerror(error));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  // All addresses: one IPv6 socket that also takes IPv4, where the system has IPv6.
  base::Result<Socket> result = listen_error(endpoint, "getaddrinfo", "no address");
  for (const int family : {endpoint.host.empty() ? AF_INET6 : AF_UNSPEC, AF_UNSPEC}) {
    for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
      if (family != AF_UNSPEC && address->ai_family != family) continue;
      result = bind_and_listen(endpoint, *address, options);
      if (result) return result;
    }
  }
  return result;
}

int open_reserve() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

}  // namespace

struct Listener::State : std::enable_shared_from_this<Listener::State> {
  State(Loop& loop, Socket socket, OnAccept callback)
      : local(socket.local()),
        stream(loop.context(), socket.release()),
        retry(loop.context()),
        on_accept(std::move(callback)),
        reserve(open_reserve()) {}
  ~State() {
    if (reserve >= 0) ::close(reserve);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void wait() {
    if (waiting || closed || paused) return;
    waiting = true;
    stream.async_wait(boost::asio::posix::descriptor_base::wait_read,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        self->waiting = false;
                        if (!error) self->accept_some();
                      });
  }

  void accept_some() {
    for (int i = 0; i < kAcceptsPerWakeup && !closed && !paused; ++i) {
      const int fd = ::accept4(stream.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        Socket socket(fd);
        on_accept(std::move(socket));
        continue;
      }
      if (errno == EMFILE || errno == ENFILE) return turn_away();
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    }
    wait();
  }

  // Out of descriptors: one peer learns it at once, the rest wait in the backlog for a moment.
  void turn_away() {
    if (reserve >= 0) {
      ::close(reserve);
      const int fd = ::accept4(stream.native_handle(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) ::close(fd);
    }
    reserve = open_reserve();
    retry.expires_after(kOutOfDescriptorsPause);
    retry.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->wait();
    });
  }

  void close() {
    closed = true;
    boost::system::error_code ignored;
    stream.close(ignored);
    retry.cancel();
  }

  Endpoint local;
  boost::asio::posix::stream_descriptor stream;
  boost::asio::steady_timer retry;
  OnAccept on_accept;
  int reserve;
  bool waiting = false;
  bool paused = false;
  bool closed = false;
};

base::Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, const Endpoint& endpoint,
                                                       OnAccept on_accept, ListenerOptions options) {
  auto socket = open_socket(endpoint, options);
  if (!socket) return socket.error();
  auto state = std::make_shared<State>(loop, std::move(*socket), std::move(on_accept));
  state->wait();
  return std::unique_ptr<Listener>(new Listener(std::move(state)));
}

Listener::Listener(std::shared_ptr<State> state) : state_(std::move(state)) {}

Listener::~Listener() { state_->close(); }

const Endpoint& Listener::local() const { return state_->local; }

void Listener::pause() { state_->paused = true; }

void Listener::resume() {
  state_->paused = false;
  state_->wait();
}

}  // namespace tandem::net
