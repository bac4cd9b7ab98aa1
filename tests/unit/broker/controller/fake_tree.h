// A tree in memory that performs ZkOps as an ensemble does: versions, ephemerals by session, sequences,
// multi, one-shot watches. Tests drive cores with it; `writes` records every change that was made, in order.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/zk/zk_op.h"

namespace tandem::broker::test {

class FakeTree {
 public:
  std::int64_t session = 100;  // the session in which operations are performed
  std::vector<std::string> writes;
  std::vector<std::pair<std::string, zk::ZkEvent>> fired;

  FakeTree() { nodes_[""] = {}; }

  std::vector<zk::ZkResult> perform(const std::vector<zk::ZkOp>& ops) {
    std::vector<zk::ZkResult> out;
    for (const auto& op : ops) out.push_back(perform(op));
    return out;
  }

  zk::ZkResult perform(const zk::ZkOp& op) {
    if (op.kind != zk::ZkKind::multi) return single(op, true);
    return multi(op);
  }

  void put(const std::string& path, const std::string& data) {
    for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
      if (!nodes_.contains(path.substr(0, at))) single(zk::create_op(path.substr(0, at), ""), true);
    }
    if (nodes_.contains(path)) {
      single(zk::set_op(path, data), true);
    } else {
      single(zk::create_op(path, data), true);
    }
    writes.clear();
  }
  void remove(const std::string& path) { single(zk::remove_op(path), true); }
  bool has(const std::string& path) const { return nodes_.contains(path); }
  std::string data(const std::string& path) const {
    return nodes_.contains(path) ? nodes_.at(path).data : "(absent)";
  }
  std::int32_t version(const std::string& path) const { return nodes_.at(path).stat.version; }
  std::int64_t czxid(const std::string& path) const { return nodes_.at(path).stat.czxid; }

  void expire(std::int64_t gone) {
    std::vector<std::string> mine;
    for (const auto& [path, node] : nodes_) {
      if (node.stat.ephemeral_owner == gone) mine.push_back(path);
    }
    for (const auto& path : mine) remove(path);
  }

 private:
  struct Node {
    std::string data;
    zk::ZkStat stat;
    std::int32_t next_sequence = 0;
  };

  static std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

  void fire(std::set<std::string>& watches, const std::string& path, zk::ZkEvent event) {
    if (watches.erase(path) > 0) fired.emplace_back(path, event);
  }

  bool has_children(const std::string& path) const {
    const auto next = nodes_.lower_bound(path + "/");
    return next != nodes_.end() && next->first.starts_with(path + "/");
  }

  zk::ZkResult failed(zk::ZkCode code) const {
    zk::ZkResult out;
    out.code = code;
    return out;
  }

  zk::ZkCode verdict(const zk::ZkOp& op) const {
    const auto at = nodes_.find(op.path);
    if (op.kind == zk::ZkKind::create) {
      if (!nodes_.contains(parent_of(op.path))) return zk::ZkCode::no_node;
      return at != nodes_.end() && !op.sequential ? zk::ZkCode::node_exists : zk::ZkCode::ok;
    }
    if (at == nodes_.end()) return zk::ZkCode::no_node;
    const bool versioned =
        op.kind == zk::ZkKind::set || op.kind == zk::ZkKind::remove || op.kind == zk::ZkKind::check;
    if (versioned && op.version != -1 && op.version != at->second.stat.version)
      return zk::ZkCode::bad_version;
    if (op.kind == zk::ZkKind::remove && has_children(op.path)) return zk::ZkCode::not_empty;
    return zk::ZkCode::ok;
  }

  zk::ZkResult multi(const zk::ZkOp& op) {
    auto saved = nodes_;
    const auto saved_writes = writes;
    const auto saved_watches = std::pair(data_watches_, child_watches_);
    const auto saved_fired = fired;
    zk::ZkResult out;
    for (const auto& part : op.parts) {
      out.parts.push_back(single(part, false));
      if (out.parts.back().ok()) continue;
      out.code = out.parts.back().code;
      while (out.parts.size() < op.parts.size())
        out.parts.push_back(failed(zk::ZkCode::runtime_inconsistency));
      nodes_ = std::move(saved);
      writes = saved_writes;
      fired = saved_fired;
      std::tie(data_watches_, child_watches_) = saved_watches;
      return out;
    }
    ++zxid_;
    return out;
  }

  zk::ZkResult single(const zk::ZkOp& op, bool own_zxid) {
    if (op.watch) (op.kind == zk::ZkKind::children ? child_watches_ : data_watches_).insert(op.path);
    const auto code = verdict(op);
    if (code != zk::ZkCode::ok) return failed(code);
    const bool writing =
        op.kind == zk::ZkKind::create || op.kind == zk::ZkKind::set || op.kind == zk::ZkKind::remove;
    if (writing) writes.push_back(op.text());
    if (writing && own_zxid) ++zxid_;
    zk::ZkResult out;
    out.path = op.path;
    if (op.kind == zk::ZkKind::create) create(op, out);
    if (op.kind == zk::ZkKind::remove) {
      nodes_.erase(op.path);
      fire(data_watches_, op.path, zk::ZkEvent::deleted);
      fire(child_watches_, parent_of(op.path), zk::ZkEvent::children_changed);
      return out;
    }
    auto& node = nodes_.at(out.path);
    if (op.kind == zk::ZkKind::set) {
      node.data = op.data;
      ++node.stat.version;
      node.stat.mzxid = zxid_;
      fire(data_watches_, op.path, zk::ZkEvent::data_changed);
    }
    out.stat = node.stat;
    if (op.kind == zk::ZkKind::get) out.data = node.data;
    if (op.kind == zk::ZkKind::children) list(op.path, out);
    return out;
  }

  void create(const zk::ZkOp& op, zk::ZkResult& out) {
    if (op.sequential) {
      char digits[16];
      std::snprintf(digits, sizeof digits, "%010d", nodes_.at(parent_of(op.path)).next_sequence++);
      out.path += digits;
    }
    Node node;
    node.data = op.data;
    node.stat.czxid = node.stat.mzxid = zxid_;
    node.stat.ephemeral_owner = op.ephemeral ? session : 0;
    nodes_[out.path] = node;
    fire(data_watches_, out.path, zk::ZkEvent::created);
    fire(child_watches_, parent_of(out.path), zk::ZkEvent::children_changed);
  }

  void list(const std::string& path, zk::ZkResult& out) const {
    const std::string prefix = path + "/";
    for (auto at = nodes_.lower_bound(prefix); at != nodes_.end() && at->first.starts_with(prefix); ++at) {
      const auto name = at->first.substr(prefix.size());
      if (name.find('/') == std::string::npos) out.children.push_back(name);
    }
  }

  std::map<std::string, Node> nodes_;
  std::set<std::string> data_watches_;
  std::set<std::string> child_watches_;
  std::int64_t zxid_ = 1;
};

}  // namespace tandem::broker::test
