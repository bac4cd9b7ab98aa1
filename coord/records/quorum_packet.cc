#include "coord/records/quorum_packet.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "bytes/reader.h"
#include "bytes/writer.h"
#include "jute/codec.h"

namespace tandem::coord::records {

using base::Errc;
using base::Result;
using jute::Zxid;

namespace {

constexpr std::int32_t kNull = -1;
// A connection authenticates as a handful of ids; each is scanned again while a packet is incomplete.
constexpr std::int32_t kIdsMax = 1024;
constexpr std::size_t kPacketHead = 4 + 8 + 4;  // type, zxid, length of data
constexpr std::size_t kTouchSize = 8 + 4;
constexpr std::int32_t kExtensionMark = 0x544e444d;  // "TNDM"
constexpr std::size_t kRequestHead = 8 + 4 + 4;
// What is left of a consumed buffer is moved to its front from this size on.
constexpr std::size_t kCompactBytes = 64U << 10;

void put_data(bytes::Writer& writer, jute::BufferView data) {
  if (!data) {
    writer.i32(kNull);
    return;
  }
  writer.i32(static_cast<std::int32_t>(data->size()));
  writer.bytes(*data);
}

base::Error short_body(const char* what, std::size_t size) {
  return base::make_error(Errc::corrupt, "{} does not fit in {} bytes", what, size);
}

}  // namespace

const char* to_string(PacketType type) {
  switch (type) {
    case PacketType::request:
      return "REQUEST";
    case PacketType::proposal:
      return "PROPOSAL";
    case PacketType::ack:
      return "ACK";
    case PacketType::commit:
      return "COMMIT";
    case PacketType::ping:
      return "PING";
    case PacketType::revalidate:
      return "REVALIDATE";
    case PacketType::sync:
      return "SYNC";
    case PacketType::inform:
      return "INFORM";
    case PacketType::commit_and_activate:
      return "COMMITANDACTIVATE";
    case PacketType::new_leader:
      return "NEWLEADER";
    case PacketType::follower_info:
      return "FOLLOWERINFO";
    case PacketType::up_to_date:
      return "UPTODATE";
    case PacketType::diff:
      return "DIFF";
    case PacketType::trunc:
      return "TRUNC";
    case PacketType::snap:
      return "SNAP";
    case PacketType::observer_info:
      return "OBSERVERINFO";
    case PacketType::leader_info:
      return "LEADERINFO";
    case PacketType::ack_epoch:
      return "ACKEPOCH";
    case PacketType::inform_and_activate:
      return "INFORMANDACTIVATE";
  }
  return "UNKNOWN";  // any int may come from the wire
}

void put_packet(std::string& out, const QuorumPacket& packet) {
  bytes::Writer writer(out);
  writer.i32(static_cast<std::int32_t>(packet.type));
  writer.i64(packet.zxid.value);
  put_data(writer, packet.data);
  if (!packet.authinfo) {
    writer.i32(kNull);
    return;
  }
  writer.i32(packet.authinfo_count);
  writer.bytes(*packet.authinfo);
}

void put_packet(std::string& out, PacketType type, Zxid zxid, jute::BufferView data) {
  put_packet(out, QuorumPacket{type, zxid, data, std::nullopt, 0});
}

Result<std::vector<jute::Id>> decode_authinfo(const QuorumPacket& packet) {
  std::vector<jute::Id> ids;
  bytes::Reader reader(packet.authinfo.value_or(std::string_view()));
  for (std::int32_t i = 0; i < packet.authinfo_count; ++i) {
    jute::decode(reader, ids.emplace_back());
    if (!reader.ok()) return short_body("authinfo", packet.authinfo->size());
  }
  return ids;
}

std::string printed(const QuorumPacket& packet) {
  std::string out = fmt::format("{} 0x{:x}", to_string(packet.type), bits(packet.zxid));
  if (packet.type == PacketType::request) {
    if (const auto request = decode_request(packet.data); request)
      out += fmt::format(" session=0x{:x} cxid={} {}", bits(request->session), request->cxid,
                         jute::to_string(request->type));
  } else if (packet.type == PacketType::ack_epoch || packet.type == PacketType::leader_info) {
    if (const auto value = decode_i32(packet.data); value) out += fmt::format(" {}", *value);
  } else if (packet.data) {
    out += fmt::format(" ({} bytes)", packet.data->size());
  }
  return out;
}

std::string encode_learner_info(const LearnerInfo& info) {
  std::string out;
  bytes::Writer writer(out);
  writer.i64(info.server_id);
  writer.i32(info.protocol_version);
  writer.i64(info.config_version);
  return out;
}

Result<LearnerInfo> decode_learner_info(std::string_view data) {
  bytes::Reader reader(data);
  LearnerInfo info;
  info.server_id = reader.i64();
  if (!reader.ok()) return short_body("LearnerInfo", data.size());
  if (reader.remaining() >= 4) info.protocol_version = reader.i32();
  if (reader.remaining() >= 8) info.config_version = reader.i64();
  return info;
}

std::string encode_i32(std::int32_t value) {
  std::string out;
  bytes::Writer(out).i32(value);
  return out;
}

Result<std::int32_t> decode_i32(jute::BufferView data) {
  bytes::Reader reader(data.value_or(std::string_view()));
  const std::int32_t value = reader.i32();
  if (!reader.ok()) return short_body("number", data ? data->size() : 0);
  return value;
}

void put_extension(std::string& data, const Extension& extension) {
  bytes::Writer writer(data);
  writer.i32(kExtensionMark);
  writer.i32(extension.silence_ms);
  writer.i64(extension.challenge);
}

Extension decode_extension(jute::BufferView data, std::size_t known) {
  if (!data || data->size() < known) return {};
  bytes::Reader reader(data->substr(known));
  const bool marked = reader.i32() == kExtensionMark;
  Extension extension;
  extension.silence_ms = std::max(reader.i32(), 0);
  extension.challenge = reader.i64();
  return reader.ok() && marked ? extension : Extension{};
}

void put_request(std::string& out, const ForwardedRequest& request, const std::vector<jute::Id>& ids) {
  bytes::Writer writer(out);
  writer.i32(static_cast<std::int32_t>(PacketType::request));
  writer.i64(-1);
  writer.i32(static_cast<std::int32_t>(kRequestHead + request.body.size()));
  writer.i64(request.session.value);
  writer.i32(request.cxid);
  writer.i32(static_cast<std::int32_t>(request.type));
  writer.bytes(request.body);
  writer.i32(static_cast<std::int32_t>(ids.size()));
  for (const jute::Id& id : ids) jute::encode(out, id);
}

Result<ForwardedRequest> decode_request(jute::BufferView data) {
  bytes::Reader reader(data.value_or(std::string_view()));
  ForwardedRequest request;
  request.session = jute::SessionId(reader.i64());
  request.cxid = reader.i32();
  request.type = static_cast<jute::OpCode>(reader.i32());
  if (!reader.ok()) return short_body("REQUEST", data ? data->size() : 0);
  request.body = reader.rest();
  return request;
}

void put_ping(std::string& out, Zxid zxid, const std::vector<Touch>& touches) {
  bytes::Writer writer(out);
  writer.i32(static_cast<std::int32_t>(PacketType::ping));
  writer.i64(zxid.value);
  writer.i32(static_cast<std::int32_t>(touches.size() * kTouchSize));
  for (const Touch& touch : touches) {
    writer.i64(touch.session.value);
    writer.i32(touch.timeout_ms);
  }
  writer.i32(kNull);
}

Result<std::vector<Touch>> decode_touches(jute::BufferView data) {
  const std::string_view bytes = data.value_or(std::string_view());
  if (bytes.size() % kTouchSize != 0) return short_body("table of touched sessions", bytes.size());
  bytes::Reader reader(bytes);
  std::vector<Touch> touches(bytes.size() / kTouchSize);
  for (Touch& touch : touches) {
    touch.session = jute::SessionId(reader.i64());
    touch.timeout_ms = reader.i32();
  }
  return touches;
}

void put_revalidate(std::string& out, const Touch& session) {
  std::string data;
  bytes::Writer writer(data);
  writer.i64(session.session.value);
  writer.i32(session.timeout_ms);
  put_packet(out, PacketType::revalidate, Zxid(-1), data);
}

Result<Touch> decode_revalidate(jute::BufferView data) {
  bytes::Reader reader(data.value_or(std::string_view()));
  Touch session;
  session.session = jute::SessionId(reader.i64());
  session.timeout_ms = reader.i32();
  if (!reader.ok()) return short_body("REVALIDATE", data ? data->size() : 0);
  return session;
}

void put_revalidated(std::string& out, jute::SessionId session, bool valid) {
  std::string data;
  bytes::Writer writer(data);
  writer.i64(session.value);
  writer.boolean(valid);
  put_packet(out, PacketType::revalidate, Zxid(-1), data);
}

Result<std::pair<jute::SessionId, bool>> decode_revalidated(jute::BufferView data) {
  bytes::Reader reader(data.value_or(std::string_view()));
  const jute::SessionId session(reader.i64());
  const bool valid = reader.boolean();
  if (!reader.ok()) return short_body("REVALIDATE", data ? data->size() : 0);
  return std::pair(session, valid);
}

void QuorumPacketDecoder::feed(std::string_view bytes) {
  if (at_ == buffer_.size()) {
    buffer_.clear();
    at_ = 0;
  } else if (at_ >= kCompactBytes) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  buffer_.append(bytes);
}

void QuorumPacketDecoder::consume_raw(std::size_t count) {
  ENSURE(in_snapshot_ && count <= buffered());
  at_ += count;
}

void QuorumPacketDecoder::end_snapshot() {
  ENSURE(in_snapshot_);
  in_snapshot_ = false;
}

// The size of the packet at the start of `bytes`; 0 while it is not whole.
Result<std::size_t> QuorumPacketDecoder::parse(std::string_view bytes, QuorumPacket& packet) const {
  if (bytes.size() < kPacketHead) return std::size_t{0};
  bytes::Reader reader(bytes);
  packet.type = static_cast<PacketType>(reader.i32());
  packet.zxid = Zxid(reader.i64());
  const std::int32_t length = reader.i32();
  if (length < kNull || (length > 0 && static_cast<std::size_t>(length) > data_max_))
    return base::make_error(Errc::limit_exceeded, "quorum packet of type {} claims {} bytes of data",
                            static_cast<std::int32_t>(packet.type), length);
  if (length != kNull) packet.data = reader.bytes(static_cast<std::size_t>(length));
  const std::int32_t ids = reader.i32();
  if (!reader.ok()) return std::size_t{0};
  if (ids < kNull || ids > kIdsMax)
    return base::make_error(Errc::limit_exceeded, "quorum packet of type {} claims {} ids",
                            static_cast<std::int32_t>(packet.type), ids);
  if (ids == kNull) return reader.position();
  packet.authinfo_count = ids;
  const std::size_t start = reader.position();
  for (std::int32_t i = 0; i < 2 * ids; ++i) {  // scheme and id of each
    const std::int32_t size = reader.i32();
    if (reader.ok() && (size < kNull || (size > 0 && static_cast<std::size_t>(size) > data_max_)))
      return base::make_error(Errc::limit_exceeded, "quorum packet of type {} claims an id of {} bytes",
                              static_cast<std::int32_t>(packet.type), size);
    if (size > 0) reader.skip(static_cast<std::size_t>(size));
  }
  if (!reader.ok()) return std::size_t{0};
  packet.authinfo = bytes.substr(start, reader.position() - start);
  return reader.position();
}

Result<std::optional<QuorumPacket>> QuorumPacketDecoder::next() {
  if (error_) return *error_;
  if (in_snapshot_) return std::optional<QuorumPacket>();
  QuorumPacket packet;
  const auto size = parse(raw(), packet);
  if (!size) {
    error_ = size.error();
    return *error_;
  }
  if (*size == 0) return std::optional<QuorumPacket>();
  at_ += *size;
  data_max_ = later_max_;
  in_snapshot_ = packet.type == PacketType::snap;
  return std::optional<QuorumPacket>(packet);
}

}  // namespace tandem::coord::records
