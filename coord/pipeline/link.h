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
#include "jute/errors.h"
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
    establishing,  // the session is being created, or the leader asked about it: frames wait
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
  bool sends_read_only = true;    // old clients do not, and want the answer without it
  bool local = false;             // the session is this server's only
  bool ending = false;            // the session's end was asked for: what comes behind it is not answered
  jute::Zxid known;               // learner: what came before it, by then the session was somebody else's
  std::uint64_t touch_round = 0;  // of the touches it was last counted in

  // Order: a request that is no write waits until the writes before it, proposed or forwarded, have been
  // answered.
  struct Queued {
    std::uint64_t after = 0;  // writes to be answered first
    base::Instant received;
    std::string frame;
    bool write = false;  // to be proposed or forwarded when its turn comes
    bool ready = false;  // the frame is the reply to a write, behind replies that nobody has read yet
    jute::ErrorCode err = jute::ErrorCode::ok;  // a write refused at once: its error waits for its turn
  };
  std::uint64_t writes_proposed = 0;
  std::uint64_t writes_answered = 0;
  std::uint64_t writes_queued = 0;
  std::uint64_t syncs_waiting = 0;  // for a quorum: no write may pass them
  std::deque<Queued> queue;
  std::size_t queued_bytes = 0;
  bool awaiting_output = false;  // what could be answered is not: the client does not read
  bool choked = false;

  LinkStats stats;

  std::uint64_t writes_waiting() const { return writes_proposed - writes_answered; }
  // Of a request that comes now.
  std::uint64_t writes_before() const { return writes_proposed + writes_queued; }
  bool has_runnable() const { return !queue.empty() && queue.front().after <= writes_answered; }
};

}  // namespace tandem::coord::pipeline
