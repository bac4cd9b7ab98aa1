#include "coord/zab/sync_plan.h"

#include "base/check.h"

namespace tandem::coord::zab {

using records::counter_of;
using records::epoch_of;
using records::PacketType;

const char* to_string(SyncPath path) {
  switch (path) {
    case SyncPath::nothing:
      return "nothing";
    case SyncPath::truncate:
      return "truncate";
    case SyncPath::memory:
      return "memory";
    case SyncPath::log:
      return "log";
    case SyncPath::snapshot:
      return "snapshot";
  }
  UNREACHABLE("sync path {}", static_cast<int>(path));
}

SyncPlan plan_sync(Zxid peer, const LeaderHistory& leader, const CommitLog& log) {
  if (peer == leader.last_processed || peer == leader.last_txn) return {SyncPath::nothing, peer};
  const Zxid min = log.empty() ? leader.last_txn : log.min();
  const Zxid max = log.empty() ? leader.last_txn : log.max();
  // The learner took a snapshot at the start of an epoch: it has no log to cut.
  const bool at_epoch_start = counter_of(peer) == 0;
  // The start of an epoch is no entry of any log, so none can be cut back to it.
  const bool can_cut_there = counter_of(max) != 0;
  if (peer > max && !at_epoch_start) {
    if (can_cut_there) return {SyncPath::truncate, max};
    return {SyncPath::snapshot, {}};
  }
  if (min <= peer && peer <= max) return {SyncPath::memory, {}};
  if (peer < min && leader.log_readable) return {SyncPath::log, {}};
  return {SyncPath::snapshot, {}};
}

SyncWalk::Step SyncWalk::next(Zxid zxid) {
  Step step;
  if (zxid < peer_) {
    previous_ = zxid;
    return step;
  }
  if (!opened_) {
    const bool at_epoch_start = counter_of(peer_) == 0;
    if (zxid == peer_ || at_epoch_start) {
      step.opening = PacketType::diff;
      step.opening_zxid = last_committed_;
    } else if (!previous_ || epoch_of(zxid) != epoch_of(peer_)) {
      // The learner has transactions that this leader never saw, and nothing here says where its log may be
      // cut: an Apache learner refuses to cut across epochs.
      step.impossible = true;
      return step;
    } else {
      step.opening = PacketType::trunc;
      step.opening_zxid = *previous_;
    }
    opened_ = true;
  }
  if (zxid <= queued_) return step;
  step.send = true;
  queued_ = zxid;
  return step;
}

}  // namespace tandem::coord::zab
