// Bounds of the broker's connections, with their reasons; what settings bound (request sizes, numbers of
// connections) is in the table of broker/config.
#pragma once

#include <cstddef>

namespace tandem::broker::shell {

// Requests of one client that are under way; beyond, its connection is not read.
inline constexpr std::size_t kClientRequestsMax = 64;

// Control requests that wait for one broker. Kafka lets them wait without bound; what a broker that answers
// nothing for so long has missed is more than what it is told when it starts, so that is what it gets.
inline constexpr std::size_t kControlRequestsMax = 10'000;

// Requests of this broker that wait for the controller. Leaders ask for all their partitions in one, so more
// than a few mean that no controller has answered for long: the caller is told, and asks again later.
inline constexpr std::size_t kControllerRequestsMax = 1'000;

// The answer of a broker to a control request: a row for each partition of a request for 100,000 takes 3 MiB.
inline constexpr std::size_t kControlResponseBytesMax = 64 * 1024 * 1024;

// The answer of a leader to a fetch: replica.fetch.response.max.bytes and the first batch, which may be
// larger (message.max.bytes), with room for what an operator sets. What is more ends the connection.
inline constexpr std::size_t kFetchResponseBytesMax = 256 * 1024 * 1024;

}  // namespace tandem::broker::shell
