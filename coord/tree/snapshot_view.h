// Walks the whole tree for a snapshot, a slice at a time on the tree's own thread, while transactions go on
// being applied between slices: parents before children, every node that was there all along exactly once,
// nodes created or deleted meanwhile perhaps (replaying the log from last_zxid() on mends that). Nothing is
// copied but the path. The caller decides how long a slice is; 200 us is some 1,500 nodes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "coord/tree/data_tree.h"

namespace tandem::coord::tree {

struct SnapshotNode {
  std::string_view path;  // "" for the root; valid until the next call
  jute::BufferView data;
  std::int64_t acl_id = -1;  // as on disk: -1 open, else the numbers of for_each_acl
  jute::StatPersisted stat;
};

class SnapshotView {
 public:
  explicit SnapshotView(DataTree& tree);
  ~SnapshotView();
  SnapshotView(const SnapshotView&) = delete;
  SnapshotView& operator=(const SnapshotView&) = delete;

  // The transaction the snapshot is named after: all up to it are in it.
  jute::Zxid last_zxid() const { return last_zxid_; }

  // ACL lists come before nodes in the file. visit(disk id, vector<ACL> on the wire).
  std::size_t acl_count() const { return tree_.acls_.size() - 1; }
  template <class Visit>
  void for_each_acl(Visit&& visit) const {
    tree_.acls_.for_each([&](AclId id, std::string_view acl) { visit(std::int64_t{id}, acl); });
  }

  // False when all nodes have been seen.
  bool next(SnapshotNode& node);

 private:
  friend class DataTree;
  struct Level {
    NodeId next_child;  // to visit
    std::size_t path_size;
  };

  void on_removal(NodeId id);  // before the node is unlinked
  void fill(NodeId id, SnapshotNode& node);

  DataTree& tree_;
  jute::Zxid last_zxid_;
  std::vector<Level> levels_;
  std::string path_;
  bool started_ = false;
};

}  // namespace tandem::coord::tree
