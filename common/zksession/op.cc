#include "zksession/op.h"

#include <utility>

#include "jute/codec.h"
#include "jute/proto.h"

namespace tandem::zksession {

Op Op::create(std::string path, jute::Buffer data, jute::CreateMode mode, std::vector<jute::ACL> acl,
              std::int64_t ttl_ms) {
  Op op{OpCode::create, std::move(path), std::move(data), std::move(acl)};
  op.mode = mode;
  op.ttl_ms = ttl_ms;
  return op;
}

Op Op::remove(std::string path, std::int32_t version) {
  Op op{OpCode::remove, std::move(path)};
  op.version = version;
  return op;
}

Op Op::exists(std::string path, bool watch) {
  Op op{OpCode::exists, std::move(path)};
  op.watch = watch;
  return op;
}

Op Op::get_data(std::string path, bool watch) {
  Op op{OpCode::get_data, std::move(path)};
  op.watch = watch;
  return op;
}

Op Op::set_data(std::string path, jute::Buffer data, std::int32_t version) {
  Op op{OpCode::set_data, std::move(path), std::move(data)};
  op.version = version;
  return op;
}

Op Op::get_children(std::string path, bool watch) {
  Op op{OpCode::get_children2, std::move(path)};
  op.watch = watch;
  return op;
}

Op Op::get_acl(std::string path) { return Op{OpCode::get_acl, std::move(path)}; }

Op Op::set_acl(std::string path, std::vector<jute::ACL> acl, std::int32_t version) {
  Op op{OpCode::set_acl, std::move(path), std::nullopt, std::move(acl)};
  op.version = version;
  return op;
}

Op Op::check(std::string path, std::int32_t version) {
  Op op{OpCode::check, std::move(path)};
  op.version = version;
  return op;
}

Op Op::sync(std::string path) { return Op{OpCode::sync, std::move(path)}; }

Op Op::multi(std::vector<Op> ops) {
  const bool reads =
      !ops.empty() && (ops[0].code == OpCode::get_data || ops[0].code == OpCode::get_children ||
                       ops[0].code == OpCode::get_children2);
  Op op{reads ? OpCode::multi_read : OpCode::multi};
  op.ops = std::move(ops);
  return op;
}

Op Op::add_watch(std::string path, jute::AddWatchMode mode) {
  Op op{OpCode::add_watch, std::move(path)};
  op.watch_mode = mode;
  return op;
}

Op Op::remove_watches(std::string path, jute::WatcherType type, bool local) {
  Op op{OpCode::remove_watches, std::move(path)};
  op.watcher_type = type;
  op.local = local;
  return op;
}

Op Op::get_ephemerals(std::string prefix) { return Op{OpCode::get_ephemerals, std::move(prefix)}; }

Op Op::get_all_children_number(std::string path) {
  return Op{OpCode::get_all_children_number, std::move(path)};
}

Op Op::who_am_i() { return Op{OpCode::who_am_i}; }

std::string Chroot::to_server(std::string_view path) const {
  if (prefix_.empty()) return std::string(path);
  if (path == "/") return prefix_;
  return prefix_ + std::string(path);
}

std::string Chroot::to_client(std::string_view path) const {
  if (prefix_.empty() || !path.starts_with(prefix_)) return std::string(path);
  const std::string_view rest = path.substr(prefix_.size());
  return rest.empty() ? "/" : std::string(rest);
}

OpCode wire_code(const Op& op) {
  if (op.code == OpCode::create) {
    switch (op.mode) {
      case jute::CreateMode::container:
        return OpCode::create_container;
      case jute::CreateMode::persistent_with_ttl:
      case jute::CreateMode::persistent_sequential_with_ttl:
        return OpCode::create_ttl;
      case jute::CreateMode::persistent:
      case jute::CreateMode::ephemeral:
      case jute::CreateMode::persistent_sequential:
      case jute::CreateMode::ephemeral_sequential:
        return OpCode::create2;
    }
  }
  return op.code;
}

namespace {

void encode_create(const Op& op, std::string path, std::string& out) {
  const auto flags = static_cast<std::int32_t>(op.mode);
  if (wire_code(op) == OpCode::create_ttl) {
    jute::encode(out, jute::CreateTTLRequest{std::move(path), op.data, op.acl, flags, op.ttl_ms});
  } else {
    jute::encode(out, jute::CreateRequest{std::move(path), op.data, op.acl, flags});
  }
}

void encode_multi(const Op& op, const Chroot& chroot, std::string& out) {
  for (const Op& part : op.ops) {
    OpCode code = wire_code(part);
    if (code == OpCode::get_children2) code = OpCode::get_children;  // the only form a multi may hold
    jute::encode(out, jute::MultiHeader{code, false, ErrorCode{-1}});
    encode_body(part, chroot, out);
  }
  jute::encode(out, jute::MultiHeader{OpCode::error, true, ErrorCode{-1}});
}

// Operations whose body is a path and little else; false when `op` is none of them.
bool encode_watch_op(const Op& op, const std::string& path, std::string& out) {
  switch (op.code) {
    case OpCode::add_watch:
      jute::encode(out, jute::AddWatchRequest{path, op.watch_mode});
      return true;
    case OpCode::check_watches:
    case OpCode::remove_watches:
      jute::encode(out, jute::RemoveWatchesRequest{path, op.watcher_type});
      return true;
    case OpCode::get_acl:
    case OpCode::sync:
    case OpCode::get_all_children_number:
    case OpCode::get_ephemerals:
      jute::encode(out, jute::SyncRequest{path});
      return true;
    default:
      return false;
  }
}

}  // namespace

void encode_body(const Op& op, const Chroot& chroot, std::string& out) {
  const std::string path = op.absolute ? op.path : chroot.to_server(op.path);
  if (encode_watch_op(op, path, out)) return;
  switch (op.code) {
    case OpCode::create:
      encode_create(op, path, out);
      return;
    case OpCode::remove:
    case OpCode::check:
      jute::encode(out, jute::DeleteRequest{path, op.version});
      return;
    case OpCode::exists:
    case OpCode::get_data:
    case OpCode::get_children:
    case OpCode::get_children2:
      jute::encode(out, jute::PathWatchRequest{path, op.watch});
      return;
    case OpCode::set_data:
      jute::encode(out, jute::SetDataRequest{path, op.data, op.version});
      return;
    case OpCode::set_acl:
      jute::encode(out, jute::SetACLRequest{path, op.acl, op.version});
      return;
    case OpCode::multi:
    case OpCode::multi_read:
      encode_multi(op, chroot, out);
      return;
    case OpCode::reconfig:
      jute::encode(out, op.reconfig);
      return;
    case OpCode::who_am_i:
    case OpCode::close_session:
      return;
    default:
      UNREACHABLE("{} is not an operation of a client", to_string(op.code));
  }
}

namespace {

template <class Response>
Response take(bytes::Reader& reader) {
  Response response{};
  jute::decode(reader, response);
  return response;
}

void decode_get_data(bytes::Reader& reader, OpResult& result) {
  auto response = take<jute::GetDataResponse>(reader);
  result.data = std::move(response.data);
  result.stat = response.stat;
}

void decode_create2(bytes::Reader& reader, const Chroot& chroot, OpResult& result) {
  auto response = take<jute::Create2Response>(reader);
  result.path = chroot.to_client(response.path);
  result.stat = response.stat;
}

void decode_part(bytes::Reader& reader, const Chroot& chroot, OpCode type, OpResult& result) {
  switch (type) {
    case OpCode::create:
      result.path = chroot.to_client(take<jute::CreateResponse>(reader).path);
      return;
    case OpCode::create2:
      decode_create2(reader, chroot, result);
      return;
    case OpCode::set_data:
      result.stat = take<jute::SetDataResponse>(reader).stat;
      return;
    case OpCode::get_data:
      decode_get_data(reader, result);
      return;
    case OpCode::get_children:
      result.children = take<jute::GetChildrenResponse>(reader).children;
      return;
    case OpCode::error:
      result.error = take<jute::ErrorResponse>(reader).err;
      return;
    case OpCode::remove:
    case OpCode::check:
      return;
    default:
      reader.fail();
  }
}

void decode_multi(bytes::Reader& reader, const Op& op, const Chroot& chroot, OpResult& result) {
  for (;;) {
    const auto header = take<jute::MultiHeader>(reader);
    if (!reader.ok() || header.done) break;
    if (result.results.size() == op.ops.size()) return reader.fail();
    OpResult part;
    part.path = op.ops[result.results.size()].path;
    part.zxid = result.zxid;
    decode_part(reader, chroot, header.type, part);
    result.results.push_back(std::move(part));
  }
  if (result.results.size() != op.ops.size()) return reader.fail();
  if (op.code == OpCode::multi_read) return;  // its parts fail one by one
  for (const OpResult& part : result.results) {
    if (part.ok() || part.error == ErrorCode::runtime_inconsistency) continue;
    result.error = part.error;
    result.path = part.path;
    return;
  }
}

void decode_body(bytes::Reader& reader, const Op& op, const Chroot& chroot, OpResult& result) {
  switch (op.code) {
    case OpCode::create:
      return decode_create2(reader, chroot, result);
    case OpCode::exists:
    case OpCode::set_data:
    case OpCode::set_acl:
      result.stat = take<jute::ExistsResponse>(reader).stat;
      return;
    case OpCode::get_data:
    case OpCode::reconfig:
      return decode_get_data(reader, result);
    case OpCode::get_children:
      result.children = take<jute::GetChildrenResponse>(reader).children;
      return;
    case OpCode::get_children2: {
      auto response = take<jute::GetChildren2Response>(reader);
      result.children = std::move(response.children);
      result.stat = response.stat;
      return;
    }
    case OpCode::get_acl: {
      auto response = take<jute::GetACLResponse>(reader);
      result.acl = std::move(response.acl);
      result.stat = response.stat;
      return;
    }
    case OpCode::sync:
      result.path = chroot.to_client(take<jute::SyncResponse>(reader).path);
      return;
    case OpCode::multi:
    case OpCode::multi_read:
      return decode_multi(reader, op, chroot, result);
    case OpCode::get_ephemerals:
      for (auto& path : take<jute::GetEphemeralsResponse>(reader).ephemerals)
        result.children.push_back(chroot.to_client(path));
      return;
    case OpCode::get_all_children_number:
      result.number = take<jute::GetAllChildrenNumberResponse>(reader).total_number;
      return;
    case OpCode::who_am_i:
      result.who = take<jute::WhoAmIResponse>(reader).client_info;
      return;
    default:
      return;  // header only
  }
}

}  // namespace

OpResult decode_reply(const Op& op, const Chroot& chroot, std::string_view body) {
  OpResult result;
  result.path = op.path;
  bytes::Reader reader(body);
  decode_body(reader, op, chroot, result);
  if (!reader.ok()) {
    result = OpResult{};
    result.path = op.path;
    result.error = ErrorCode::marshalling_error;
  }
  return result;
}

}  // namespace tandem::zksession
