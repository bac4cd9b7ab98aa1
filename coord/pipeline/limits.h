// Bounds of the pipeline, with their reasons: what a client can make grow, and where that ends.
// Kept by Pipeline, which chokes a link (its shell stops reading) instead of dropping requests.
#pragma once

#include <cstddef>

namespace tandem::coord::pipeline {

// Requests of one link that wait (for its own writes): beyond either number nothing more is read from it.
inline constexpr std::size_t kQueuedRequestsMax = 2048;
inline constexpr std::size_t kQueuedBytesMax = 4 * 1024 * 1024;

// Writes of one link on their way to the log. A pipelining client has some hundreds; more only adds delay.
inline constexpr std::size_t kLinkWritesMax = 4096;

// Bytes of replies that requests which waited may produce at once; the rest waits until the client has read.
inline constexpr std::size_t kDrainBytesMax = 1024 * 1024;

// A multiRead of many large nodes would answer a small request with gigabytes: beyond this it fails.
inline constexpr std::size_t kMultiReadBytesMax = 64 * 1024 * 1024;

// Bytes proposed and not yet durable, of all links: a slow disk must not become memory.
inline constexpr std::size_t kInFlightBytesMax = 64 * 1024 * 1024;

// What one learner may have waiting behind its syncs while a leader asks a quorum about them: beyond either
// number its connection is closed. Its own clients' requests are bounded where they are connected.
inline constexpr std::size_t kHeldRequestsMax = 1U << 16;
inline constexpr std::size_t kHeldBytesMax = 64 * 1024 * 1024;

}  // namespace tandem::coord::pipeline
