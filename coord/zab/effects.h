// What the cores of the atomic broadcast ask their owner to do, and what they tell it. Effects are values;
// those of one destination (the log, one learner, the leader, the owner) are performed in order, different
// destinations do not wait for each other. What a core says depends only on what was reported durable: no
// effect must be held back for another.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/strong.h"
#include "coord/quorum/server_id.h"
#include "coord/records/quorum_packet.h"
#include "coord/records/txn_batch.h"
#include "jute/data.h"
#include "jute/ids.h"
#include "jute/opcodes.h"

namespace tandem::coord::zab {

using jute::Zxid;
using quorum::ServerId;
using records::TxnBatch;
using records::TxnRef;

// A learner's connection to this leader; never given twice.
using LearnerId = base::Strong<std::uint64_t, struct LearnerIdTag>;

// ---- both roles -----------------------------------------------------------------------------------------

// Make the number durable, then call on_accepted_epoch_durable / on_current_epoch_durable.
struct PersistAcceptedEpoch {
  std::int64_t epoch = 0;
  bool operator==(const PersistAcceptedEpoch&) const = default;
};
struct PersistCurrentEpoch {
  std::int64_t epoch = 0;
  bool operator==(const PersistCurrentEpoch&) const = default;
};
// Append to the log, make durable, then on_durable(batch->last). Batches in order.
struct Persist {
  std::shared_ptr<const TxnBatch> batch;
  bool operator==(const Persist&) const = default;
};

// ---- of the leader --------------------------------------------------------------------------------------

// Whole packets.
struct SendToLearner {
  LearnerId to;
  std::string bytes;
  bool operator==(const SendToLearner&) const = default;
};
// The packet SNAP is already sent: now the tree as it is when all Commits before this effect are applied
// (storage/snapshot_body.h), then on_snapshot_sent. Whatever is sent to this learner later goes behind it.
struct SendSnapshot {
  LearnerId to;
  Zxid zxid;
  bool operator==(const SendSnapshot&) const = default;
};
// Read the own log for a learner: from the last transaction at or before `from`, as far as `through`;
// answered with on_log_chunk, the next chunk when the learner has taken most of the one before.
struct ReadLog {
  LearnerId to;
  Zxid from;
  Zxid through;
  bool operator==(const ReadLog&) const = default;
};
// Close after what was sent. Not answered: the core has forgotten the learner. A stranger has not introduced
// itself; there may be very many of them.
struct CloseLearner {
  LearnerId learner;
  std::string reason;
  bool stranger = false;
  bool operator==(const CloseLearner&) const = default;
};
// A quorum is in sync: serve. The zxid is epoch << 32, now the last processed one; the first transaction to
// be proposed is the next.
struct StartLeading {
  Zxid epoch_start;
  bool operator==(const StartLeading&) const = default;
};
// A quorum has everything up to here: apply and answer.
struct Commit {
  Zxid through;
  bool operator==(const Commit&) const = default;
};
// Leading is over; nothing but closing the connections follows.
struct StepDown {
  std::string reason;
  bool operator==(const StepDown&) const = default;
};
// From a learner's client: to be proposed (or, a sync, answered with answer_sync). In the learner's order.
struct LearnerRequest {
  LearnerId from;
  ServerId server;
  jute::SessionId session;
  std::int32_t cxid = 0;
  jute::OpCode type = jute::OpCode::error;
  std::string body;
  std::vector<jute::Id> ids;
  bool operator==(const LearnerRequest&) const = default;
};
// A client came back to a learner: answer with revalidated().
struct LearnerRevalidate {
  LearnerId from;
  ServerId server;
  records::Touch session;
  bool operator==(const LearnerRevalidate&) const = default;
};
// Sessions that a learner heard of.
struct LearnerTouches {
  LearnerId from;
  std::vector<records::Touch> touches;
  bool operator==(const LearnerTouches&) const = default;
};
// What confirm() was asked for: everything proposed before it is committed, and this server was still the
// leader after it.
struct Confirmed {
  std::uint64_t token = 0;
  bool operator==(const Confirmed&) const = default;
};

using LeaderEffect = std::variant<PersistAcceptedEpoch, PersistCurrentEpoch, Persist, SendToLearner,
                                  SendSnapshot, ReadLog, CloseLearner, StartLeading, Commit, StepDown,
                                  LearnerRequest, LearnerRevalidate, LearnerTouches, Confirmed>;

// ---- of a learner ---------------------------------------------------------------------------------------

struct SendToLeader {
  std::string bytes;
  bool operator==(const SendToLeader&) const = default;
};
// Cut log and tree back to what they were after `zxid`, durably (storage/truncate.h); then on_truncated. A
// server that cannot must not go on: the process ends.
struct Truncate {
  Zxid zxid;
  bool operator==(const Truncate&) const = default;
};
// The snapshot follows in the stream: read it into a new tree, make it durable as snapshot.<zxid>, drop what
// the log has beyond it, start a new log file; then on_snapshot_installed. A damaged one: on_disconnected.
struct InstallSnapshot {
  Zxid zxid;
  bool operator==(const InstallSnapshot&) const = default;
};
// Committed, and durable here: apply in order, answer waiting clients.
struct Apply {
  std::vector<TxnRef> txns;
  bool operator==(const Apply&) const = default;
};
// In sync with a leader that has a quorum: serve clients. `config` is the ensemble as the leader knows it.
struct StartFollowing {
  Zxid epoch_start;
  std::string config;
  bool operator==(const StartFollowing&) const = default;
};
// The leader asks: answer_ping(zxid, sessions touched since the last time).
struct PingAsked {
  Zxid zxid;
  bool operator==(const PingAsked&) const = default;
};
// Whether a session that revalidate() asked about lives. What was asked for it elsewhere before is among the
// transactions up to `known`.
struct Revalidated {
  jute::SessionId session;
  bool valid = false;
  Zxid known;
  bool operator==(const Revalidated&) const = default;
};
// The first sync forwarded and not yet answered is done, once what was given to Apply before is applied.
struct Synced {
  bool operator==(const Synced&) const = default;
};
// The connection ended before the leader had said anything: open another one.
struct Reconnect {
  bool operator==(const Reconnect&) const = default;
};
// Following is over: close the connection and look for a leader. Silent: nobody says that the leader is gone,
// it was not heard.
struct Abandon {
  std::string reason;
  bool silent = false;
  bool operator==(const Abandon&) const = default;
};

using LearnerEffect =
    std::variant<PersistAcceptedEpoch, PersistCurrentEpoch, Persist, SendToLeader, Truncate, InstallSnapshot,
                 Apply, StartFollowing, PingAsked, Revalidated, Synced, Reconnect, Abandon>;

// One line each, packets decoded: transcripts, logs.
std::string printed(const LeaderEffect& effect);
std::string printed(const LearnerEffect& effect);

}  // namespace tandem::coord::zab
