#include "coord/pipeline/pending_changes.h"

#include "base/check.h"

namespace tandem::coord::pipeline {

namespace {

// The root has two names, and one record.
std::string_view key_of(std::string_view path) { return path == "/" ? std::string_view() : path; }

}  // namespace

PendingNode PendingChanges::get(std::string_view path) const {
  if (!records_.empty()) {
    if (const auto it = newest_.find(key_of(path)); it != newest_.end()) return it->second->node;
  }
  PendingNode node;
  const tree::NodeId id = tree_.find(path);
  if (id == tree::kNoNode) return node;
  node.exists = true;
  node.stat = tree_.persisted_stat(id);
  node.child_count = tree_.child_count(id);
  node.content_crc = tree_.content_crc(id);
  node.data_size = tree_.data_size(id);
  node.tree_acl = tree_.acl(id);
  return node;
}

void PendingChanges::put(jute::Zxid zxid, std::string_view path, PendingNode node) {
  ENSURE(records_.empty() || records_.back().zxid <= zxid, "change of zxid {} comes late", zxid.value);
  Record& record = records_.emplace_back(Record{zxid, std::string(key_of(path)), std::move(node)});
  const auto known = newest_.find(record.path);
  if (known != newest_.end()) {
    record.before = known->second;
    newest_.erase(known);  // its key lies in the older record
  }
  newest_.emplace(record.path, &record);
}

void PendingChanges::take_back(jute::Zxid zxid) {
  while (!records_.empty() && records_.back().zxid == zxid) {
    Record& record = records_.back();
    newest_.erase(record.path);
    if (record.before != nullptr) newest_.emplace(record.before->path, record.before);
    records_.pop_back();
  }
}

void PendingChanges::forget(jute::Zxid up_to) {
  while (!records_.empty() && records_.front().zxid <= up_to) {
    Record& record = records_.front();
    const auto it = newest_.find(record.path);
    if (it != newest_.end() && it->second == &record) newest_.erase(it);
    records_.pop_front();
  }
}

void PendingChanges::clear() {
  newest_.clear();
  records_.clear();
}

}  // namespace tandem::coord::pipeline
