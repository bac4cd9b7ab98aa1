#include "coord/shell/client_port.h"

#include "coord/shell/client_link.h"
#include "net/connection.h"
#include "net/loop.h"

namespace tandem::coord::shell {

namespace {

// Replies that a client has not read: above it nothing more is read from the client, so that thousands who
// never read cost megabytes each at most.
constexpr std::size_t kUnreadBytesMax = 256 * 1024;

}  // namespace

base::Result<std::unique_ptr<ClientPort>> ClientPort::open(ClientPortOptions options, ClientEvents& clients,
                                                           FourLetterWords& words, logging::Logger logger) {
  std::unique_ptr<ClientPort> port(new ClientPort(std::move(options), clients, words, logger));
  net::ListenerOptions listen;
  listen.backlog = port->options_.backlog;
  auto listener = net::Listener::open(
      clients.loop(), port->options_.endpoint,
      [raw = port.get()](net::Socket socket) { raw->accept(std::move(socket)); }, listen);
  if (!listener) return listener.error();
  port->listener_ = std::move(*listener);
  return port;
}

ClientPort::~ClientPort() = default;

void ClientPort::accept(net::Socket socket) {
  const std::string address = socket.peer().host;
  if (options_.connections_max != 0 && connections_ >= options_.connections_max) {
    logger_.warn("too many connections: {} is the limit (maxCnxns), turning {} away",
                 options_.connections_max, address);
    return;
  }
  std::size_t& here = by_address_[address];
  if (options_.connections_per_address_max != 0 && here >= options_.connections_per_address_max) {
    logger_.warn("too many connections from {}: {} is the limit (maxClientCnxns)", address,
                 options_.connections_per_address_max);
    return;
  }
  ++here;
  ++connections_;
  net::ConnectionOptions connection;
  connection.idle_max = options_.sessionless_max;
  connection.output_pause_bytes = kUnreadBytesMax;
  net::Connection::start(clients_.loop(), std::move(socket), std::make_shared<ClientLink>(*this, address),
                         connection);
}

void ClientPort::on_gone(const std::string& address) {
  --connections_;
  const auto it = by_address_.find(address);
  if (it != by_address_.end() && --it->second == 0) by_address_.erase(it);
}

}  // namespace tandem::coord::shell
