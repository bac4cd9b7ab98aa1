// What proposed transactions will have done to the tree once they are applied: the newest state of every node
// they touch, so that the next request is judged against it. Deltas are data; a failed multi takes back its
// own. Leader only. Source of the idea: Apache's ChangeRecord.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coord/tree/data_tree.h"
#include "jute/data.h"
#include "jute/ids.h"

namespace tandem::coord::pipeline {

using AclList = std::vector<jute::ACL>;

// A node as it will be. Its ACL list is the tree's where `acl` is null.
struct PendingNode {
  bool exists = false;
  jute::StatPersisted stat;
  std::int64_t child_count = 0;
  std::uint32_t content_crc = 0;
  std::int64_t data_size = 0;
  tree::AclId tree_acl = tree::kOpenAcl;
  std::shared_ptr<const AclList> acl;
};

class PendingChanges {
 public:
  explicit PendingChanges(const tree::DataTree& tree) : tree_(tree) {}

  // The node after all that was proposed; exists == false when there is none.
  PendingNode get(std::string_view path) const;
  const AclList& acl_of(const PendingNode& node) const {
    return node.acl != nullptr ? *node.acl : tree_.acls().list(node.tree_acl);
  }

  void put(jute::Zxid zxid, std::string_view path, PendingNode node);
  void take_back(jute::Zxid zxid);  // the newest transaction's, when it failed
  void forget(jute::Zxid up_to);    // applied: the tree has them
  void clear();

  // Changes of ephemerals of one session: created and deleted, in order of proposal.
  template <class Visit>  // visit(path, node)
  void for_each(Visit&& visit) const {
    for (const Record& record : records_) visit(std::string_view(record.path), record.node);
  }
  std::size_t size() const { return records_.size(); }

 private:
  struct Record {
    jute::Zxid zxid;
    std::string path;
    PendingNode node;
    Record* before = nullptr;  // the same path's earlier record, if it was still pending then
  };

  const tree::DataTree& tree_;
  std::deque<Record> records_;  // in order of zxid; addresses stay
  boost::unordered_flat_map<std::string_view, Record*> newest_;
};

}  // namespace tandem::coord::pipeline
