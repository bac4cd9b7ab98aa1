// SocketServer: the broker's listeners. Accepts on shard 0's loop, spreads connections over the shards in
// turn, and keeps to max.connections (accepting waits until one closes), max.connections.per.ip and its
// overrides (the excess connection is closed at once), as Kafka does. Its limits may change while it serves.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "broker/api/services.h"
#include "broker/shell/client_link.h"
#include "net/listener.h"

namespace tandem::broker::shell {

struct ConnectionLimits {
  std::size_t total_max = INT32_MAX;                    // max.connections
  std::size_t per_ip_max = INT32_MAX;                   // max.connections.per.ip
  std::map<std::string, std::size_t> per_ip_overrides;  // by numeric address
};

struct SocketServerOptions {
  std::size_t request_bytes_max = 104857600;
  base::Duration idle_max = std::chrono::minutes(10);
  net::ListenerOptions listener;
  ConnectionLimits limits;
};

struct NamedEndpoint {
  std::string listener;
  net::Endpoint endpoint;
};

class SocketServer {
 public:
  SocketServer(api::Services& services, SocketServerOptions options);
  ~SocketServer();

  // Binds; on the thread of shard 0 or before the shards start. The endpoints with the ports in force.
  base::Result<std::vector<NamedEndpoint>> open(const std::vector<NamedEndpoint>& endpoints);
  void close_listeners();  // on the thread of shard 0, or after the shards ended
  void set_limits(ConnectionLimits limits);
  std::size_t connections() const;

 private:
  void on_accept(const std::string& listener, net::Socket socket);
  bool admit(const std::string& address);
  void on_closed(const std::string& address);

  api::Services& services_;
  SocketServerOptions options_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;  // of shard 0's thread
  std::uint64_t accepted_ = 0;                             // on the first shard's thread, as all listeners

  mutable std::mutex mutex_;  // connections close on every shard's thread
  ConnectionLimits limits_;
  std::map<std::string, std::size_t> by_address_;
  std::size_t total_ = 0;
  bool paused_ = false;
};

}  // namespace tandem::broker::shell
