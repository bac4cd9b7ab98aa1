// Where clients connect: accepts, keeps the limits on connections (per address and in all), gives each one a
// ClientLink. Owned by the server, on the loop's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/result.h"
#include "coord/shell/client_table.h"
#include "logging/logger.h"
#include "net/endpoint.h"
#include "net/listener.h"
#include "net/socket.h"

namespace tandem::coord::shell {

class FourLetterWords;

struct ClientPortOptions {
  net::Endpoint endpoint;
  int backlog = 50;
  std::size_t connections_per_address_max = 60;  // maxClientCnxns; 0: no limit
  std::size_t connections_max = 0;               // maxCnxns; 0: no limit
  std::size_t frame_bytes_max = 0xfffff;         // jute.maxbuffer
  base::Duration sessionless_max = std::chrono::seconds(10);
};

class ClientPort {
 public:
  static base::Result<std::unique_ptr<ClientPort>> open(ClientPortOptions options, ClientEvents& clients,
                                                        FourLetterWords& words, logging::Logger logger);
  ~ClientPort();
  ClientPort(const ClientPort&) = delete;
  ClientPort& operator=(const ClientPort&) = delete;

  const net::Endpoint& local() const { return listener_->local(); }
  std::size_t connections() const { return connections_; }
  const ClientPortOptions& options() const { return options_; }
  ClientEvents& clients() { return clients_; }
  FourLetterWords& words() { return words_; }
  const logging::Logger& logger() const { return logger_; }

  void on_gone(const std::string& address);  // one of its connections

 private:
  ClientPort(ClientPortOptions options, ClientEvents& clients, FourLetterWords& words, logging::Logger logger)
      : options_(std::move(options)), clients_(clients), words_(words), logger_(logger) {}
  void accept(net::Socket socket);

  ClientPortOptions options_;
  ClientEvents& clients_;
  FourLetterWords& words_;
  logging::Logger logger_;
  std::unique_ptr<net::Listener> listener_;
  std::size_t connections_ = 0;
  std::unordered_map<std::string, std::size_t> by_address_;
};

}  // namespace tandem::coord::shell
