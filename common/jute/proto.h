// Frames of the client protocol that are not one operation's: headers, connect handshake, events, auth,
// multi. Source: module org.apache.zookeeper.proto of zookeeper.jute; the operations' records are in
// requests.h.
#pragma once

#include <cstdint>
#include <string>

#include "jute/data.h"
#include "jute/errors.h"
#include "jute/fields.h"
#include "jute/ids.h"
#include "jute/opcodes.h"
#include "jute/requests.h"

namespace tandem::jute {

namespace xid {
inline constexpr std::int32_t kNotification = -1;
inline constexpr std::int32_t kPing = -2;
inline constexpr std::int32_t kAuth = -4;
inline constexpr std::int32_t kSetWatches = -8;
}  // namespace xid

inline constexpr std::size_t kPasswordBytes = 16;
inline constexpr std::int32_t kMaxBufferDefault = 0xfffff;  // jute.maxbuffer: longest frame, length excluded

enum class EventType : std::int32_t {
  none = -1,
  node_created = 1,
  node_deleted = 2,
  node_data_changed = 3,
  node_children_changed = 4,
  data_watch_removed = 5,  // from here on made by clients, never on the wire
  child_watch_removed = 6,
  persistent_watch_removed = 7,
};

// On the wire it is always sync_connected; clients make the others.
enum class KeeperState : std::int32_t {
  unknown = -1,
  disconnected = 0,
  no_sync_connected = 1,
  sync_connected = 3,
  auth_failed = 4,
  connected_read_only = 5,
  sasl_authenticated = 6,
  closed = 7,
  expired = -112,
};

const char* to_string(EventType type);     // as Java prints them: "NodeDataChanged"
const char* to_string(KeeperState state);  // "SyncConnected"

// Opens every request frame.
struct RequestHeader {
  std::int32_t xid = 0;
  OpCode type = OpCode::notification;

  void describe(Fields& f) {
    f("xid", xid);
    f("type", type);
  }
  bool operator==(const RequestHeader&) const = default;
};

// Opens every reply frame; a body follows only when err is ok (a multi carries its errors inside).
struct ReplyHeader {
  std::int32_t xid = 0;
  Zxid zxid;
  ErrorCode err = ErrorCode::ok;

  void describe(Fields& f) {
    f("xid", xid);
    f("zxid", zxid);
    f("err", err);
  }
  bool operator==(const ReplyHeader&) const = default;
};

// The first frame of a connection. Old clients leave the last field out, and then want it left out of the
// answer.
struct ConnectRequest {
  std::int32_t protocol_version = 0;
  Zxid last_zxid_seen;
  std::int32_t timeout_ms = 0;
  SessionId session_id;
  Buffer passwd;
  bool read_only = false;
  bool has_read_only = true;  // on the wire

  void describe(Fields& f) {
    f("protocolVersion", protocol_version);
    f("lastZxidSeen", last_zxid_seen);
    f("timeOut", timeout_ms);
    f("sessionId", session_id);
    f("passwd", passwd);
    f.optional_tail(has_read_only);
    if (has_read_only) f("readOnly", read_only);
  }
  bool operator==(const ConnectRequest&) const = default;
};

// timeout_ms <= 0: the session is refused or gone.
struct ConnectResponse {
  std::int32_t protocol_version = 0;
  std::int32_t timeout_ms = 0;
  SessionId session_id;
  Buffer passwd;
  bool read_only = false;
  bool has_read_only = true;

  void describe(Fields& f) {
    f("protocolVersion", protocol_version);
    f("timeOut", timeout_ms);
    f("sessionId", session_id);
    f("passwd", passwd);
    f.optional_tail(has_read_only);
    if (has_read_only) f("readOnly", read_only);
  }
  bool operator==(const ConnectResponse&) const = default;
};

// Behind a ReplyHeader with xid -1.
struct WatcherEvent {
  EventType type = EventType::none;
  KeeperState state = KeeperState::sync_connected;
  std::string path;

  void describe(Fields& f) {
    f("type", type);
    f("state", state);
    f("path", path);
  }
  bool operator==(const WatcherEvent&) const = default;
};

struct AuthPacket {
  std::int32_t type = 0;
  std::string scheme;
  Buffer auth;

  void describe(Fields& f) {
    f("type", type);
    f("scheme", scheme);
    f("auth", auth);
  }
  bool operator==(const AuthPacket&) const = default;
};

struct GetSASLRequest {
  Buffer token;

  void describe(Fields& f) { f("token", token); }
  bool operator==(const GetSASLRequest&) const = default;
};

struct SetSASLResponse {
  Buffer token;

  void describe(Fields& f) { f("token", token); }
  bool operator==(const SetSASLResponse&) const = default;
};

// Before each part of a multi; {-1, true, -1} ends it, which is the default but for `done`.
struct MultiHeader {
  OpCode type = OpCode::error;
  bool done = false;
  ErrorCode err = ErrorCode{-1};

  void describe(Fields& f) {
    f("type", type);
    f("done", done);
    f("err", err);
  }
  bool operator==(const MultiHeader&) const = default;
};

struct ErrorResponse {
  ErrorCode err = ErrorCode::ok;

  void describe(Fields& f) { f("err", err); }
  bool operator==(const ErrorResponse&) const = default;
};

}  // namespace tandem::jute
