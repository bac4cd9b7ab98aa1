#include "coord/quorum/verifier.h"

#include <algorithm>
#include <utility>

namespace tandem::coord::quorum {

QuorumVerifier QuorumVerifier::majority(ServerSet voters) {
  QuorumVerifier verifier;
  verifier.voters_ = std::move(voters);
  return verifier;
}

QuorumVerifier QuorumVerifier::hierarchical(ServerSet voters, std::map<ServerId, GroupId> groups,
                                            std::map<ServerId, std::int64_t> weights) {
  QuorumVerifier verifier;
  verifier.voters_ = std::move(voters);
  verifier.hierarchical_ = true;
  verifier.groups_ = std::move(groups);
  verifier.weights_ = std::move(weights);
  for (const auto& [id, group] : verifier.groups_)
    if (const std::int64_t weight = verifier.weight(id); weight > 0) verifier.group_weights_[group] += weight;
  return verifier;
}

std::int64_t QuorumVerifier::weight(ServerId id) const {
  if (!voters_.contains(id)) return 0;
  if (!hierarchical_) return 1;
  const auto it = weights_.find(id);
  return it == weights_.end() ? 1 : it->second;
}

bool QuorumVerifier::contains_quorum(const ServerSet& ids) const {
  if (!hierarchical_) {
    const auto present = static_cast<std::size_t>(
        std::count_if(ids.begin(), ids.end(), [&](ServerId id) { return voters_.contains(id); }));
    return present > voters_.size() / 2;
  }
  std::map<GroupId, std::int64_t> present;
  for (const ServerId id : ids)
    if (const auto group = groups_.find(id); group != groups_.end()) present[group->second] += weight(id);
  const auto majorities =
      static_cast<std::size_t>(std::count_if(present.begin(), present.end(), [&](const auto& entry) {
        const auto whole = group_weights_.find(entry.first);
        return whole != group_weights_.end() && entry.second > whole->second / 2;
      }));
  return majorities > group_weights_.size() / 2;
}

}  // namespace tandem::coord::quorum
