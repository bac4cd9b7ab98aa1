#include "coord/election/notification.h"

#include "bytes/reader.h"
#include "bytes/writer.h"

namespace tandem::coord::election {

using base::Errc;
using base::Result;

namespace {

constexpr std::size_t kBytesWithoutEpoch = 28;
constexpr std::size_t kBytesWithoutVersion = 40;
constexpr int kEpochShift = 32;

base::Error refuse(std::string_view payload, std::string_view why) {
  return base::make_error(Errc::invalid_argument, "a notification of {} bytes {}", payload.size(), why);
}

}  // namespace

std::string encode(const Notification& notification) {
  std::string out;
  bytes::Writer writer(out);
  writer.i32(static_cast<std::int32_t>(notification.vote.state));
  writer.i64(notification.vote.leader.value);
  writer.i64(notification.vote.zxid.value);
  writer.i64(notification.vote.round);
  writer.i64(notification.vote.peer_epoch);
  writer.i32(kNotificationVersion);
  writer.i32(static_cast<std::int32_t>(notification.config.size()));
  writer.bytes(notification.config);
  return out;
}

Result<Notification> decode_notification(std::string_view payload) {
  if (payload.size() < kBytesWithoutEpoch) return refuse(payload, "is too short");
  bytes::Reader reader(payload);
  Notification notification;
  Vote& vote = notification.vote;
  const std::int32_t state = reader.i32();
  if (state < 0 || state > static_cast<std::int32_t>(ServerState::observing))
    return refuse(payload, "has an unknown state");
  vote.state = static_cast<ServerState>(state);
  vote.leader = ServerId(reader.i64());
  vote.zxid = Zxid(reader.i64());
  vote.round = reader.i64();
  vote.peer_epoch = payload.size() == kBytesWithoutEpoch ? vote.zxid.value >> kEpochShift : reader.i64();
  if (payload.size() != kBytesWithoutEpoch && payload.size() != kBytesWithoutVersion)
    vote.version = reader.i32();
  if (vote.version >= kNotificationVersion) {
    const std::int32_t length = reader.i32();
    if (length < 0) return refuse(payload, "has a negative length in it");
    notification.config = std::string(reader.bytes(static_cast<std::size_t>(length)));
  }
  if (!reader.ok()) return refuse(payload, "ends before its fields do");
  return notification;
}

}  // namespace tandem::coord::election
