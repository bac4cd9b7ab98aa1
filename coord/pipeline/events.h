// The frame that tells a client what happened to a node it watches.
// Format: ReplyHeader{xid -1, zxid, 0} + WatcherEvent{type, state 3, path}; zxid is the transaction's (since
// 3.9), -1 for what setWatches finds out.
#pragma once

#include <string>
#include <string_view>

#include "coord/pipeline/wire.h"
#include "jute/proto.h"

namespace tandem::coord::pipeline {

inline void put_event(std::string& out, jute::EventType type, std::string_view path, jute::Zxid zxid) {
  ReplyFrame frame(out, jute::xid::kNotification, zxid);
  bytes::Writer writer(out);
  writer.i32(static_cast<std::int32_t>(type));
  writer.i32(static_cast<std::int32_t>(jute::KeeperState::sync_connected));
  put_string(out, path);
  frame.end(jute::ErrorCode::ok);
}

}  // namespace tandem::coord::pipeline
