// Bounds of the cores of the atomic broadcast, with their reasons: what a peer can make grow, and where that
// ends. Kept by Leader and Learner, kLearnerOutputMax by the shell that holds the output.
#pragma once

#include <cstddef>

namespace tandem::coord::zab {

// Recent committed transactions kept for learners that missed little: Apache's commitLogCount, and a bound
// for large nodes.
inline constexpr std::size_t kCommitLogCount = 500;
inline constexpr std::size_t kCommitLogBytes = 64U << 20;

// Connections of learners at once, observers and those not yet introduced included.
inline constexpr std::size_t kLearnersMax = 256;

// Of those, learners that the configuration does not name: observers that were not announced.
inline constexpr std::size_t kUnknownLearnersMax = 64;

// Bytes that a learner took over and that are not durable yet: beyond it nothing more is read from the
// leader.
inline constexpr std::size_t kUnsyncedBytesMax = 64U << 20;

// Bytes proposed to a learner and neither committed nor given up: a leader holds less in flight.
inline constexpr std::size_t kPendingBytesMax = 512U << 20;

// Bytes the shell may hold unsent for one learner before it closes it (on_closed): it cannot keep up, and a
// snapshot is cheaper than the queue. Snapshot and log reading do not count, they wait for the learner.
inline constexpr std::size_t kLearnerOutputMax = 256U << 20;
// Of all learners together: beyond it the one with the most is closed.
inline constexpr std::size_t kLearnersOutputMax = 512U << 20;

// Sessions that an observer has asked about, whose answers wait for what was proposed before. Beyond it the
// observer is dropped.
inline constexpr std::size_t kRevalidatedMax = 1U << 16;

// Synchronizations waiting for quorum confirmation.
inline constexpr std::size_t kConfirmationsMax = 1U << 20;

}  // namespace tandem::coord::zab
