// What a member of an ensemble asks its shell to do. Effects are values, to be performed in the order given;
// those that say so are answered by a verb of Peer once they are done.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "coord/election/election.h"
#include "coord/pipeline/effects.h"
#include "coord/quorum/server_spec.h"
#include "coord/zab/effects.h"

namespace tandem::coord::peer {

// ---- election -------------------------------------------------------------------------------------------

// Connections to these are wanted: tried again and again until the next SeekVoters. Empty: none is missed.
struct SeekVoters {
  quorum::ServerSet voters;
  bool operator==(const SeekVoters&) const = default;
};

// ---- learners of this leader ----------------------------------------------------------------------------

// Listen on the own quorum addresses (for observers: on observerMasterPort of them); then on_learner_port.
// All connections end with CloseLearnerPort.
struct OpenLearnerPort {
  bool for_observers = false;
  bool operator==(const OpenLearnerPort&) const = default;
};
struct CloseLearnerPort {
  bool operator==(const CloseLearnerPort&) const = default;
};

// ---- the leader of this learner -------------------------------------------------------------------------

// Connect to one of its quorum addresses; then on_leader_connected, on_leader_unreachable (nothing answered
// for so long) or on_leader_gone. A leader may need a moment to open its port; an observer master that
// refuses does not serve now.
struct ConnectLeader {
  quorum::ServerId leader;
  std::vector<quorum::PeerAddress> addresses;
  bool may_open_late = true;
  base::milliseconds connect_max{0};
  bool operator==(const ConnectLeader&) const = default;
};
struct CloseLeader {
  bool operator==(const CloseLeader&) const = default;
};

// ---- disk -----------------------------------------------------------------------------------------------

// Finish what was given to the log, close it, then on_log_drained. The next Persist opens it again.
struct DrainLog {
  bool operator==(const DrainLog&) const = default;
};

// Remember that this server gives no vote, also over restarts, and why; done before anything that follows.
struct WithholdVote {
  std::string reason;
  bool operator==(const WithholdVote&) const = default;
};
// It has all that it ever acknowledged: forget it.
struct RestoreVote {
  bool operator==(const RestoreVote&) const = default;
};

// ---- the process ----------------------------------------------------------------------------------------

// A line for the log, for those who look after the server.
struct Note {
  enum class Level : std::uint8_t { info, warning };
  Level level = Level::info;
  std::string text;
  bool operator==(const Note&) const = default;
};

// zab's: SendToLearner, SendSnapshot, ReadLog and CloseLearner are for a learner of this term; Persist, the
// epochs, Truncate and InstallSnapshot for the disk (zab/effects.h says what each is answered with).
using Effect =
    std::variant<election::Send, SeekVoters, OpenLearnerPort, CloseLearnerPort, zab::SendToLearner,
                 zab::SendSnapshot, zab::ReadLog, zab::CloseLearner, ConnectLeader, CloseLeader,
                 zab::SendToLeader, zab::PersistAcceptedEpoch, zab::PersistCurrentEpoch, zab::Persist,
                 DrainLog, WithholdVote, RestoreVote, zab::Truncate, zab::InstallSnapshot,
                 pipeline::CloseLink, pipeline::ResumeLink, pipeline::AwaitOutput, Note>;

// One line each: traces, transcripts.
std::string printed(const Effect& effect);

}  // namespace tandem::coord::peer
