#include "broker/api/recovery_points.h"

#include <algorithm>

namespace tandem::broker::api {

bool RecoveryPoints::may_exceed(std::size_t dir, const Where& where, std::int64_t offset) const {
  const auto exceeds = [&](const Said& said) {
    if (said == nullptr) return false;
    const auto at = said->find(where);
    return at != said->end() && at->second > offset;
  };
  return exceeds(files_[dir].stands) || exceeds(files_[dir].coming);
}

void RecoveryPoints::wait(const Where& where, std::int64_t offset) {
  Cut& cut = cuts_[where];
  cut.offset = std::min(cut.offset, offset);
  ++cut.waiting;
}

void RecoveryPoints::end_wait(const Where& where) {
  const auto at = cuts_.find(where);
  if (at != cuts_.end() && --at->second.waiting == 0) cuts_.erase(at);
}

std::int64_t RecoveryPoints::bounded(const Where& where, std::int64_t recovery_point) const {
  const auto at = cuts_.find(where);
  return at == cuts_.end() ? recovery_point : std::min(recovery_point, at->second.offset);
}

std::map<RecoveryPoints::Where, std::int64_t> RecoveryPoints::cuts() const {
  std::map<Where, std::int64_t> out;
  for (const auto& [where, cut] : cuts_) out.emplace(where, cut.offset);
  return out;
}

RecoveryPoints::Said RecoveryPoints::lowered(const Said& stands, const std::map<Where, std::int64_t>& cuts) {
  auto out = std::make_shared<log::OffsetCheckpoint>(*stands);
  for (const auto& [where, offset] : cuts) {
    const auto at = out->find(where);
    if (at != out->end()) at->second = std::min(at->second, offset);
  }
  return out;
}

}  // namespace tandem::broker::api
