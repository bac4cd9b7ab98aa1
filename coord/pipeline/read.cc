#include "coord/pipeline/read.h"

#include <algorithm>

#include "bytes/writer.h"
#include "coord/pipeline/events.h"
#include "coord/pipeline/limits.h"
#include "coord/pipeline/prepare.h"
#include "coord/pipeline/wire.h"
#include "jute/codec.h"
#include "jute/requests.h"

namespace tandem::coord::pipeline {

using jute::BufferView;
using jute::ErrorCode;
using jute::OpCode;

void Reader::answer(const Link& link, const RequestView& request, std::string& out) {
  const bool has_events = request.type == OpCode::set_watches || request.type == OpCode::set_watches2;
  if (has_events) {
    bytes::Reader body(request.body);
    const ErrorCode err = set_watches(link, body, request.type == OpCode::set_watches2, out);
    ReplyFrame(out, request.xid, tree_.last_zxid()).end(err);
    return;
  }
  ReplyFrame frame(out, request.xid, tree_.last_zxid());
  if (request.type == OpCode::multi_read) return multi_read(link, bytes::Reader(request.body), frame, out);
  frame.end(answer_body(link, request, out));
}

ErrorCode Reader::answer_body(const Link& link, const RequestView& request, std::string& out) {
  bytes::Reader body(request.body);
  switch (request.type) {
    case OpCode::ping:
      return ErrorCode::ok;
    case OpCode::get_data:
      return get_data(link, body, true, out);
    case OpCode::exists:
      return exists(link, body, out);
    case OpCode::get_children:
      return get_children(link, body, true, false, out);
    case OpCode::get_children2:
      return get_children(link, body, true, true, out);
    case OpCode::get_acl:
      return get_acl(link, body, out);
    case OpCode::sync: {
      const BufferView path = take_buffer(body);
      if (!body.ok()) return ErrorCode::marshalling_error;
      put_buffer(out, path);
      return ErrorCode::ok;
    }
    case OpCode::add_watch:
      return add_watch(link, body, out);
    case OpCode::check_watches:
      return watches_of(link, body, false);
    case OpCode::remove_watches:
      return watches_of(link, body, true);
    case OpCode::get_ephemerals:
      return get_ephemerals(link, body, out);
    case OpCode::get_all_children_number:
      return get_all_children_number(link, body, out);
    case OpCode::who_am_i:
      return who_am_i(link, out);
    default:
      UNREACHABLE("operation {} is no read", static_cast<int>(request.type));
  }
}

bool Reader::permitted(const Link& link, tree::NodeId node, std::int32_t perms) const {
  const tree::AclId acl = tree_.acl(node);
  return acl == tree::kOpenAcl || authorizer_.permits(tree_.acls().list(acl), perms, link.ids);
}

// A missing path is Java's null pointer: MARSHALLINGERROR, here and below.
ErrorCode Reader::get_data(const Link& link, bytes::Reader& body, bool with_watch, std::string& out) {
  const BufferView path = take_buffer(body);
  const bool watch = body.boolean();
  if (!body.ok() || !path) return ErrorCode::marshalling_error;
  const tree::NodeId node = tree_.find(*path);
  if (node == tree::kNoNode) return ErrorCode::no_node;
  if (!permitted(link, node, jute::perm::kRead)) return ErrorCode::no_auth;
  if (watch && with_watch) watches_.add(*path, link.slot, tree::watch::kData);
  put_buffer(out, tree_.data(node));
  put_stat(out, tree_.stat(node));
  return ErrorCode::ok;
}

ErrorCode Reader::exists(const Link& link, bytes::Reader& body, std::string& out) {
  const BufferView path = take_buffer(body);
  const bool watch = body.boolean();
  if (!body.ok() || !path) return ErrorCode::marshalling_error;
  if (path->find('\0') != std::string_view::npos) return ErrorCode::bad_arguments;
  const tree::NodeId node = tree_.find(*path);
  if (node != tree::kNoNode && !permitted(link, node, jute::perm::kRead)) return ErrorCode::no_auth;
  if (watch) watches_.add(*path, link.slot, tree::watch::kData);
  if (node == tree::kNoNode) return ErrorCode::no_node;
  put_stat(out, tree_.stat(node));
  return ErrorCode::ok;
}

ErrorCode Reader::get_children(const Link& link, bytes::Reader& body, bool with_watch, bool with_stat,
                               std::string& out) {
  const BufferView path = take_buffer(body);
  const bool watch = body.boolean();
  if (!body.ok() || !path) return ErrorCode::marshalling_error;
  const tree::NodeId node = tree_.find(*path);
  if (node == tree::kNoNode) return ErrorCode::no_node;
  if (!permitted(link, node, jute::perm::kRead)) return ErrorCode::no_auth;
  if (watch && with_watch) watches_.add(*path, link.slot, tree::watch::kChild);
  bytes::Writer(out).i32(static_cast<std::int32_t>(tree_.child_count(node)));
  tree_.for_each_child(node, [&out](std::string_view name) { put_string(out, name); });
  if (with_stat) put_stat(out, tree_.stat(node));
  return ErrorCode::ok;
}

ErrorCode Reader::get_acl(const Link& link, bytes::Reader& body, std::string& out) {
  const BufferView path = take_buffer(body);
  if (!body.ok() || !path) return ErrorCode::marshalling_error;
  const tree::NodeId node = tree_.find(*path);
  if (node == tree::kNoNode) return ErrorCode::no_node;
  if (!permitted(link, node, jute::perm::kRead | jute::perm::kAdmin)) return ErrorCode::no_auth;
  jute::GetACLResponse response;
  response.acl = tree_.acls().list(tree_.acl(node));
  response.stat = tree_.stat(node);
  if (!permitted(link, node, jute::perm::kAdmin)) {
    for (jute::ACL& acl : response.acl) {  // the hash is for those who may change it
      const std::size_t colon = acl.id.id.find(':');
      if (acl.id.scheme == "digest" && colon != std::string::npos)
        acl.id.id.replace(colon, std::string::npos, ":x");
    }
  }
  jute::encode(out, response);
  return ErrorCode::ok;
}

ErrorCode Reader::get_all_children_number(const Link& link, bytes::Reader& body, std::string& out) {
  const BufferView path = take_buffer(body);
  if (!body.ok() || !path) return ErrorCode::marshalling_error;
  const tree::NodeId node = tree_.find(*path);
  if (node == tree::kNoNode) return ErrorCode::no_node;
  if (!permitted(link, node, jute::perm::kRead)) return ErrorCode::no_auth;
  // Of "" Apache counts the root's other name as well.
  const std::size_t count = tree_.descendants(node) + (path->empty() ? 1 : 0);
  bytes::Writer(out).i32(static_cast<std::int32_t>(count));
  return ErrorCode::ok;
}

ErrorCode Reader::get_ephemerals(const Link& link, bytes::Reader& body, std::string& out) {
  const BufferView path = take_buffer(body);
  if (!body.ok()) return ErrorCode::marshalling_error;
  const std::string_view prefix = path.value_or(std::string_view());
  std::string_view trimmed = prefix;
  while (!trimmed.empty() && static_cast<unsigned char>(trimmed.front()) <= ' ') trimmed.remove_prefix(1);
  while (!trimmed.empty() && static_cast<unsigned char>(trimmed.back()) <= ' ') trimmed.remove_suffix(1);
  const bool all = trimmed.empty() || trimmed == "/";
  jute::GetEphemeralsResponse response;
  for (std::string& ephemeral : tree_.ephemerals(link.session)) {
    if (all || ephemeral.starts_with(prefix)) response.ephemerals.push_back(std::move(ephemeral));
  }
  jute::encode(out, response);
  return ErrorCode::ok;
}

namespace {

struct ReadHeader {
  OpCode type;
  bool done;
};

ReadHeader take_read_header(bytes::Reader& body) {
  const auto type = static_cast<OpCode>(body.i32());
  const bool done = body.boolean();
  body.i32();
  return {type, done || !body.ok()};
}

bool all_reads(bytes::Reader body) {
  for (ReadHeader header = take_read_header(body); !header.done; header = take_read_header(body)) {
    if (header.type != OpCode::get_data && header.type != OpCode::get_children) return false;
    take_buffer(body);
    body.boolean();
  }
  return body.ok();
}

}  // namespace

// Each operation has its own result. A missing path, or a write, ends it with MARSHALLINGERROR, and yet with
// the results so far; what does not parse has no body.
void Reader::multi_read(const Link& link, bytes::Reader body, ReplyFrame& frame, std::string& out) {
  const bool reads = all_reads(body);
  if (!reads && !Preparer::multi_parses(body)) return frame.end(ErrorCode::marshalling_error);
  const std::size_t reply_start = out.size();
  bytes::Writer writer(out);
  const auto put_header = [&writer](std::int32_t type, bool done, std::int32_t err) {
    writer.i32(type);
    writer.boolean(done);
    writer.i32(err);
  };
  ErrorCode whole = reads ? ErrorCode::ok : ErrorCode::marshalling_error;
  while (whole == ErrorCode::ok) {
    const ReadHeader header = take_read_header(body);
    if (header.done) break;
    const std::size_t start = out.size();
    put_header(static_cast<std::int32_t>(header.type), false, 0);
    const ErrorCode err = header.type == OpCode::get_data ? get_data(link, body, false, out)
                                                          : get_children(link, body, false, false, out);
    if (out.size() - reply_start > kMultiReadBytesMax) return frame.end(ErrorCode::marshalling_error);
    if (err == ErrorCode::ok) continue;
    out.resize(start);
    if (err == ErrorCode::marshalling_error) {
      whole = err;
    } else {
      put_header(static_cast<std::int32_t>(OpCode::error), false, static_cast<std::int32_t>(err));
      writer.i32(static_cast<std::int32_t>(err));
    }
  }
  put_header(-1, true, -1);
  frame.end_with_body(whole);
}

ErrorCode Reader::add_watch(const Link& link, bytes::Reader& body, std::string& out) {
  const BufferView path = take_buffer(body);
  const std::int32_t mode = body.i32();
  if (!body.ok() || mode < 0 || mode > 1) return ErrorCode::marshalling_error;
  if (path) watches_.add(*path, link.slot, mode == 0 ? tree::watch::kPersistent : tree::watch::kRecursive);
  bytes::Writer(out).i32(0);
  return ErrorCode::ok;
}

ErrorCode Reader::watches_of(const Link& link, bytes::Reader& body, bool remove) {
  const BufferView path = take_buffer(body);
  const std::int32_t type = body.i32();
  if (!body.ok() || type < 1 || type > 5) return ErrorCode::marshalling_error;
  if (!path) return ErrorCode::no_watcher;
  const auto watcher_type = static_cast<jute::WatcherType>(type);
  const bool found = remove ? watches_.remove(*path, link.slot, watcher_type)
                            : watches_.contains(*path, link.slot, watcher_type);
  return found ? ErrorCode::ok : ErrorCode::no_watcher;
}

// What happened since the client last looked is told now; the rest is watched again.
ErrorCode Reader::set_watches(const Link& link, bytes::Reader& body, bool second, std::string& out) {
  jute::SetWatches2 request;
  if (second) {
    jute::decode(body, request);
  } else {
    jute::SetWatches old;
    jute::decode(body, old);
    request.relative_zxid = old.relative_zxid;
    request.data_watches = std::move(old.data_watches);
    request.exist_watches = std::move(old.exist_watches);
    request.child_watches = std::move(old.child_watches);
  }
  if (!body.ok()) return ErrorCode::marshalling_error;
  const auto settle = [&](const std::string& path, bool happened, jute::EventType type, std::uint8_t mode) {
    if (happened) {
      put_event(out, type, path, jute::Zxid(-1));
    } else {
      watches_.add(path, link.slot, mode);
    }
  };
  using jute::EventType;
  for (const std::string& path : request.data_watches) {
    const tree::NodeId node = tree_.find(path);
    const bool gone = node == tree::kNoNode;
    settle(path, gone || tree_.persisted_stat(node).mzxid > request.relative_zxid,
           gone ? EventType::node_deleted : EventType::node_data_changed, tree::watch::kData);
  }
  for (const std::string& path : request.exist_watches)
    settle(path, tree_.find(path) != tree::kNoNode, EventType::node_created, tree::watch::kData);
  for (const std::string& path : request.child_watches) {
    const tree::NodeId node = tree_.find(path);
    const bool gone = node == tree::kNoNode;
    settle(path, gone || tree_.persisted_stat(node).pzxid > request.relative_zxid,
           gone ? EventType::node_deleted : EventType::node_children_changed, tree::watch::kChild);
  }
  for (const std::string& path : request.persistent_watches)
    watches_.add(path, link.slot, tree::watch::kPersistent);
  for (const std::string& path : request.persistent_recursive_watches)
    watches_.add(path, link.slot, tree::watch::kRecursive);
  return ErrorCode::ok;
}

ErrorCode Reader::who_am_i(const Link& link, std::string& out) {
  jute::WhoAmIResponse response;
  for (const jute::Id& id : link.ids) response.client_info.push_back({id.scheme, authorizer_.user_of(id)});
  jute::encode(out, response);
  return ErrorCode::ok;
}

}  // namespace tandem::coord::pipeline
