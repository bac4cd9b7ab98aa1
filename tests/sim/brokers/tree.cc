#include "tests/sim/brokers/tree.h"

#include <cstdio>
#include <utility>

namespace tandem::sim::brokers {

using jute::EventType;
using TreeCode = zksession::ErrorCode;
using zksession::Op;
using zksession::OpCode;
using zksession::OpResult;

namespace {

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

bool is_sequential(const Op& op) {
  return op.mode == jute::CreateMode::persistent_sequential ||
         op.mode == jute::CreateMode::ephemeral_sequential;
}

bool is_ephemeral(const Op& op) {
  return op.mode == jute::CreateMode::ephemeral || op.mode == jute::CreateMode::ephemeral_sequential;
}

bool is_write(const Op& op) {
  return op.code == OpCode::create || op.code == OpCode::remove || op.code == OpCode::set_data;
}

OpResult refused(TreeCode error) {
  OpResult out;
  out.error = error;
  return out;
}

}  // namespace

std::int64_t Tree::open(milliseconds timeout, OnEvent on_event) {
  Session& session = sessions_[++last_session_];
  session.timeout = timeout;
  session.heard = scheduler_.now();
  session.on_event = std::move(on_event);
  return last_session_;
}

void Tree::heard(std::int64_t session) {
  const auto at = sessions_.find(session);
  if (at != sessions_.end()) at->second.heard = scheduler_.now();
}

void Tree::close(std::int64_t session) {
  if (sessions_.erase(session) == 0) return;
  std::vector<std::string> mine;
  for (const auto& [path, node] : nodes_)
    if (node.stat.ephemeral_owner == session) mine.push_back(path);
  if (!mine.empty()) ++zxid_;
  for (const auto& path : mine) remove(session, path);
}

int Tree::expire() {
  std::vector<std::int64_t> late;
  for (const auto& [id, session] : sessions_)
    if (scheduler_.now() - session.heard > session.timeout) late.push_back(id);
  for (const std::int64_t id : late) close(id);
  return static_cast<int>(late.size());
}

std::string Tree::data(const std::string& path) const {
  const auto at = nodes_.find(path);
  return at == nodes_.end() ? std::string() : at->second.data;
}

std::int32_t Tree::version(const std::string& path) const {
  const auto at = nodes_.find(path);
  return at == nodes_.end() ? -1 : at->second.stat.version;
}

std::int64_t Tree::owner(const std::string& path) const {
  const auto at = nodes_.find(path);
  return at == nodes_.end() ? 0 : at->second.stat.ephemeral_owner;
}

std::vector<std::string> Tree::children(const std::string& path) const {
  std::vector<std::string> out;
  const std::string prefix = path + "/";
  for (auto at = nodes_.lower_bound(prefix); at != nodes_.end() && at->first.starts_with(prefix); ++at) {
    std::string name = at->first.substr(prefix.size());
    if (name.find('/') == std::string::npos) out.push_back(std::move(name));
  }
  return out;
}

void Tree::fire(std::set<std::string> Session::*watches, const std::string& path, EventType type) {
  for (auto& [id, session] : sessions_) {
    if ((session.*watches).erase(path) == 0) continue;
    zksession::Event event;
    event.type = type;
    event.path = path;
    session.on_event(std::move(event));
  }
}

void Tree::tell(std::int64_t session, const std::string& path) {
  ++changes_;
  TreeChange change;
  change.session = session;
  change.path = path;
  const auto at = nodes_.find(path);
  change.gone = at == nodes_.end();
  if (!change.gone) {
    change.data = at->second.data;
    change.version = at->second.stat.version;
    change.made = change.version == 0;
  }
  on_change(change);
}

TreeCode Tree::verdict(const Op& op) const {
  const auto at = nodes_.find(op.path);
  if (op.code == OpCode::create) {
    const auto parent = nodes_.find(parent_of(op.path));
    if (parent == nodes_.end()) return TreeCode::no_node;
    if (parent->second.stat.ephemeral_owner != 0) return TreeCode::no_children_for_ephemerals;
    return at != nodes_.end() && !is_sequential(op) ? TreeCode::node_exists : TreeCode::ok;
  }
  if (at == nodes_.end()) return TreeCode::no_node;
  const bool versioned = op.code == OpCode::set_data || op.code == OpCode::remove || op.code == OpCode::check;
  if (versioned && op.version != -1 && op.version != at->second.stat.version) return TreeCode::bad_version;
  if (op.code == OpCode::remove && !children(op.path).empty()) return TreeCode::not_empty;
  return TreeCode::ok;
}

OpResult Tree::perform(std::int64_t session, const Op& op) {
  heard(session);
  if (op.code == OpCode::multi) return multi(session, op);
  if (op.watch) {
    Session& own = sessions_.at(session);
    // Of what is not there only exists() leaves a watch.
    const bool leaves = op.code == OpCode::exists || nodes_.contains(op.path);
    const bool of_children = op.code == OpCode::get_children || op.code == OpCode::get_children2;
    if (leaves) (of_children ? own.child_watches : own.data_watches).insert(op.path);
  }
  if (is_write(op)) ++zxid_;
  return single(session, op);
}

OpResult Tree::multi(std::int64_t session, const Op& op) {
  // Each part is judged on what those before it have made; told of is only what is done as a whole.
  auto saved = nodes_;
  std::map<std::int64_t, Session> told;
  told.swap(sessions_);
  auto tell = std::exchange(on_change, [](const TreeChange&) {});
  const std::uint64_t changes = changes_;
  OpResult out;
  ++zxid_;
  for (const Op& part : op.ops) {
    out.results.push_back(out.ok() ? single(session, part) : refused(TreeCode::runtime_inconsistency));
    if (out.ok()) out.error = out.results.back().error;
  }
  nodes_ = std::move(saved);
  sessions_.swap(told);
  on_change = std::move(tell);
  changes_ = changes;
  if (!out.ok()) {
    for (std::size_t i = 0; i < out.results.size() && out.results[i].ok(); ++i)
      out.results[i] = refused(TreeCode::ok);
    return out;
  }
  out.results.clear();
  for (const Op& part : op.ops) out.results.push_back(single(session, part));
  return out;
}

OpResult Tree::single(std::int64_t session, const Op& op) {
  OpResult out = refused(verdict(op));
  out.path = op.path;
  if (!out.ok()) return out;
  if (op.code == OpCode::create) create(session, op, out);
  if (op.code == OpCode::remove) {
    remove(session, op.path);
    return out;
  }
  if (op.code == OpCode::set_data) {
    Node& node = nodes_.at(op.path);
    node.data = op.data.value_or("");
    node.has_data = op.data.has_value();
    ++node.stat.version;
    node.stat.mzxid = jute::Zxid(zxid_);
    tell(session, op.path);
    fire(&Session::data_watches, op.path, EventType::node_data_changed);
  }
  const Node& node = nodes_.at(out.path);
  out.stat = node.stat;
  if (op.code == OpCode::get_data && node.has_data) out.data = node.data;
  if (op.code == OpCode::get_children || op.code == OpCode::get_children2) out.children = children(op.path);
  return out;
}

void Tree::create(std::int64_t session, const Op& op, OpResult& out) {
  if (is_sequential(op)) {
    char digits[16];
    std::snprintf(digits, sizeof digits, "%010d", nodes_.at(parent_of(op.path)).next_sequence++);
    out.path += digits;
  }
  Node node;
  node.data = op.data.value_or("");
  node.has_data = op.data.has_value();
  node.stat.czxid = node.stat.mzxid = jute::Zxid(zxid_);
  node.stat.ctime = node.stat.mtime =
      std::chrono::duration_cast<milliseconds>(scheduler_.now().time_since_epoch()).count() +
      1'700'000'000'000;
  node.stat.ephemeral_owner = is_ephemeral(op) ? session : 0;
  nodes_[out.path] = std::move(node);
  tell(session, out.path);
  fire(&Session::data_watches, out.path, EventType::node_created);
  fire(&Session::child_watches, parent_of(out.path), EventType::node_children_changed);
}

void Tree::remove(std::int64_t session, const std::string& path) {
  nodes_.erase(path);
  tell(session, path);
  fire(&Session::data_watches, path, EventType::node_deleted);
  fire(&Session::child_watches, path, EventType::node_deleted);
  fire(&Session::child_watches, parent_of(path), EventType::node_children_changed);
}

}  // namespace tandem::sim::brokers
