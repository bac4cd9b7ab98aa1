// ServerSpec: one `server.N=` line, as a value. Parser and printer follow QuorumPeer.QuorumServer of
// ZooKeeper 3.9: `host:learnerPort:electionPort[:role][|host:...][;[clientHost:]clientPort]`, IPv6 in
// brackets. Literal IPv6 addresses are kept as Java prints them (eight groups, none left out), so that the
// text is equal byte for byte to that of an Apache server with the same line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "coord/quorum/server_id.h"

namespace tandem::coord::quorum {

enum class Role : std::uint8_t { participant, observer };

const char* to_string(Role role);  // "participant"

// "participant" or "observer" in any case, as peerType and the role of a server line.
base::Result<Role> parse_role(std::string_view text);

struct PeerAddress {
  std::string host;  // without brackets
  std::uint16_t learner_port = 0;
  std::uint16_t election_port = 0;

  bool operator==(const PeerAddress&) const = default;
};

struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;

  bool operator==(const HostPort&) const = default;
};

struct ServerSpec {
  ServerId id;
  std::vector<PeerAddress> addresses;  // at least one; sorted by host
  Role role = Role::participant;
  std::optional<HostPort> client;   // 0.0.0.0 when the line names only a port
  bool client_from_static = false;  // taken from clientPort of zoo.cfg: not printed

  std::string text() const;  // what follows "server.N="
};

base::Result<ServerSpec> parse_server(ServerId id, std::string_view text);

// "host:port", the host in brackets when it holds a colon.
std::string host_port(std::string_view host, std::uint16_t port);
base::Result<HostPort> parse_host_port(std::string_view text);

}  // namespace tandem::coord::quorum
