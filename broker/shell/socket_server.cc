#include "broker/shell/socket_server.h"

namespace tandem::broker::shell {

SocketServer::SocketServer(api::Services& services, SocketServerOptions options)
    : services_(services), options_(std::move(options)), limits_(options_.limits) {}

SocketServer::~SocketServer() = default;

base::Result<std::vector<NamedEndpoint>> SocketServer::open(const std::vector<NamedEndpoint>& endpoints) {
  std::vector<NamedEndpoint> bound;
  for (const auto& [name, endpoint] : endpoints) {
    auto on_accept = [this, name = name](net::Socket socket) { this->on_accept(name, std::move(socket)); };
    auto listener =
        net::Listener::open(services_.shards.loop(0), endpoint, std::move(on_accept), options_.listener);
    if (!listener) return listener.error();
    bound.push_back({name, {endpoint.host, (*listener)->local().port}});
    listeners_.push_back(std::move(*listener));
  }
  return bound;
}

void SocketServer::close_listeners() { listeners_.clear(); }

void SocketServer::set_limits(ConnectionLimits limits) {
  const std::lock_guard lock(mutex_);
  limits_ = std::move(limits);
}

std::size_t SocketServer::connections() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

bool SocketServer::admit(const std::string& address) {
  const std::lock_guard lock(mutex_);
  const auto override = limits_.per_ip_overrides.find(address);
  const std::size_t per_ip_max =
      override == limits_.per_ip_overrides.end() ? limits_.per_ip_max : override->second;
  std::size_t& of_address = by_address_[address];
  if (of_address >= per_ip_max) {
    services_.log.info(
        "Rejected connection from /{}, address already has the configured maximum of {} connections.",
        address, per_ip_max);
    return false;
  }
  ++of_address;
  ++total_;
  if (total_ >= limits_.total_max && !paused_) {
    paused_ = true;
    for (auto& listener : listeners_) listener->pause();
  }
  return true;
}

void SocketServer::on_accept(const std::string& listener, net::Socket socket) {
  const std::string address = socket.peer().host;
  if (!admit(address)) return;  // the socket closes here
  const std::uint64_t number = accepted_++;
  const std::size_t shard = number % services_.shards.size();
  ClientLink::Options link;
  link.listener = listener;
  link.number = number;
  link.request_bytes_max = options_.request_bytes_max;
  link.on_closed = [this, address] { on_closed(address); };
  net::ConnectionOptions connection;
  connection.idle_max = options_.idle_max;
  auto start = [this, shard, link = std::move(link), connection](net::Socket accepted) {
    ClientLink::start(services_.shards.loop(shard), std::move(accepted), services_, link, connection);
  };
  if (shard == services_.shards.current()) return start(std::move(socket));
  auto held = std::make_shared<net::Socket>(std::move(socket));
  services_.shards.post(shard, [held, start = std::move(start)] { start(std::move(*held)); });
}

void SocketServer::on_closed(const std::string& address) {
  const std::lock_guard lock(mutex_);
  --total_;
  const auto of_address = by_address_.find(address);
  if (--of_address->second == 0) by_address_.erase(of_address);
  if (!paused_ || total_ >= limits_.total_max) return;
  paused_ = false;
  services_.shards.post(0, [this] {
    for (auto& listener : listeners_) listener->resume();
  });
}

}  // namespace tandem::broker::shell
