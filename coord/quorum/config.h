// QuorumConfig: the members of an ensemble, how they vote, and the version of that knowledge; from the
// server.N, group.N and weight.N lines of zoo.cfg or of a dynamic file, or from the text that servers send
// each other (notifications, NEWLEADER, /zookeeper/config). A value; members do not change, the version may.
// The text is byte for byte QuorumMaj's and QuorumHierarchical's toString of ZooKeeper 3.9.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conf/properties.h"
#include "coord/quorum/server_spec.h"
#include "coord/quorum/verifier.h"

namespace tandem::coord::quorum {

class QuorumConfig {
 public:
  QuorumConfig() = default;  // no members

  // Every key must be server.N, group.N, weight.N or version.
  static base::Result<QuorumConfig> from_entries(const std::vector<conf::Entry>& entries);
  static base::Result<QuorumConfig> parse(std::string_view text);
  // Majority voting over given members; for tests and for a server alone.
  static QuorumConfig of(const std::vector<ServerSpec>& members);

  std::string text() const;

  const std::map<ServerId, ServerSpec>& members() const { return members_; }
  const ServerSpec* find(ServerId id) const;
  const QuorumVerifier& verifier() const { return verifier_; }
  bool contains_quorum(const ServerSet& ids) const { return verifier_.contains_quorum(ids); }
  bool is_voter(ServerId id) const { return verifier_.is_voter(id); }
  const ServerSet& voters() const { return verifier_.voters(); }

  std::int64_t version() const { return version_; }
  void set_version(std::int64_t version) { version_ = version; }

  // The client address of a member's line, when it has none: that of clientPort in zoo.cfg, never printed.
  void set_static_client(ServerId id, HostPort address);

  // The same servers, roles, addresses and weights, whatever the versions say.
  bool same_members(const QuorumConfig& other) const;

 private:
  std::map<ServerId, ServerSpec> members_;
  std::map<ServerId, GroupId> groups_;
  std::map<ServerId, std::int64_t> weights_;  // as given, and 1 for other voters when there are groups
  QuorumVerifier verifier_;
  std::int64_t version_ = 0;
};

}  // namespace tandem::coord::quorum
