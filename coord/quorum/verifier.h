// QuorumVerifier: which sets of servers are a quorum. A majority of the voters, or, with groups, a majority
// of the groups of which each has a majority of its weight (groups without weight do not count). A value.
// Source: QuorumMaj and QuorumHierarchical of ZooKeeper 3.9.
#pragma once

#include <map>

#include "coord/quorum/server_id.h"

namespace tandem::coord::quorum {

using GroupId = base::Strong<std::int64_t, struct GroupIdTag>;

class QuorumVerifier {
 public:
  QuorumVerifier() = default;  // no voters: nothing is a quorum
  static QuorumVerifier majority(ServerSet voters);
  // `groups`: the group of each server that is in one; voters without a weight weigh 1.
  static QuorumVerifier hierarchical(ServerSet voters, std::map<ServerId, GroupId> groups,
                                     std::map<ServerId, std::int64_t> weights);

  // Servers that do not vote are not counted.
  bool contains_quorum(const ServerSet& ids) const;
  // 1 for a voter, or what weight.N says; 0 for who does not vote. A voter of weight 0 never leads.
  std::int64_t weight(ServerId id) const;
  bool is_voter(ServerId id) const { return voters_.contains(id); }
  const ServerSet& voters() const { return voters_; }
  bool is_hierarchical() const { return hierarchical_; }

  bool operator==(const QuorumVerifier&) const = default;

 private:
  ServerSet voters_;
  bool hierarchical_ = false;
  std::map<ServerId, GroupId> groups_;
  std::map<ServerId, std::int64_t> weights_;
  std::map<GroupId, std::int64_t> group_weights_;  // only groups that have any
};

}  // namespace tandem::coord::quorum
