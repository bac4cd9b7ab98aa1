// Packets between a leader and its learners (quorumPort): QuorumPacket{int type, long zxid, buffer data,
// vector<Id> authinfo} one after another, without frames; the bodies that `data` may hold; and the decoder of
// the stream, which stops behind SNAP, because a snapshot follows inline.
// Source: coordination.md 2.3; Apache's LearnerHandler, Learner, Leader. Decoding is total; nothing is taken
// for a length whose bytes have not arrived.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "jute/data.h"
#include "jute/fields.h"
#include "jute/ids.h"
#include "jute/opcodes.h"

namespace tandem::coord::records {

enum class PacketType : std::int32_t {
  request = 1,
  proposal = 2,
  ack = 3,
  commit = 4,
  ping = 5,
  revalidate = 6,
  sync = 7,
  inform = 8,
  commit_and_activate = 9,
  new_leader = 10,
  follower_info = 11,
  up_to_date = 12,
  diff = 13,
  trunc = 14,
  snap = 15,
  observer_info = 16,
  leader_info = 17,
  ack_epoch = 18,
  inform_and_activate = 19,
};
const char* to_string(PacketType type);  // "PROPOSAL"; "UNKNOWN" for other numbers

// Views into the decoder's buffer (or into what is to be sent).
struct QuorumPacket {
  PacketType type = PacketType::ping;
  jute::Zxid zxid;
  jute::BufferView data;
  std::optional<std::string_view> authinfo;  // the Ids as on the wire, without the count; nullopt = null
  std::int32_t authinfo_count = 0;

  bool operator==(const QuorumPacket&) const = default;
};

void put_packet(std::string& out, const QuorumPacket& packet);
void put_packet(std::string& out, PacketType type, jute::Zxid zxid, jute::BufferView data = std::nullopt);

// `packet` with its ids decoded; damaged ones are corrupt.
base::Result<std::vector<jute::Id>> decode_authinfo(const QuorumPacket& packet);

// One line for people: transcripts, logs. Data is shown by length, or decoded where it is small.
std::string printed(const QuorumPacket& packet);

// ---- bodies ---------------------------------------------------------------------------------------------

inline constexpr std::int32_t kProtocolVersion = 0x10000;

// FOLLOWERINFO, OBSERVERINFO. Old servers send fewer fields; what follows the last one is ignored.
struct LearnerInfo {
  std::int64_t server_id = 0;
  std::int32_t protocol_version = 1;
  std::int64_t config_version = 0;
};
inline constexpr std::size_t kLearnerInfoBytes = 20;
std::string encode_learner_info(const LearnerInfo& info);
base::Result<LearnerInfo> decode_learner_info(std::string_view data);  // at least 8 bytes

// LEADERINFO carries the version, ACKEPOCH the current epoch (-1: this is no acknowledgement).
std::string encode_i32(std::int32_t value);
base::Result<std::int32_t> decode_i32(jute::BufferView data);

// Between Tandem servers, behind LearnerInfo and behind the number in LEADERINFO and ACKEPOCH. Apache's
// readers take what they know from the front and ignore the rest.
struct Extension {
  std::int32_t silence_ms = 0;  // after which the other is given up; 0: no heartbeats
  // Of LEADERINFO: ACKEPOCH, which names no leader and no connection, has to give it back. Of LearnerInfo:
  // any but 0 says that this learner does. 0: none.
  std::int64_t challenge = 0;
  bool operator==(const Extension&) const = default;
};
void put_extension(std::string& data, const Extension& extension);
// Of `data` behind its first `known` bytes; zeros: there is none.
Extension decode_extension(jute::BufferView data, std::size_t known);
inline constexpr std::size_t kEpochBytes = 4;  // the number in LEADERINFO and ACKEPOCH

// REQUEST: what a client of a learner asked for; the ids are the packet's authinfo.
struct ForwardedRequest {
  jute::SessionId session;
  std::int32_t cxid = 0;
  jute::OpCode type = jute::OpCode::error;
  std::string_view body;  // without RequestHeader
};
void put_request(std::string& out, const ForwardedRequest& request, const std::vector<jute::Id>& ids);
base::Result<ForwardedRequest> decode_request(jute::BufferView data);

// PING from a learner: the sessions heard of since the last one.
struct Touch {
  jute::SessionId session;
  std::int32_t timeout_ms = 0;
  bool operator==(const Touch&) const = default;
};
void put_ping(std::string& out, jute::Zxid zxid, const std::vector<Touch>& touches);
base::Result<std::vector<Touch>> decode_touches(jute::BufferView data);

// REVALIDATE: asked with the timeout, answered with whether the session lives.
void put_revalidate(std::string& out, const Touch& session);
base::Result<Touch> decode_revalidate(jute::BufferView data);
void put_revalidated(std::string& out, jute::SessionId session, bool valid);
base::Result<std::pair<jute::SessionId, bool>> decode_revalidated(jute::BufferView data);

// ---- the stream -----------------------------------------------------------------------------------------

// Owned by one connection. Feed what arrives, then call next() until it gives nothing.
class QuorumPacketDecoder {
 public:
  // `data_max`: jute.maxbuffer and its extra size; `first_max`: of the first packet.
  explicit QuorumPacketDecoder(std::size_t data_max) : QuorumPacketDecoder(data_max, data_max) {}
  QuorumPacketDecoder(std::size_t data_max, std::size_t first_max)
      : data_max_(first_max), later_max_(data_max) {}

  void feed(std::string_view bytes);

  // The next whole packet, valid until the next call of feed or next. Nothing: more bytes are needed, or the
  // last packet was SNAP and end_snapshot() has not been called. An error is final.
  base::Result<std::optional<QuorumPacket>> next();

  // Behind a SNAP: what has arrived and is not consumed is the snapshot's, up to and with its signature.
  bool in_snapshot() const { return in_snapshot_; }
  std::string_view raw() const { return std::string_view(buffer_).substr(at_); }
  void consume_raw(std::size_t count);
  void end_snapshot();

  std::size_t buffered() const { return buffer_.size() - at_; }

 private:
  base::Result<std::size_t> parse(std::string_view bytes, QuorumPacket& packet) const;

  std::size_t data_max_;
  std::size_t later_max_;
  std::string buffer_;
  std::size_t at_ = 0;
  bool in_snapshot_ = false;
  std::optional<base::Error> error_;
};

}  // namespace tandem::coord::records
