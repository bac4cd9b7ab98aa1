// The connections of the election: one between each two servers, opened by the one with the larger number
// (the other one only knocks and is called back), notifications in length-prefixed frames. Owned by the
// server, on the loop's thread; thinks nothing about votes.
// A message to a server that is not connected is dropped and a connection tried: Apache keeps the newest one
// instead, which may be of a past election when it arrives; here the core sends its vote to each link that
// comes up.
// Source: QuorumCnxManager of ZooKeeper 3.9.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "coord/election/election.h"
#include "coord/election/handshake.h"
#include "logging/logger.h"
#include "net/connector.h"
#include "net/endpoint.h"
#include "net/listener.h"
#include "net/socket.h"
#include "net/timer.h"

namespace tandem::net {
class Connection;
}

namespace tandem::coord::shell {

// What the election core hears; called on the loop's thread, never from inside a call of the port.
class ElectionEvents {
 public:
  virtual ~ElectionEvents() = default;
  virtual void on_notification(quorum::ServerId from, const election::Notification& notification) = 0;
  virtual void on_election_link(quorum::ServerId peer, election::Link link) = 0;
};

struct ElectionPortOptions {
  quorum::ServerId self;
  std::vector<net::Endpoint> listen;                             // own election addresses, or wildcards
  std::vector<quorum::HostPort> own_addresses;                   // what the handshake names
  bool several_addresses = false;                                // multiAddress.enabled: handshakes of V2
  std::map<quorum::ServerId, std::vector<net::Endpoint>> peers;  // election addresses of the others
  base::Duration connect_timeout = std::chrono::seconds(5);      // cnxTimeout
  bool keep_alive = false;                                       // tcpKeepAlive
};

class ElectionPort {
 public:
  static base::Result<std::unique_ptr<ElectionPort>> open(net::Loop& loop, ElectionPortOptions options,
                                                          ElectionEvents& events, logging::Logger logger);
  ~ElectionPort();
  ElectionPort(const ElectionPort&) = delete;
  ElectionPort& operator=(const ElectionPort&) = delete;

  void send(quorum::ServerId to, const election::Notification& notification);
  // While these are wanted, connections to them are tried again and again (a server that looks for a leader
  // wants all voters); links that are up stay up when nothing is wanted any more.
  void want(std::set<quorum::ServerId> peers);

  std::vector<net::Endpoint> local() const;  // what is listened on
  std::size_t links() const { return links_.size(); }

  // Whether the connection to a peer is up.
  bool is_up(quorum::ServerId peer) const { return links_.contains(peer); }

 private:
  class Link;
  struct Dial {  // a connection that is being opened, or that waits to be
    std::vector<net::Endpoint> endpoints;
    std::size_t next = 0;  // of endpoints
    std::shared_ptr<net::Connecting> connecting;
    base::Instant again_at{};  // while not connecting
    base::Duration pause{};    // before the next try
  };

  ElectionPort(net::Loop& loop, ElectionPortOptions options, ElectionEvents& events, logging::Logger logger);
  void accept(net::Socket socket);
  void dial(quorum::ServerId peer, std::vector<net::Endpoint> endpoints);
  void connect(quorum::ServerId peer, Dial& dial);
  void connect_due();
  void try_later(quorum::ServerId peer, base::Duration pause);
  void schedule();
  void on_dialled(quorum::ServerId peer, base::Result<net::Socket> socket);
  void on_handshake(const std::shared_ptr<Link>& link, const election::Handshake& handshake);
  void adopt(quorum::ServerId peer, const std::shared_ptr<Link>& link);
  void drop(quorum::ServerId peer);
  void on_payload(Link& link, std::string_view payload);
  void on_closed(const Link& link, const base::Error& reason);
  void report(quorum::ServerId peer, election::Link link);
  std::string own_handshake() const;
  bool may_warn();

  net::Loop& loop_;
  ElectionPortOptions options_;
  ElectionEvents& events_;
  logging::Logger logger_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::map<quorum::ServerId, std::shared_ptr<Link>> links_;
  std::vector<std::shared_ptr<Link>> strangers_;  // have not said who they are; the oldest first
  std::map<quorum::ServerId, Dial> dials_;
  std::set<quorum::ServerId> wanted_;
  std::int64_t next_anonymous_ = -1;
  std::optional<base::Instant> warned_;  // of a stranger
  net::Timer timer_;
};

}  // namespace tandem::coord::shell
