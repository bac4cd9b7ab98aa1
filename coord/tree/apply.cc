// Transactions onto the tree: the half of DataTree that changes it. The rules are those that make replay over
// a fuzzy snapshot idempotent: NODEEXISTS and NONODE are results, stored cversion and pzxid only rise.
#include <algorithm>

#include "bytes/reader.h"
#include "coord/tree/data_tree.h"
#include "coord/tree/path.h"
#include "coord/tree/snapshot_view.h"
#include "jute/codec.h"

namespace tandem::coord::tree {

using base::Errc;
using jute::BufferView;
using jute::ErrorCode;
using jute::OpCode;

namespace {

constexpr std::size_t kHeaderSize = 8 + 4 + 8 + 8 + 4;
constexpr std::size_t kDigestSize = 4 + 8;
constexpr std::int32_t kDigestVersion = 2;

BufferView read_buffer(bytes::Reader& reader) {
  const std::int32_t size = reader.i32();
  if (size == -1) return std::nullopt;
  if (size < 0) {
    reader.fail();
    return std::nullopt;
  }
  return reader.bytes(static_cast<std::size_t>(size));
}

std::string_view read_string(bytes::Reader& reader) {
  return read_buffer(reader).value_or(std::string_view());
}

// A vector<ACL>, as its bytes.
std::string_view read_acl(bytes::Reader& reader) {
  const std::string_view from = reader.rest();
  const std::int32_t count = reader.i32();
  for (std::int32_t i = 0; i < count && reader.ok(); ++i) {
    reader.i32();
    read_buffer(reader);
    read_buffer(reader);
  }
  return reader.ok() ? from.substr(0, from.size() - reader.remaining()) : std::string_view();
}

}  // namespace

struct DataTree::Applying {
  const records::TxnHeader& header;
  ChangeListener* listener;
};

struct DataTree::CreateOp {
  std::string_view path;
  BufferView data;
  std::string_view acl;  // encoded
  std::int64_t owner = 0;
  std::int32_t parent_cversion = -1;
};

base::Status DataTree::apply(std::string_view payload, ChangeListener* listener, ApplyResult& result) {
  bytes::Reader reader(payload);
  records::TxnHeader& header = result.header;
  header.client_id = jute::SessionId(reader.i64());
  header.cxid = reader.i32();
  header.zxid = jute::Zxid(reader.i64());
  header.time = reader.i64();
  header.type = static_cast<OpCode>(reader.i32());
  if (!reader.ok())
    return base::make_error(Errc::corrupt, "transaction of {} bytes has no whole header", payload.size());
  result.op = OpResult{};
  result.multi.clear();
  result.session_timeout_ms = 0;
  result.digest_mismatch = result.digest_match = false;

  const Applying txn{header, listener};
  const std::string_view body = payload.substr(kHeaderSize);
  std::string_view rest;
  bool readable = true;
  switch (header.type) {
    case OpCode::create_session:
      result.session_timeout_ms = reader.i32();
      readable = reader.ok();
      rest = reader.rest();
      break;
    case OpCode::close_session:
      close_session(txn, body, &rest);
      break;
    case OpCode::multi:
      readable = apply_multi(txn, body, result, &rest);
      break;
    default:
      result.op.err = ErrorCode::system_error;  // stays when the body cannot be read
      apply_op(txn, header.type, body, result.op, &rest);
      readable = rest.data() != nullptr;
  }
  if (!readable)
    return base::make_error(Errc::corrupt, "transaction 0x{:x} of type {} does not fit in {} bytes",
                            header.zxid.value, static_cast<int>(header.type), payload.size());
  result.op.type = header.type;
  last_zxid_ = std::max(last_zxid_, header.zxid);
  if (options_.digest && rest.size() >= kDigestSize) {
    bytes::Reader digest(rest);
    const std::int32_t version = digest.i32();
    const auto expected = static_cast<std::uint64_t>(digest.i64());
    result.digest_mismatch = version == kDigestVersion && expected != digest_;
    result.digest_match = version == kDigestVersion && expected == digest_;
  }
  return {};
}

// `rest` gets what follows the body; left null when the body cannot be read.
void DataTree::apply_op(const Applying& txn, OpCode type, std::string_view body, OpResult& out,
                        std::string_view* rest) {
  bytes::Reader reader(body);
  out.type = type;
  switch (type) {
    case OpCode::create:
    case OpCode::create2:
    case OpCode::create_container:
    case OpCode::create_ttl: {
      CreateOp op;
      op.path = read_string(reader);
      op.data = read_buffer(reader);
      op.acl = read_acl(reader);
      if (type == OpCode::create || type == OpCode::create2) {
        op.owner = reader.boolean() ? txn.header.client_id.value : 0;
        // Logs older than 3.4 end here.
        op.parent_cversion = reader.ok() && reader.remaining() < 4 ? -1 : reader.i32();
      } else {
        op.parent_cversion = reader.i32();
        const std::int64_t ttl = type == OpCode::create_ttl ? reader.i64() : 0;
        if (type == OpCode::create_ttl && (ttl <= 0 || ttl > kTtlMsMax)) reader.fail();
        if (reader.ok()) op.owner = type == OpCode::create_ttl ? ttl_owner(ttl) : kContainerOwner;
      }
      if (!reader.ok() || op.path.empty() || op.path[0] != '/') return;
      out.path = op.path;
      out.err = create(txn, op, type == OpCode::create ? nullptr : &out.stat);
      break;
    }
    case OpCode::remove:
    case OpCode::delete_container:
      out.path = read_string(reader);
      if (!reader.ok() || out.path.empty() || out.path[0] != '/') return;
      out.err = remove(txn, out.path);
      break;
    case OpCode::set_data:
    case OpCode::reconfig: {
      out.path = read_string(reader);
      const BufferView data = read_buffer(reader);
      const std::int32_t version = reader.i32();
      if (!reader.ok()) return;
      out.err = set_data(txn, out.path, data, version, out.stat);
      break;
    }
    case OpCode::set_acl: {
      out.path = read_string(reader);
      const std::string_view acl = read_acl(reader);
      const std::int32_t version = reader.i32();
      if (!reader.ok()) return;
      out.err = set_acl(out.path, acl, version, out.stat);
      break;
    }
    case OpCode::check:
      out.path = read_string(reader);
      reader.i32();
      out.err = ErrorCode::ok;
      break;
    case OpCode::error:
      out.err = static_cast<ErrorCode>(reader.i32());
      break;
    default:
      out.err = ErrorCode::ok;  // a type that came after us: it has no effect that we know
      reader.skip(reader.remaining());
  }
  if (reader.ok()) *rest = reader.rest();
}

// All operations apply, or all are errors: then those before the failing one count as OK, those behind it as
// RUNTIMEINCONSISTENCY (old servers logged only the failing one as an error).
bool DataTree::apply_multi(const Applying& txn, std::string_view body, ApplyResult& result,
                           std::string_view* rest) {
  struct Sub {
    OpCode type;
    std::string_view data;
  };
  bytes::Reader reader(body);
  std::vector<Sub> subs;
  const std::int32_t count = reader.i32();
  bool failed = false;
  for (std::int32_t i = 0; i < count && reader.ok(); ++i) {
    const auto type = static_cast<OpCode>(reader.i32());
    subs.push_back(Sub{type, read_string(reader)});
    failed = failed || type == OpCode::error;
  }
  if (!reader.ok()) return false;
  *rest = reader.rest();

  bool behind = false;
  for (const Sub& sub : subs) {
    OpResult& out = result.multi.emplace_back();
    behind = behind || sub.type == OpCode::error;
    if (failed && sub.type != OpCode::error) {
      out.err = behind ? ErrorCode::runtime_inconsistency : ErrorCode::ok;
      continue;
    }
    std::string_view sub_rest;
    apply_op(txn, sub.type, sub.data, out, &sub_rest);
    if (sub_rest.data() == nullptr) return false;
    if (out.err != ErrorCode::ok && result.op.err == ErrorCode::ok) result.op.err = out.err;
  }
  return true;
}

ErrorCode DataTree::create(const Applying& txn, const CreateOp& op, jute::Stat* stat_out) {
  const auto [parent_path, name] = split_path(op.path);
  const NodeId parent = nodes_->find(parent_path);
  if (parent == kNoNode || name.empty() || name.size() > kNameBytesMax) return ErrorCode::no_node;
  const AclId parent_acl = nodes_->acl(parent);
  const AclId acl = acls_.intern(op.acl);

  jute::StatPersisted parent_stat = nodes_->stat(parent);
  const std::int32_t cversion =
      op.parent_cversion == -1
          ? static_cast<std::int32_t>(static_cast<std::uint32_t>(parent_stat.cversion) + 1)
          : op.parent_cversion;
  if (cversion > parent_stat.cversion) {
    parent_stat.cversion = cversion;
    parent_stat.pzxid = txn.header.zxid;
    change_stat(parent, parent_path, parent_stat);
  }
  if (const NodeId existing = nodes_->find_child(parent, name); existing != kNoNode) {
    // Replay over a fuzzy snapshot: the snapshot may name an ACL list by a number it does not have.
    acls_.drop_use(nodes_->acl(existing));
    nodes_->set_acl(existing, acl);
    return ErrorCode::node_exists;
  }
  jute::StatPersisted stat;
  stat.czxid = stat.mzxid = stat.pzxid = txn.header.zxid;
  stat.ctime = stat.mtime = txn.header.time;
  stat.ephemeral_owner = op.owner;
  const NodeId id = add_node(op.path, parent, name, op.data, acl, stat);
  if (stat_out != nullptr) *stat_out = this->stat(id);

  quota_created(parent_path, name);
  if (!quotas_.empty()) quota_changed(op.path, static_cast<std::int64_t>(op.data ? op.data->size() : 0), 1);
  if (txn.listener != nullptr)
    txn.listener->on_created({op.path, parent_path, acl, parent_acl, txn.header.zxid});
  return ErrorCode::ok;
}

ErrorCode DataTree::remove(const Applying& txn, std::string_view path) {
  const auto [parent_path, name] = split_path(path);
  const NodeId parent = nodes_->find(parent_path);
  if (parent == kNoNode) return ErrorCode::no_node;
  const NodeId id = nodes_->find_child(parent, name);
  jute::StatPersisted parent_stat = nodes_->stat(parent);
  if (txn.header.zxid > parent_stat.pzxid) {
    parent_stat.pzxid = txn.header.zxid;
    change_stat(parent, parent_path, parent_stat);
  }
  if (id == kNoNode) return ErrorCode::no_node;
  if (nodes_->child_count(id) > 0) remove_descendants(id);
  const AclId acl = nodes_->acl(id);
  const auto bytes = static_cast<std::int64_t>(nodes_->data_size(id));
  acls_.add_use(acl);
  remove_node(id, path);

  if (name == kLimitsName && parent_path.starts_with(kQuotaPath) && parent_path.size() > kQuotaPath.size())
    quotas_.remove(parent_path.substr(kQuotaPath.size()));
  if (!quotas_.empty()) quota_changed(path, -bytes, -1);
  if (txn.listener != nullptr)
    txn.listener->on_deleted({path, parent_path, acl, nodes_->acl(parent), txn.header.zxid});
  acls_.drop_use(acl);  // after the listener, who may ask who might see the node
  return ErrorCode::ok;
}

// When this transaction was made the node had no children: it is being replayed, and they come from a later
// life of the node that a fuzzy snapshot caught. The log creates them again.
void DataTree::remove_descendants(NodeId id) {
  std::vector<NodeId> found{id};
  for (std::size_t at = 0; at < found.size(); ++at) {
    for (NodeId child = nodes_->first_child(found[at]); child != kNoNode; child = nodes_->next_sibling(child))
      found.push_back(child);
  }
  for (; found.size() > 1; found.pop_back()) remove_node(found.back(), this->path(found.back()));
}

void DataTree::remove_node(NodeId id, std::string_view path) {
  const jute::StatPersisted stat = nodes_->stat(id);
  if (options_.digest) digest_ -= node_digest(path, nodes_->content_crc(id), stat);
  data_size_ -= static_cast<std::int64_t>(path.size() + nodes_->data_size(id));
  owners_.remove(id, stat.ephemeral_owner, path.size());
  for (SnapshotView* view : views_) view->on_removal(id);
  acls_.drop_use(nodes_->acl(id));
  nodes_->remove(id);
}

ErrorCode DataTree::set_data(const Applying& txn, std::string_view path, BufferView data,
                             std::int32_t version, jute::Stat& stat_out) {
  const NodeId id = nodes_->find(path);
  if (id == kNoNode) return ErrorCode::no_node;
  jute::StatPersisted stat = nodes_->stat(id);
  const std::int64_t bytes =
      static_cast<std::int64_t>(data ? data->size() : 0) - static_cast<std::int64_t>(nodes_->data_size(id));
  if (options_.digest) digest_ -= node_digest(path, nodes_->content_crc(id), stat);
  stat.mtime = txn.header.time;
  stat.mzxid = txn.header.zxid;
  stat.version = version;
  nodes_->set_stat(id, stat);
  nodes_->set_data(id, data, options_.digest ? content_crc_of(path, data) : 0);
  if (options_.digest) digest_ += node_digest(path, nodes_->content_crc(id), stat);
  data_size_ += bytes;
  stat_out = this->stat(id);
  if (!quotas_.empty()) quota_changed(path, bytes, 0);
  if (txn.listener != nullptr)
    txn.listener->on_data_changed({path, {}, nodes_->acl(id), kOpenAcl, txn.header.zxid});
  return ErrorCode::ok;
}

ErrorCode DataTree::set_acl(std::string_view path, std::string_view encoded_acl, std::int32_t version,
                            jute::Stat& stat_out) {
  const NodeId id = nodes_->find(path);
  if (id == kNoNode) return ErrorCode::no_node;
  const AclId acl = acls_.intern(encoded_acl);
  acls_.drop_use(nodes_->acl(id));
  nodes_->set_acl(id, acl);
  jute::StatPersisted stat = nodes_->stat(id);
  stat.aversion = version;
  change_stat(id, path, stat);
  stat_out = this->stat(id);
  return ErrorCode::ok;
}

// The listed paths, then whatever the session still owns: a log without lists, or a list that missed some.
void DataTree::close_session(const Applying& txn, std::string_view body, std::string_view* rest) {
  bytes::Reader reader(body);
  *rest = body;
  // No body leaves nothing or a digest alone, whose bytes would be a list of two empty paths.
  const bool digest_alone = body.size() == kDigestSize && bytes::Reader(body).i32() == kDigestVersion;
  if (!body.empty() && !digest_alone) {
    const std::int32_t count = reader.i32();
    for (std::int32_t i = 0; i < count && reader.ok(); ++i) {
      const std::string_view path = read_string(reader);
      if (reader.ok() && path.size() > 1 && path[0] == '/') remove(txn, path);
    }
    *rest = reader.rest();
  }
  for (const std::string& path : ephemerals(txn.header.client_id)) remove(txn, path);
}

}  // namespace tandem::coord::tree
