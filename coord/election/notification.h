// Notification: the one message of the election, and its wire form. Reads those of all versions: 28 bytes
// (before 3.3), 40 (before 3.4.6), 44 and more (with the ensemble's text since 3.5); writes version 2.
// Source: FastLeaderElection of ZooKeeper 3.9.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "coord/election/vote.h"

namespace tandem::coord::election {

inline constexpr std::int32_t kNotificationVersion = 2;

struct Notification {
  Vote vote;           // with the sender's state and the version of the message
  std::string config;  // QuorumConfig::text(); empty from a sender older than 3.5

  bool operator==(const Notification&) const = default;
};

std::string encode(const Notification& notification);
// An error is one sentence; the message is then to be ignored, as Apache does.
base::Result<Notification> decode_notification(std::string_view payload);

}  // namespace tandem::coord::election
