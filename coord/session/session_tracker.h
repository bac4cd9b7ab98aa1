// The sessions that a server knows, and when they expire: those of the ensemble on every server, their expiry
// on the leader (or a standalone server) only; a second one holds a server's local sessions. Time is rounded
// up to ticks, so that many sessions share one deadline; a touch stores a number and nothing moves until the
// bucket is due. Also who owns a session (which server's connection), for moves.
// Source: Apache's SessionTrackerImpl, LearnerSessionTracker and ExpiryQueue.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "jute/errors.h"
#include "jute/ids.h"

namespace tandem::coord::session {

// The first id a server gives: time in the middle, the server in the top byte; each next is one more.
// Never the number that marks containers.
jute::SessionId first_session_id(std::int64_t server_id, base::WallTime now);

// The server that gave the id, as far as its byte tells.
inline std::uint8_t server_of(jute::SessionId id) {
  return static_cast<std::uint8_t>(static_cast<std::uint64_t>(id.value) >> 56);
}

// Whose connection a session last came over; 0 = nobody's yet.
using OwnerId = std::uint64_t;

struct Session {
  jute::SessionId id;
  std::int32_t timeout_ms = 0;
  std::int64_t expires_ms = 0;  // end of its tick
  std::int64_t bucket_ms = 0;   // where it waits; <= expires_ms
  bool closing = false;
  bool committed = false;  // by a transaction: only such sessions are told in snapshots
  OwnerId owner = 0;
};

class SessionTracker {
 public:
  SessionTracker(base::Duration tick, jute::SessionId first_id);

  jute::SessionId new_id();
  std::uint8_t server() const { return server_of(jute::SessionId(next_id_)); }
  base::Duration tick() const { return base::milliseconds(tick_ms_); }

  // A role begins. What was not committed is forgotten, no session is closing or has an owner; with
  // `expiring` each has its whole timeout from now on, without it none expires.
  void begin(bool expiring, base::Instant now);
  // By a transaction (or a snapshot); one not yet known has no expiry before begin().
  void commit(jute::SessionId id, std::int32_t timeout_ms);
  void clear();

  // Known from now on, as committed; an id already known keeps its state and is touched.
  Session& track(jute::SessionId id, std::int32_t timeout_ms, base::Instant now);
  // As track, of one whose transaction is on its way.
  Session& track_proposed(jute::SessionId id, std::int32_t timeout_ms, base::Instant now);
  void remove(jute::SessionId id) { sessions_.erase(id.value); }
  Session* find(jute::SessionId id);
  const Session* find(jute::SessionId id) const;

  // False when the session is closing.
  bool touch(Session& session, std::int32_t timeout_ms, base::Instant now);
  bool touch(Session& session, base::Instant now) { return touch(session, session.timeout_ms, now); }
  void touch_all(base::Instant now);

  // ok, unknown_session, session_expired (closing) or session_moved; the first owner asking gets it.
  jute::ErrorCode check(jute::SessionId id, OwnerId owner);

  // Sessions whose time has come: they are closing from now on, and the caller proposes their end.
  std::vector<jute::SessionId> expire(base::Instant now);
  std::optional<base::Instant> next_deadline() const;

  std::size_t size() const { return sessions_.size(); }
  const std::unordered_map<std::int64_t, std::unique_ptr<Session>>& all() const { return sessions_; }
  // For snapshots.
  std::vector<std::pair<jute::SessionId, std::int32_t>> committed_timeouts() const;

 private:
  std::int64_t round_up(std::int64_t ms) const { return (ms / tick_ms_ + 1) * tick_ms_; }

  std::int64_t tick_ms_;
  std::int64_t next_id_;
  std::unordered_map<std::int64_t, std::unique_ptr<Session>> sessions_;
  std::map<std::int64_t, std::vector<jute::SessionId>> buckets_;  // may name sessions that are gone
};

}  // namespace tandem::coord::session
