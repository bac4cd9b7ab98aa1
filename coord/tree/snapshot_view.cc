#include "coord/tree/snapshot_view.h"

#include <algorithm>

namespace tandem::coord::tree {

SnapshotView::SnapshotView(DataTree& tree) : tree_(tree), last_zxid_(tree.last_zxid()) {
  tree_.views_.push_back(this);
}

SnapshotView::~SnapshotView() { std::erase(tree_.views_, this); }

void SnapshotView::fill(NodeId id, SnapshotNode& node) {
  const NodeStore& nodes = *tree_.nodes_;
  node.path = path_;
  node.data = nodes.data(id);
  const AclId acl = nodes.acl(id);
  node.acl_id = acl == kOpenAcl ? -1 : std::int64_t{acl};
  node.stat = nodes.stat(id);
  levels_.push_back(Level{nodes.first_child(id), path_.size()});
}

bool SnapshotView::next(SnapshotNode& node) {
  if (!started_) {
    started_ = true;
    fill(kRoot, node);
    return true;
  }
  while (!levels_.empty()) {
    Level& top = levels_.back();
    path_.resize(top.path_size);
    if (top.next_child == kNoNode) {
      levels_.pop_back();
      continue;
    }
    const NodeId child = top.next_child;
    top.next_child = tree_.nodes_->next_sibling(child);
    path_ += '/';
    path_ += tree_.nodes_->name(child);
    fill(child, node);
    return true;
  }
  return false;
}

// A deleted node has no children left, so no level waits for one of them; it may be the next to come itself.
void SnapshotView::on_removal(NodeId id) {
  for (Level& level : levels_) {
    if (level.next_child == id) level.next_child = tree_.nodes_->next_sibling(id);
  }
}

}  // namespace tandem::coord::tree
