// Bounds of the server's wiring, with their reasons; the pipeline's are in coord/pipeline/limits.h, the log's
// and the snapshots' beside their code.
#pragma once

namespace tandem::coord::server {

// Connections that wait to be accepted: Java's default for ServerSocket, which Apache uses.
inline constexpr int kDefaultBacklog = 50;

// Longest command line of options in SERVER_JVMFLAGS that is looked at.
inline constexpr int kJvmFlagsBytesMax = 1 << 20;

}  // namespace tandem::coord::server
