// The tree of znodes: applies committed transactions, answers reads, loads and hands out snapshots.
// No clock, no sessions beyond their ephemerals, no I/O; single-threaded, owned by the thread that runs the
// pipeline. Applying is idempotent, so that a log may be replayed over a fuzzy snapshot
// (coordination.md 3.3), and needs the payload's bytes only: nothing is decoded that the tree does not keep.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "coord/records/txn.h"
#include "coord/tree/acl_table.h"
#include "coord/tree/ids.h"
#include "coord/tree/node_store.h"
#include "coord/tree/owners.h"
#include "coord/tree/quota.h"
#include "jute/data.h"
#include "jute/errors.h"

namespace tandem::coord::tree {

class SnapshotView;

struct TreeOptions {
  bool extended_types = false;  // zookeeper.extendedTypesEnabled
  bool digest = true;           // zookeeper.digest.enabled
  std::uint64_t hash_seed = 0;  // of the process, so that nobody can choose names that collide
};

// Told of every change while it is applied, in order: the watch manager's input. Parents are "" for the root.
class ChangeListener {
 public:
  struct Change {
    std::string_view path;
    std::string_view parent;
    AclId acl = kOpenAcl;  // of the node (of the deleted node, when it is one)
    AclId parent_acl = kOpenAcl;
    jute::Zxid zxid;
  };
  virtual ~ChangeListener() = default;
  virtual void on_created(const Change& change) = 0;
  virtual void on_deleted(const Change& change) = 0;
  virtual void on_data_changed(const Change& change) = 0;
};

// What became of a transaction, or of one operation of a multi. Views point into the payload.
struct OpResult {
  jute::OpCode type = jute::OpCode::error;
  jute::ErrorCode err = jute::ErrorCode::ok;
  std::string_view path;
  jute::Stat stat;  // create2 and its kin, setData, setACL
};

struct ApplyResult {
  records::TxnHeader header;
  OpResult op;
  std::vector<OpResult> multi;
  std::int32_t session_timeout_ms = 0;  // createSession
  bool digest_mismatch = false;         // the payload's digest is not the tree's
  bool digest_match = false;            // it has one, which is
};

class DataTree {
 public:
  explicit DataTree(const TreeOptions& options);
  ~DataTree();
  DataTree(const DataTree&) = delete;
  DataTree& operator=(const DataTree&) = delete;

  // ---- transactions -------------------------------------------------------------------------------------
  // `payload`: TxnHeader, body, digest if any (records/txn.h). An error means bytes that are no transaction;
  // an operation that does not apply (an old one, over a fuzzy snapshot) is a result, not an error.
  base::Status apply(std::string_view payload, ChangeListener* listener, ApplyResult& result);
  jute::Zxid last_zxid() const { return last_zxid_; }
  void set_last_zxid(jute::Zxid zxid) { last_zxid_ = zxid; }
  std::uint64_t digest() const { return digest_; }

  // ---- reads --------------------------------------------------------------------------------------------
  NodeId find(std::string_view path) const { return nodes_->find(path); }  // kNoNode when there is none
  jute::BufferView data(NodeId id) const { return nodes_->data(id); }
  std::uint32_t data_size(NodeId id) const { return nodes_->data_size(id); }
  AclId acl(NodeId id) const { return nodes_->acl(id); }
  std::uint32_t content_crc(NodeId id) const { return nodes_->content_crc(id); }
  std::uint32_t child_count(NodeId id) const { return nodes_->child_count(id); }
  NodeId parent(NodeId id) const { return nodes_->parent(id); }
  jute::StatPersisted persisted_stat(NodeId id) const { return nodes_->stat(id); }
  jute::Stat stat(NodeId id) const;  // as clients see it
  std::string path(NodeId id) const;
  std::size_t descendants(NodeId id) const;
  template <class Visit>  // visit(name)
  void for_each_child(NodeId id, Visit&& visit) const {
    for (NodeId child = nodes_->first_child(id); child != kNoNode; child = nodes_->next_sibling(child))
      visit(nodes_->name(child));
  }

  const AclTable& acls() const { return acls_; }
  const Owners& owners() const { return owners_; }
  const QuotaPaths& quotas() const { return quotas_; }
  std::vector<std::string> ephemerals(jute::SessionId session) const;
  OwnerKind owner_kind(std::int64_t owner) const { return owners_.kind(owner); }
  std::size_t node_count() const { return nodes_->size() + 1; }  // Apache counts the root twice: "" and "/"
  std::int64_t approximate_data_size() const { return data_size_; }
  const TreeOptions& options() const { return options_; }

  // The term of a node in the tree's digest (DigestCalculator version 2); 0 under /zookeeper/.
  static std::uint64_t node_digest(std::string_view path, std::uint32_t content_crc,
                                   const jute::StatPersisted& stat);
  static std::uint32_t content_crc_of(std::string_view path, jute::BufferView data);

  // ---- loading a snapshot ---------------------------------------------------------------------------------
  // begin_load() forgets everything; then ACL lists, then nodes (the root "" first, parents before children),
  // then finish_load(). A node with an ACL number that no list came for gets one that nobody passes, until
  // the log's replay sets the right one. A node that came twice is found by finish_load() at the latest.
  void begin_load();
  void expect_nodes(std::uint64_t count);  // about so many will come: saves growing
  void load_acl(std::int64_t disk_id, const std::vector<jute::ACL>& acl);
  base::Status load_node(std::string_view path, jute::BufferView data, std::int64_t disk_acl_id,
                         const jute::StatPersisted& stat);
  base::Status finish_load(jute::Zxid last_zxid);

 private:
  friend class SnapshotView;
  struct Load;
  struct Applying;  // one transaction's context
  struct CreateOp;

  void reset();
  NodeId add_node(std::string_view path, NodeId parent, std::string_view name, jute::BufferView data,
                  AclId acl, const jute::StatPersisted& stat);
  void apply_op(const Applying& txn, jute::OpCode type, std::string_view body, OpResult& out,
                std::string_view* rest);
  jute::ErrorCode create(const Applying& txn, const CreateOp& op, jute::Stat* stat);
  jute::ErrorCode remove(const Applying& txn, std::string_view path);
  void remove_node(NodeId id, std::string_view path);
  void remove_descendants(NodeId id);
  jute::ErrorCode set_data(const Applying& txn, std::string_view path, jute::BufferView data,
                           std::int32_t version, jute::Stat& stat);
  jute::ErrorCode set_acl(std::string_view path, std::string_view encoded_acl, std::int32_t version,
                          jute::Stat& stat);
  void close_session(const Applying& txn, std::string_view body, std::string_view* rest);
  bool apply_multi(const Applying& txn, std::string_view body, ApplyResult& result, std::string_view* rest);
  void change_stat(NodeId id, std::string_view path, const jute::StatPersisted& stat);

  void quota_created(std::string_view parent, std::string_view name);
  void quota_changed(std::string_view path, std::int64_t bytes, std::int64_t count);
  void recount_quota(std::string_view path);
  void find_quotas(NodeId id);

  TreeOptions options_;
  std::unique_ptr<NodeStore> nodes_;
  AclTable acls_;
  Owners owners_;
  QuotaPaths quotas_;
  std::uint64_t digest_ = 0;
  jute::Zxid last_zxid_;
  std::int64_t data_size_ = 0;
  std::vector<SnapshotView*> views_;  // being read: told of deletions
  std::unique_ptr<Load> load_;
};

}  // namespace tandem::coord::tree
