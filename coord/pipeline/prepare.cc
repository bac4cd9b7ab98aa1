#include "coord/pipeline/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/check.h"
#include "bytes/writer.h"
#include "coord/pipeline/preparing.h"
#include "coord/pipeline/wire.h"
#include "coord/tree/path.h"
#include "jute/codec.h"

namespace tandem::coord::pipeline {

using jute::BufferView;
using jute::ErrorCode;
using jute::OpCode;

namespace {

constexpr std::size_t kTypeOffset = 8 + 4 + 8 + 8;
constexpr std::size_t kHeaderSize = kTypeOffset + 4;
constexpr std::int32_t kDigestVersion = 2;

// A version that wraps skips -1, which means "any" in requests.
std::int32_t next_version(std::int32_t version) {
  const auto next = static_cast<std::int32_t>(static_cast<std::uint32_t>(version) + 1);
  return next == -1 ? 0 : next;
}

bool version_matches(std::int32_t current, std::int32_t expected) {
  return expected == -1 || expected == current;
}

// For delete: no slash, a null character, or a node that nobody may delete.
bool deletable(std::string_view path) {
  return path.find('/') != std::string_view::npos && path.find('\0') == std::string_view::npos &&
         !tree::is_special(path);
}

void put_acl(std::string& out, const AclList& acl) {
  std::vector<jute::ACL> list = acl;
  jute::Encoder encoder(out);
  static_cast<jute::Fields&>(encoder)("acl", list);
}

}  // namespace

Preparer::Preparer(PrepareOptions options, tree::DataTree& tree, session::SessionTracker& sessions,
                   const session::SessionTracker& local, const auth::Authorizer& authorizer)
    : options_(options),
      tree_(tree),
      sessions_(sessions),
      local_(local),
      authorizer_(authorizer),
      pending_(tree),
      next_(tree.last_zxid().next()),
      digest_(tree.digest()) {}

void Preparer::take_back_all() {
  pending_.clear();
  next_ = tree_.last_zxid().next();
  digest_ = tree_.digest();
}

Preparer::Txn Preparer::begin(const Proposal& proposal, base::WallTime wall, std::string& out) {
  const Txn txn{proposal, next_, wall.ms, out, out.size(), digest_};
  bytes::Writer writer(out);
  writer.i64(proposal.session.value);
  writer.i32(proposal.request.xid);
  writer.i64(next_.value);
  writer.i64(wall.ms);
  writer.i32(static_cast<std::int32_t>(proposal.request.type));
  return txn;
}

jute::Zxid Preparer::end(Txn& txn, ErrorCode err) {
  if (err == ErrorCode::ok && txn.out.size() - txn.start > options_.txn_bytes_max)
    err = ErrorCode::marshalling_error;
  if (err != ErrorCode::ok) end_error(txn, err);
  if (tree_.options().digest && !txn.without_digest) {
    bytes::Writer writer(txn.out);
    writer.i32(kDigestVersion);
    writer.i64(static_cast<std::int64_t>(digest_));
  }
  const jute::Zxid zxid = next_;
  next_ = next_.next();
  return zxid;
}

jute::Zxid Preparer::prepare_error(const Proposal& proposal, ErrorCode err, base::WallTime wall,
                                   std::string& out) {
  Txn txn = begin(proposal, wall, out);
  return end(txn, err);
}

std::optional<jute::Zxid> Preparer::prepare(const Proposal& proposal, base::WallTime wall, std::string& out) {
  Txn txn = begin(proposal, wall, out);
  const OpCode type = proposal.request.type;
  bytes::Reader body(proposal.request.body);
  bool parses = true;
  ErrorCode err = ErrorCode::ok;
  switch (type) {
    case OpCode::create_session:
      bytes::Writer(out).i32(proposal.session_timeout_ms);
      break;
    case OpCode::close_session:
      prepare_close_session(txn);
      break;
    case OpCode::multi:
      err = prepare_multi(txn, body, parses);
      break;
    default:
      err = prepare_op(txn, type, body, parses);
  }
  if (!parses) {
    out.resize(txn.start);
    return std::nullopt;
  }
  return end(txn, err);
}

// The transaction becomes an error, and its changes are taken back.
void Preparer::end_error(Txn& txn, ErrorCode err) {
  pending_.take_back(txn.zxid);
  digest_ = txn.digest_before;
  txn.out.resize(txn.start + kHeaderSize);
  bytes::Writer writer(txn.out);
  writer.patch_i32(txn.start + kTypeOffset, static_cast<std::int32_t>(OpCode::error));
  writer.i32(static_cast<std::int32_t>(err));
}

ErrorCode Preparer::prepare_op(Txn& txn, OpCode type, bytes::Reader& body, bool& parses) {
  switch (type) {
    case OpCode::create:
    case OpCode::create2:
    case OpCode::create_container:
    case OpCode::create_ttl: {
      CreateOp op;
      op.read(type, body, tree_.acls().encoded(tree::kOpenAcl));
      parses = body.ok();
      return parses ? prepare_create(txn, op) : ErrorCode::marshalling_error;
    }
    case OpCode::remove: {
      const BufferView path = take_buffer(body);
      const std::int32_t version = body.i32();
      parses = body.ok();
      if (!parses || !path) return ErrorCode::marshalling_error;
      return prepare_delete(txn, *path, version);
    }
    case OpCode::delete_container: {
      const BufferView path = take_buffer(body);
      parses = body.ok();
      if (!parses || !path) return ErrorCode::marshalling_error;
      return prepare_delete_container(txn, *path);
    }
    case OpCode::set_data: {
      const BufferView path = take_buffer(body);
      const BufferView data = take_buffer(body);
      const std::int32_t version = body.i32();
      parses = body.ok();
      if (!parses) return ErrorCode::marshalling_error;  // before anything is changed
      return prepare_set_data(txn, path.value_or(std::string_view()), data, version);
    }
    case OpCode::set_acl: {
      jute::SetACLRequest request;
      jute::decode(body, request);
      parses = body.ok();
      if (!parses) return ErrorCode::marshalling_error;
      return prepare_set_acl(txn, request.path, request.acl, request.version);
    }
    case OpCode::check: {
      const BufferView path = take_buffer(body);
      const std::int32_t version = body.i32();
      parses = body.ok();
      if (!parses) return ErrorCode::marshalling_error;
      return prepare_check(txn, path.value_or(std::string_view()), version);
    }
    case OpCode::reconfig: {
      jute::ReconfigRequest request;
      jute::decode(body, request);
      parses = body.ok();
      if (!options_.reconfig_enabled) return ErrorCode::reconfig_disabled;
      const ErrorCode err = check_session(txn, false);
      return err != ErrorCode::ok ? err : ErrorCode::unimplemented;  // a server that stands alone cannot
    }
    default:
      UNREACHABLE("operation {} is no write", static_cast<int>(type));
  }
}

// A session that is not the ensemble's may be another server's local one.
ErrorCode Preparer::check_session(const Txn& txn, bool global) const {
  const jute::SessionId session = txn.proposal.session;
  if (session.value == 0) return ErrorCode::ok;  // the server's own
  const ErrorCode err = sessions_.check(session, txn.proposal.owner);
  if (err != ErrorCode::unknown_session) return err;
  if (global) return ErrorCode::session_expired;
  if (!options_.ensemble) return err;
  const bool ours = session::server_of(session) == sessions_.server();
  const bool alive = options_.local_sessions && (!ours || local_.find(session) != nullptr);
  return alive ? ErrorCode::ok : ErrorCode::session_expired;
}

bool Preparer::permitted(const Txn& txn, const PendingNode& node, std::int32_t perms) const {
  if (node.acl == nullptr && node.tree_acl == tree::kOpenAcl) return true;
  return authorizer_.permits(pending_.acl_of(node), perms, *txn.proposal.ids);
}

// Hard limits only refuse when they are enforced; statistics are those of the tree, as Apache has it.
ErrorCode Preparer::check_quota(std::string_view path, std::int64_t bytes, std::int64_t count) const {
  if (!options_.enforce_quota || tree_.quotas().empty()) return ErrorCode::ok;
  const std::string_view quota = tree_.quotas().deepest_above(path);
  if (quota.empty()) return ErrorCode::ok;
  const tree::NodeId limits_node = tree_.find(tree::quota_limits_path(quota));
  const tree::NodeId stats_node = tree_.find(tree::quota_stats_path(quota));
  if (limits_node == tree::kNoNode || stats_node == tree::kNoNode) return ErrorCode::ok;
  const auto limits = tree::QuotaNumbers::parse(tree_.data(limits_node).value_or(std::string_view()));
  const auto stats = tree::QuotaNumbers::parse(tree_.data(stats_node).value_or(std::string_view()));
  if (count != 0 && limits.count_hard_limit() > -1 && stats.count() + count > limits.count_hard_limit())
    return ErrorCode::quota_exceeded;
  if (bytes != 0 && limits.byte_hard_limit() > -1 && stats.bytes() + bytes > limits.byte_hard_limit())
    return ErrorCode::quota_exceeded;
  return ErrorCode::ok;
}

void Preparer::change(Txn& txn, std::string_view path, const PendingNode& before, PendingNode after) {
  if (tree_.options().digest) {
    if (before.exists) digest_ -= tree::DataTree::node_digest(path, before.content_crc, before.stat);
    if (after.exists) digest_ += tree::DataTree::node_digest(path, after.content_crc, after.stat);
  }
  pending_.put(txn.zxid, path, std::move(after));
}

void Preparer::remove_node(Txn& txn, std::string_view path, const PendingNode& node) {
  const std::string_view parent_path = tree::split_path(path).parent;
  const PendingNode parent = pending_.get(parent_path);
  PendingNode after = parent;
  --after.child_count;
  after.stat.pzxid = txn.zxid;
  change(txn, parent_path, parent, std::move(after));
  change(txn, path, node, PendingNode());
}

ErrorCode Preparer::prepare_delete(Txn& txn, std::string_view path, std::int32_t version) {
  if (const ErrorCode err = check_session(txn, false); err != ErrorCode::ok) return err;
  if (!deletable(path)) return ErrorCode::bad_arguments;
  const PendingNode parent = pending_.get(tree::split_path(path).parent);
  if (!parent.exists) return ErrorCode::no_node;
  if (!permitted(txn, parent, jute::perm::kDelete)) return ErrorCode::no_auth;
  const PendingNode node = pending_.get(path);
  if (!node.exists) return ErrorCode::no_node;
  if (!version_matches(node.stat.version, version)) return ErrorCode::bad_version;
  if (node.child_count > 0) return ErrorCode::not_empty;
  put_string(txn.out, path);
  remove_node(txn, path, node);
  return ErrorCode::ok;
}

ErrorCode Preparer::prepare_delete_container(Txn& txn, std::string_view path) {
  if (!deletable(path)) return ErrorCode::bad_arguments;
  const PendingNode node = pending_.get(path);
  if (!node.exists) return ErrorCode::no_node;
  if (node.child_count > 0) return ErrorCode::not_empty;
  if (tree_.owner_kind(node.stat.ephemeral_owner) == tree::OwnerKind::session) return ErrorCode::bad_version;
  put_string(txn.out, path);
  remove_node(txn, path, node);
  return ErrorCode::ok;
}

ErrorCode Preparer::prepare_set_data(Txn& txn, std::string_view path, BufferView data, std::int32_t version) {
  if (const ErrorCode err = check_session(txn, false); err != ErrorCode::ok) return err;
  if (!tree::valid_path(path)) return ErrorCode::bad_arguments;
  const PendingNode node = pending_.get(path);
  if (!node.exists) return ErrorCode::no_node;
  if (!permitted(txn, node, jute::perm::kWrite)) return ErrorCode::no_auth;
  const auto size = static_cast<std::int64_t>(data ? data->size() : 0);
  if (const ErrorCode err = check_quota(path, size - node.data_size, 0); err != ErrorCode::ok) return err;
  if (!version_matches(node.stat.version, version)) return ErrorCode::bad_version;
  PendingNode after = node;
  after.stat.version = next_version(node.stat.version);
  after.stat.mtime = txn.time_ms;
  after.stat.mzxid = txn.zxid;
  after.data_size = size;
  if (tree_.options().digest) after.content_crc = tree::DataTree::content_crc_of(path, data);
  put_string(txn.out, path);
  put_buffer(txn.out, data);
  bytes::Writer(txn.out).i32(after.stat.version);
  change(txn, path, node, std::move(after));
  return ErrorCode::ok;
}

ErrorCode Preparer::prepare_set_acl(Txn& txn, std::string_view path, const AclList& acl,
                                    std::int32_t version) {
  if (const ErrorCode err = check_session(txn, false); err != ErrorCode::ok) return err;
  if (!tree::valid_path(path)) return ErrorCode::bad_arguments;
  auto fixed = authorizer_.fixed_up(acl, *txn.proposal.ids);
  if (!fixed) return ErrorCode::invalid_acl;
  const PendingNode node = pending_.get(path);
  if (!node.exists) return ErrorCode::no_node;
  if (!permitted(txn, node, jute::perm::kAdmin)) return ErrorCode::no_auth;
  if (!version_matches(node.stat.aversion, version)) return ErrorCode::bad_version;
  PendingNode after = node;
  after.stat.aversion = next_version(node.stat.aversion);
  put_string(txn.out, path);
  put_acl(txn.out, *fixed);
  bytes::Writer(txn.out).i32(after.stat.aversion);
  after.acl = std::make_shared<const AclList>(std::move(*fixed));
  change(txn, path, node, std::move(after));
  return ErrorCode::ok;
}

ErrorCode Preparer::prepare_check(Txn& txn, std::string_view path, std::int32_t version) {
  if (const ErrorCode err = check_session(txn, false); err != ErrorCode::ok) return err;
  if (!tree::valid_path(path)) return ErrorCode::bad_arguments;
  const PendingNode node = pending_.get(path);
  if (!node.exists) return ErrorCode::no_node;
  if (!permitted(txn, node, jute::perm::kRead)) return ErrorCode::no_auth;
  if (!version_matches(node.stat.version, version)) return ErrorCode::bad_version;
  put_string(txn.out, path);
  bytes::Writer(txn.out).i32(next_version(node.stat.version));
  return ErrorCode::ok;
}

// The session's ephemerals as they will be when this transaction is applied.
void Preparer::prepare_close_session(Txn& txn) {
  const jute::SessionId session = txn.proposal.session;
  std::set<std::string> paths;
  for (std::string& path : tree_.ephemerals(session)) paths.insert(std::move(path));
  pending_.for_each([&](std::string_view path, const PendingNode& node) {
    if (!node.exists) {
      paths.erase(std::string(path));
    } else if (node.stat.ephemeral_owner == session.value) {
      paths.emplace(path);
    }
  });
  for (const std::string& path : paths) remove_node(txn, path, pending_.get(path));
  if (session::Session* closing = sessions_.find(session)) closing->closing = true;
  if (!options_.close_session_lists) {
    txn.without_digest = true;
    return;
  }
  bytes::Writer writer(txn.out);
  writer.i32(static_cast<std::int32_t>(paths.size()));
  for (const std::string& path : paths) put_string(txn.out, path);
  if (txn.out.size() - txn.start >
      options_.txn_bytes_max) {  // of an Apache server's time: the old form will do
    txn.out.resize(txn.start + kHeaderSize);
    txn.without_digest = true;
  }
}

}  // namespace tandem::coord::pipeline
