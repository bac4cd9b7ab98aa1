// How a leader brings a learner to its own history: a pure rule over the learner's last zxid and what the
// leader has in memory. Table: coordination.md 2.5 (Apache's LearnerHandler.syncFollower and
// queueCommittedProposals), with two differences: a leader without transactions of its own epoch says
// "nothing missing" where Apache sends a snapshot, and a log that does not provably reach the learner is a
// snapshot.
#pragma once

#include <cstdint>
#include <optional>

#include "coord/zab/commit_log.h"
#include "coord/zab/effects.h"

namespace tandem::coord::zab {

enum class SyncPath : std::uint8_t {
  nothing,   // an empty DIFF
  truncate,  // TRUNC to `target`, nothing after it
  memory,    // DIFF or TRUNC and what follows, from the commit log
  log,       // the same from the own log, as far as the commit log takes over
  snapshot,
};
const char* to_string(SyncPath path);

// What the leader has committed when the learner asks.
struct LeaderHistory {
  Zxid last_txn;             // the last committed transaction
  Zxid last_processed;       // that, or the start of the epoch where it has none yet
  bool log_readable = true;  // snapshotSizeFactor is not negative
};

struct SyncPlan {
  SyncPath path = SyncPath::snapshot;
  Zxid target;  // of DIFF or TRUNC, where the path says it already
};

SyncPlan plan_sync(Zxid peer, const LeaderHistory& leader, const CommitLog& log);

// Walks committed transactions in order, from the last one at or before the peer's, and says of each what to
// send: the opening DIFF or TRUNC before the first, then those the peer lacks.
class SyncWalk {
 public:
  SyncWalk(Zxid peer, Zxid last_committed) : peer_(peer), last_committed_(last_committed), queued_(peer) {}

  struct Step {
    std::optional<records::PacketType> opening;  // DIFF or TRUNC, to send first
    Zxid opening_zxid;
    bool send = false;        // PROPOSAL and COMMIT of this transaction
    bool impossible = false;  // only a snapshot helps
  };
  Step next(Zxid zxid);

  bool opened() const { return opened_; }
  Zxid queued() const { return queued_; }  // the learner has everything up to here

 private:
  Zxid peer_;
  Zxid last_committed_;
  Zxid queued_;
  std::optional<Zxid> previous_;
  bool opened_ = false;
};

}  // namespace tandem::coord::zab
