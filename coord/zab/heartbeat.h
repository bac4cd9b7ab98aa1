// Heartbeats between two Tandem servers, so that a stopped or isolated leader is found out in a fraction of a
// second instead of syncLimit ticks. Both name their silence in the extension of FOLLOWERINFO and LEADERINFO
// (records/quorum_packet.h); with those who name none the protocol's own limits hold.
// Each side then sends a PING of zxid -1 at every beat; those are not answered. Silence counts only for as
// long as this server itself was running.
#pragma once

#include <algorithm>

#include "base/clock.h"
#include "jute/ids.h"

namespace tandem::coord::zab {

// The pings of the protocol carry the last proposal's zxid.
inline constexpr jute::Zxid kHeartbeat{-1};

inline constexpr int kBeatsInSilence = 6;
// A silence shorter than this would be taken from any busy machine.
inline constexpr base::milliseconds kSilenceMin{60};

// Owned by the core of a role. beat() at least every `silence_max / kBeatsInSilence` while it is running.
class Vigil {
 public:
  Vigil() = default;
  Vigil(base::Duration silence_max, base::Instant now)
      : every_(std::max<base::Duration>(silence_max, kSilenceMin) / kBeatsInSilence),
        next_(now + every_),
        last_(now),
        awake_since_(now) {}

  // Is it time to be heard? Who was late itself has no right to complain of the others: what they said
  // meanwhile may still wait in a socket.
  bool beat(base::Instant now) {
    if (now < next_) return false;
    if (now - last_ > every_ * 2) awake_since_ = now;
    last_ = now;
    next_ = now + every_;
    return true;
  }
  base::Instant next() const { return next_; }
  base::Instant silent_at(base::Instant heard, base::Duration silence_max) const {
    return std::max(heard, awake_since_) + std::max<base::Duration>(silence_max, kSilenceMin);
  }

 private:
  base::Duration every_{};
  base::Instant next_{};
  base::Instant last_{};
  base::Instant awake_since_{};
};

}  // namespace tandem::coord::zab
