#include "zksession/watch_table.h"

#include <utility>

namespace tandem::zksession {

using jute::EventType;
using jute::WatcherType;

void WatchTable::on_result(const Op& op, std::string server_path, ErrorCode error) {
  if (op.code == OpCode::add_watch && error == ErrorCode::ok) {
    (op.watch_mode == jute::AddWatchMode::persistent ? persistent_ : recursive_)
        .insert(std::move(server_path));
    return;
  }
  if (!op.watch) return;
  if (op.code == OpCode::exists && error == ErrorCode::no_node) {
    exist_.insert(std::move(server_path));
  } else if (error == ErrorCode::ok) {
    if (op.code == OpCode::exists || op.code == OpCode::get_data) data_.insert(std::move(server_path));
    if (op.code == OpCode::get_children || op.code == OpCode::get_children2)
      child_.insert(std::move(server_path));
  }
}

bool WatchTable::has_recursive_above(std::string_view path) const {
  for (;;) {
    if (recursive_.contains(path)) return true;
    if (path.size() <= 1) return false;
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos) return false;  // no path at all, whatever the server sent
    path = slash == 0 ? std::string_view("/") : path.substr(0, slash);
  }
}

bool WatchTable::fire(EventType type, std::string_view path) {
  const auto use_up = [path](Paths& paths) {
    const auto it = paths.find(path);
    if (it == paths.end()) return false;
    paths.erase(it);
    return true;
  };
  bool hit = persistent_.contains(path);
  switch (type) {
    case EventType::node_data_changed:
    case EventType::node_created:
      hit |= use_up(data_);
      hit |= use_up(exist_);
      break;
    case EventType::node_children_changed:
      hit |= use_up(child_);
      return hit;  // recursive watches do not hear of children
    case EventType::node_deleted:
      hit |= use_up(data_);
      hit |= use_up(exist_);
      hit |= use_up(child_);
      break;
    case EventType::none:
    case EventType::data_watch_removed:
    case EventType::child_watch_removed:
    case EventType::persistent_watch_removed:
      return true;
  }
  return hit || has_recursive_above(path);
}

bool WatchTable::contains(std::string_view path, WatcherType type) const {
  const bool any = type == WatcherType::any;
  return ((any || type == WatcherType::children) && child_.contains(path)) ||
         ((any || type == WatcherType::data) && (data_.contains(path) || exist_.contains(path))) ||
         ((any || type == WatcherType::persistent) && persistent_.contains(path)) ||
         ((any || type == WatcherType::persistent_recursive) && recursive_.contains(path));
}

std::vector<EventType> WatchTable::remove(const std::string& path, WatcherType type) {
  const bool any = type == WatcherType::any;
  bool child = false, data = false, persistent = false;
  if (any || type == WatcherType::children) child = child_.erase(path) > 0;
  if (any || type == WatcherType::data) {
    data = data_.erase(path) > 0;
    data |= exist_.erase(path) > 0;
  }
  if (any || type == WatcherType::persistent) persistent = persistent_.erase(path) > 0;
  if (any || type == WatcherType::persistent_recursive) persistent |= recursive_.erase(path) > 0;
  std::vector<EventType> events;
  if (child) events.push_back(EventType::child_watch_removed);
  if (data) events.push_back(EventType::data_watch_removed);
  if (persistent) events.push_back(EventType::persistent_watch_removed);
  return events;
}

std::vector<jute::SetWatches2> WatchTable::batches(jute::Zxid relative, std::size_t bytes_max) const {
  std::vector<jute::SetWatches2> out;
  std::size_t bytes = 0;
  const auto add = [&](const Paths& paths, std::vector<std::string> jute::SetWatches2::*member) {
    for (const std::string& path : paths) {
      if (out.empty() || bytes + path.size() > bytes_max) {
        out.emplace_back().relative_zxid = relative;
        bytes = 0;
      }
      (out.back().*member).push_back(path);
      bytes += path.size() + 4;
    }
  };
  add(data_, &jute::SetWatches2::data_watches);
  add(exist_, &jute::SetWatches2::exist_watches);
  add(child_, &jute::SetWatches2::child_watches);
  add(persistent_, &jute::SetWatches2::persistent_watches);
  add(recursive_, &jute::SetWatches2::persistent_recursive_watches);
  return out;
}

bool WatchTable::empty() const {
  return data_.empty() && exist_.empty() && child_.empty() && persistent_.empty() && recursive_.empty();
}

}  // namespace tandem::zksession
