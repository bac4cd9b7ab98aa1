#include <doctest/doctest.h>

#include <fmt/core.h>

#include "coord/session/password.h"
#include "coord/session/session_tracker.h"

namespace tandem::coord::session {

using jute::ErrorCode;
using jute::SessionId;

namespace {

base::Instant at_ms(std::int64_t ms) { return base::Instant(base::milliseconds(ms)); }

}  // namespace

TEST_CASE("the password of a session is Apache's") {
  std::string hex;
  for (const char c : password_of(SessionId(0x1234567890abcdef)))
    hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  CHECK(hex == "f7721b383fd583ba74d220ede39f7b43");
  const Password password = password_of(SessionId(7));
  CHECK(is_password_of(SessionId(7), {password.data(), password.size()}));
  CHECK_FALSE(is_password_of(SessionId(8), {password.data(), password.size()}));
  CHECK_FALSE(is_password_of(SessionId(7), {password.data(), 15}));
  const Password zero = password_of(SessionId(0));
  CHECK_FALSE(is_password_of(SessionId(0), {zero.data(), zero.size()}));
}

TEST_CASE("the first session id holds the server in the top byte and the time below") {
  CHECK(first_session_id(1, base::WallTime{0x123456789a}).value == 0x0112'3456'789a'0000);
  CHECK(first_session_id(0, base::WallTime{1}).value == 0x0000'0000'0001'0000);
  CHECK(first_session_id(0x80, base::WallTime{0}).value != INT64_MIN);
}

TEST_CASE("a session expires at the end of the tick after its timeout") {
  SessionTracker tracker(base::milliseconds(1000), SessionId(100));
  tracker.track(tracker.new_id(), 5000, at_ms(10'500));
  CHECK(tracker.next_deadline() == at_ms(16'000));
  CHECK(tracker.expire(at_ms(15'999)).empty());
  CHECK(tracker.expire(at_ms(16'000)) == std::vector<SessionId>{SessionId(100)});
  CHECK(tracker.expire(at_ms(99'000)).empty());  // closing: named once
  CHECK(tracker.check(SessionId(100), 1) == ErrorCode::session_expired);
}

TEST_CASE("a touch defers expiry without moving the session until its bucket is due") {
  SessionTracker tracker(base::milliseconds(1000), SessionId(100));
  Session& session = tracker.track(SessionId(100), 5000, at_ms(0));
  CHECK(tracker.touch(session, at_ms(5'500)));
  CHECK(tracker.expire(at_ms(6'000)).empty());
  CHECK(tracker.next_deadline() == at_ms(11'000));
  CHECK(tracker.touch(session, 100, at_ms(5'600)));  // reconnected with a shorter timeout
  CHECK(tracker.next_deadline() == at_ms(6'000));
  CHECK(tracker.expire(at_ms(6'000)).size() == 1);
  CHECK_FALSE(tracker.touch(session, at_ms(6'000)));
}

TEST_CASE("a role begins with the committed sessions, without owners, and with their whole timeouts") {
  SessionTracker tracker(base::milliseconds(1000), SessionId(100));
  tracker.track(SessionId(1), 5000, at_ms(0)).owner = 7;
  tracker.track_proposed(SessionId(2), 5000, at_ms(0));
  tracker.commit(SessionId(3), 4000);
  tracker.track_proposed(SessionId(4), 5000, at_ms(0));
  tracker.commit(SessionId(4), 5000);
  CHECK(tracker.committed_timeouts().size() == 3);
  CHECK(tracker.expire(at_ms(6'000)).size() == 3);  // of the third nobody asked when
  tracker.begin(true, at_ms(10'000));
  CHECK(tracker.size() == 3);
  CHECK(tracker.next_deadline() == at_ms(15'000));
  CHECK(tracker.check(SessionId(1), 8) == ErrorCode::ok);
  tracker.begin(false, at_ms(20'000));
  CHECK_FALSE(tracker.next_deadline().has_value());
  CHECK(tracker.size() == 3);
}

TEST_CASE("a session that was removed does not expire") {
  SessionTracker tracker(base::milliseconds(1000), SessionId(100));
  tracker.track(SessionId(5), 2000, at_ms(0));
  tracker.remove(SessionId(5));
  CHECK(tracker.expire(at_ms(100'000)).empty());
  CHECK_FALSE(tracker.next_deadline().has_value());
}

TEST_CASE("the first owner gets a session and another one learns that it moved") {
  SessionTracker tracker(base::milliseconds(1000), SessionId(100));
  CHECK(tracker.check(SessionId(5), 1) == ErrorCode::unknown_session);
  Session& session = tracker.track(SessionId(5), 2000, at_ms(0));
  CHECK(tracker.check(SessionId(5), 1) == ErrorCode::ok);
  CHECK(tracker.check(SessionId(5), 2) == ErrorCode::session_moved);
  session.owner = 2;
  CHECK(tracker.check(SessionId(5), 2) == ErrorCode::ok);
}

}  // namespace tandem::coord::session
