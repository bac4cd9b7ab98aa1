// create, create2, createContainer and createTTL: the part of Preparer with the longest list of checks.
#include <fmt/format.h>

#include "bytes/writer.h"
#include "coord/pipeline/prepare.h"
#include "coord/pipeline/preparing.h"
#include "coord/pipeline/wire.h"
#include "coord/tree/path.h"
#include "jute/codec.h"

namespace tandem::coord::pipeline {

using jute::CreateMode;
using jute::ErrorCode;
using jute::OpCode;

namespace {

bool is_mode(std::int32_t flags) { return flags >= 0 && flags <= 6; }

bool is_ttl(CreateMode mode) {
  return mode == CreateMode::persistent_with_ttl || mode == CreateMode::persistent_sequential_with_ttl;
}

bool is_ephemeral(CreateMode mode) {
  return mode == CreateMode::ephemeral || mode == CreateMode::ephemeral_sequential;
}

bool is_sequential(CreateMode mode) {
  return mode == CreateMode::persistent_sequential || mode == CreateMode::ephemeral_sequential ||
         mode == CreateMode::persistent_sequential_with_ttl;
}

bool ttl_in_range(std::int64_t ttl_ms) { return ttl_ms > 0 && ttl_ms <= tree::kTtlMsMax; }

}  // namespace

// A closing transaction lists all ephemerals of its session: no more than fit are accepted.
bool Preparer::fits_close_session(const Txn& txn, std::string_view path) const {
  constexpr std::size_t kPerPath = 4;
  constexpr std::size_t kFixed = 64;  // header, count, digest
  const jute::SessionId session = txn.proposal.session;
  std::size_t bytes = kFixed + kPerPath + path.size();
  std::size_t nodes = 0;
  bytes += tree_.owners().path_bytes_of(session);
  nodes += tree_.owners().of_session_count(session);
  if (bytes + nodes * kPerPath < options_.txn_bytes_max / 2 && pending_.size() < 1024) return true;
  pending_.for_each([&](std::string_view pending, const PendingNode& node) {
    if (!node.exists || node.stat.ephemeral_owner != session.value) return;
    bytes += kPerPath + pending.size();
  });
  return bytes + nodes * kPerPath <= options_.txn_bytes_max;
}

ErrorCode Preparer::prepare_create(Txn& txn, CreateOp op) {
  if (!is_mode(op.flags)) return ErrorCode::bad_arguments;
  const auto mode = static_cast<CreateMode>(op.flags);
  if (is_ttl(mode) && !tree_.options().extended_types) return ErrorCode::unimplemented;
  if (is_ttl(mode) ? !ttl_in_range(op.ttl_ms) : op.ttl_ms >= 0) return ErrorCode::bad_arguments;
  // createTTL without a TTL mode: Apache would log a transaction that no server can apply.
  if (op.type == OpCode::create_ttl && !is_ttl(mode)) return ErrorCode::bad_arguments;
  if (const ErrorCode err = check_session(txn, is_ephemeral(mode)); err != ErrorCode::ok) return err;
  if (!op.path) return ErrorCode::marshalling_error;
  const std::size_t slash = op.path->rfind('/');
  if (slash == std::string_view::npos || op.path->find('\0') != std::string_view::npos)
    return ErrorCode::bad_arguments;

  if (!op.open_acl) {
    auto acl = authorizer_.fixed_up(op.acl, *txn.proposal.ids);
    if (!acl) return ErrorCode::invalid_acl;
    op.acl = std::move(*acl);
  }
  const std::string_view parent_path = op.path->substr(0, slash);
  const PendingNode parent = pending_.get(parent_path);
  if (!parent.exists) return ErrorCode::no_node;
  if (!permitted(txn, parent, jute::perm::kCreate)) return ErrorCode::no_auth;
  std::string path(*op.path);
  if (is_sequential(mode)) path += fmt::format("{:010}", parent.stat.cversion);
  if (!tree::valid_path(path) || path.size() - slash - 1 > tree::kNameBytesMax)
    return ErrorCode::bad_arguments;
  if (pending_.get(path).exists) return ErrorCode::node_exists;
  if (tree_.owner_kind(parent.stat.ephemeral_owner) == tree::OwnerKind::session)
    return ErrorCode::no_children_for_ephemerals;
  const auto size = static_cast<std::int64_t>(op.data ? op.data->size() : 0);
  if (const ErrorCode err = check_quota(path, size, 1); err != ErrorCode::ok) return err;
  if (is_ephemeral(mode) && !fits_close_session(txn, path)) return ErrorCode::marshalling_error;

  propose_create(txn, op, path, parent);
  return ErrorCode::ok;
}

// All checks passed: the transaction's body, and what it will have changed.
void Preparer::propose_create(Txn& txn, CreateOp& op, std::string_view path, const PendingNode& parent) {
  PendingNode parent_after = parent;
  ++parent_after.child_count;
  parent_after.stat.cversion =
      static_cast<std::int32_t>(static_cast<std::uint32_t>(parent.stat.cversion) + 1);
  parent_after.stat.pzxid = txn.zxid;

  put_string(txn.out, path);
  put_buffer(txn.out, op.data);
  const std::string_view open_acl = tree_.acls().encoded(tree::kOpenAcl);
  const std::size_t acl_at = txn.out.size();
  if (op.open_acl) {
    txn.out.append(open_acl);
  } else {
    jute::Encoder encoder(txn.out);
    static_cast<jute::Fields&>(encoder)("acl", op.acl);
  }
  PendingNode node;
  if (std::string_view(txn.out).substr(acl_at) != open_acl)
    node.acl = std::make_shared<const AclList>(std::move(op.acl));
  bytes::Writer writer(txn.out);
  node.exists = true;
  if (op.type == OpCode::create_container) {
    node.stat.ephemeral_owner = tree::kContainerOwner;
    writer.i32(parent_after.stat.cversion);
  } else if (op.type == OpCode::create_ttl) {
    node.stat.ephemeral_owner = tree::ttl_owner(op.ttl_ms);
    writer.i32(parent_after.stat.cversion);
    writer.i64(op.ttl_ms);
  } else {
    const bool ephemeral = is_ephemeral(static_cast<CreateMode>(op.flags));
    if (ephemeral) node.stat.ephemeral_owner = txn.proposal.session.value;
    writer.boolean(ephemeral);
    writer.i32(parent_after.stat.cversion);
  }
  node.stat.czxid = node.stat.mzxid = node.stat.pzxid = txn.zxid;
  node.stat.ctime = node.stat.mtime = txn.time_ms;
  node.data_size = static_cast<std::int64_t>(op.data ? op.data->size() : 0);
  if (tree_.options().digest) node.content_crc = tree::DataTree::content_crc_of(path, op.data);
  change(txn, tree::split_path(path).parent, parent, std::move(parent_after));
  change(txn, path, PendingNode(), std::move(node));
}

}  // namespace tandem::coord::pipeline
