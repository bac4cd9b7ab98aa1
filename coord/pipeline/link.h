// One client's connection as the pipeline sees it: session, identities, the order of its requests, figures
// for `cons`. Owned by Pipeline; the slot is the link's number as a watcher.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/clock.h"
#include "coord/pipeline/effects.h"
#include "coord/session/session_tracker.h"
#include "coord/tree/watch_manager.h"
#include "jute/data.h"
#include "jute/opcodes.h"

namespace tandem::coord::pipeline {

struct LinkStats {
  std::int64_t established_ms = 0;  // wall clock
  std::uint64_t packets_received = 0;
  std::uint64_t packets_sent = 0;
  const char* last_op = "NA";
  std::int64_t last_cxid = -1;
  jute::Zxid last_zxid{-1};
  std::int64_t last_response_ms = 0;  // monotonic
  std::int64_t last_latency_ms = 0;
  std::int64_t min_latency_ms = 0;
  std::int64_t max_latency_ms = 0;
  std::int64_t total_latency_ms = 0;
  std::uint64_t replies = 0;
};

struct Link {
  enum class State {
    connecting,    // its ConnectRequest has not come
    establishing,  // the session is being created: frames wait
    open,
    closing,  // nothing more is read or written
  };

  LinkId id;
  tree::WatcherId slot = 0;
  State state = State::connecting;
  std::string address;
  std::uint16_t port = 0;
  std::vector<jute::Id> ids;

  jute::SessionId session;
  std::int32_t timeout_ms = 0;
  bool sends_read_only = true;  // old clients do not, and want the answer without it

  // Order: a request that is no write waits until the writes proposed before it have been answered.
  struct Queued {
    std::uint64_t after;  // writes to be answered first
    base::Instant received;
    std::string frame;
    bool unparsable = false;  // a write that failed to parse: its error waits for its turn
  };
  std::uint64_t writes_proposed = 0;
  std::uint64_t writes_answered = 0;
  std::deque<Queued> queue;
  std::size_t queued_bytes = 0;
  bool choked = false;

  LinkStats stats;

  std::uint64_t writes_waiting() const { return writes_proposed - writes_answered; }
};

}  // namespace tandem::coord::pipeline
