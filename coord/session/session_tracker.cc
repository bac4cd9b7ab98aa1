#include "coord/session/session_tracker.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace tandem::coord::session {

namespace {

constexpr std::int64_t kContainerMark = std::numeric_limits<std::int64_t>::min();

std::int64_t to_ms(base::Instant now) {
  return std::chrono::duration_cast<base::milliseconds>(now.time_since_epoch()).count();
}

}  // namespace

jute::SessionId first_session_id(std::int64_t server_id, base::WallTime now) {
  const std::uint64_t time = (static_cast<std::uint64_t>(now.ms) << 24) >> 8;
  auto id = static_cast<std::int64_t>(time | static_cast<std::uint64_t>(server_id) << 56);
  if (id == kContainerMark || id == 0) ++id;
  return jute::SessionId(id);
}

SessionTracker::SessionTracker(base::Duration tick, jute::SessionId first_id)
    : tick_ms_(std::max<std::int64_t>(1, std::chrono::duration_cast<base::milliseconds>(tick).count())),
      next_id_(first_id.value) {}

jute::SessionId SessionTracker::new_id() {
  while (next_id_ == 0 || next_id_ == kContainerMark || sessions_.contains(next_id_)) ++next_id_;
  return jute::SessionId(next_id_++);
}

void SessionTracker::begin(bool expiring, base::Instant now) {
  buckets_.clear();
  std::erase_if(sessions_, [](const auto& entry) { return !entry.second->committed; });
  for (const auto& [id, session] : sessions_) {
    session->closing = false;
    session->owner = 0;
    session->expires_ms = session->bucket_ms = round_up(to_ms(now) + session->timeout_ms);
    if (expiring) buckets_[session->bucket_ms].push_back(session->id);
  }
}

void SessionTracker::commit(jute::SessionId id, std::int32_t timeout_ms) {
  std::unique_ptr<Session>& slot = sessions_[id.value];
  if (slot == nullptr) {
    slot = std::make_unique<Session>();
    slot->id = id;
  }
  slot->timeout_ms = timeout_ms;
  slot->committed = true;
}

void SessionTracker::clear() {
  sessions_.clear();
  buckets_.clear();
}

std::vector<std::pair<jute::SessionId, std::int32_t>> SessionTracker::committed_timeouts() const {
  std::vector<std::pair<jute::SessionId, std::int32_t>> timeouts;
  timeouts.reserve(sessions_.size());
  for (const auto& [id, session] : sessions_) {
    if (session->committed) timeouts.emplace_back(session->id, session->timeout_ms);
  }
  return timeouts;
}

Session& SessionTracker::track(jute::SessionId id, std::int32_t timeout_ms, base::Instant now) {
  Session& session = track_proposed(id, timeout_ms, now);
  session.committed = true;
  return session;
}

Session& SessionTracker::track_proposed(jute::SessionId id, std::int32_t timeout_ms, base::Instant now) {
  std::unique_ptr<Session>& slot = sessions_[id.value];
  if (slot == nullptr) {
    slot = std::make_unique<Session>();
    slot->id = id;
    slot->timeout_ms = timeout_ms;
    slot->expires_ms = slot->bucket_ms = round_up(to_ms(now) + timeout_ms);
    buckets_[slot->bucket_ms].push_back(id);
  }
  touch(*slot, timeout_ms, now);
  return *slot;
}

Session* SessionTracker::find(jute::SessionId id) {
  const auto it = sessions_.find(id.value);
  return it == sessions_.end() ? nullptr : it->second.get();
}

const Session* SessionTracker::find(jute::SessionId id) const {
  const auto it = sessions_.find(id.value);
  return it == sessions_.end() ? nullptr : it->second.get();
}

bool SessionTracker::touch(Session& session, std::int32_t timeout_ms, base::Instant now) {
  if (session.closing) return false;
  session.expires_ms = round_up(to_ms(now) + timeout_ms);
  if (session.expires_ms < session.bucket_ms) {  // a shorter timeout than before: it must be seen earlier
    session.bucket_ms = session.expires_ms;
    buckets_[session.bucket_ms].push_back(session.id);
  }
  return true;
}

void SessionTracker::touch_all(base::Instant now) {
  for (const auto& [id, session] : sessions_) touch(*session, now);
}

jute::ErrorCode SessionTracker::check(jute::SessionId id, OwnerId owner) {
  Session* session = find(id);
  if (session == nullptr) return jute::ErrorCode::unknown_session;
  if (session->closing) return jute::ErrorCode::session_expired;
  if (session->owner == 0) session->owner = owner;
  return session->owner == owner ? jute::ErrorCode::ok : jute::ErrorCode::session_moved;
}

std::vector<jute::SessionId> SessionTracker::expire(base::Instant now) {
  const std::int64_t now_ms = to_ms(now);
  std::vector<jute::SessionId> expired;
  while (!buckets_.empty() && buckets_.begin()->first <= now_ms) {
    const auto bucket = buckets_.extract(buckets_.begin());
    for (const jute::SessionId id : bucket.mapped()) {
      Session* session = find(id);
      if (session == nullptr || session->bucket_ms != bucket.key() || session->closing) continue;
      if (session->expires_ms > now_ms) {
        session->bucket_ms = session->expires_ms;
        buckets_[session->bucket_ms].push_back(id);
      } else {
        session->closing = true;
        expired.push_back(id);
      }
    }
  }
  return expired;
}

std::optional<base::Instant> SessionTracker::next_deadline() const {
  if (buckets_.empty()) return std::nullopt;
  return base::Instant(base::milliseconds(buckets_.begin()->first));
}

}  // namespace tandem::coord::session
