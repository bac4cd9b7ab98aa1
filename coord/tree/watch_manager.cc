#include "coord/tree/watch_manager.h"

#include <algorithm>

#include "base/check.h"

namespace tandem::coord::tree {

namespace {

std::uint8_t modes_of(jute::WatcherType type) {
  switch (type) {
    case jute::WatcherType::children:
      return watch::kChild;
    case jute::WatcherType::data:
      return watch::kData;
    case jute::WatcherType::persistent:
      return watch::kPersistent;
    case jute::WatcherType::persistent_recursive:
      return watch::kRecursive;
    case jute::WatcherType::any:
      return watch::kDataTable | watch::kChildTable;
  }
  return 0;  // a number from a client
}

}  // namespace

void WatchManager::Watches::add(Watch watch) {
  if (many_ != nullptr) {
    many_->push_back(watch);
  } else if (one_.modes != 0) {
    many_ = std::make_unique<std::vector<Watch>>(std::initializer_list<Watch>{one_, watch});
  } else {
    one_ = watch;
  }
}

void WatchManager::Watches::remove(std::size_t at) {
  if (many_ == nullptr) {
    one_ = Watch{};
    return;
  }
  (*many_)[at] = many_->back();
  many_->pop_back();
  if (many_->size() > 1) return;
  one_ = many_->front();
  many_.reset();
}

void WatchManager::count(std::uint8_t modes, std::ptrdiff_t by) {
  const auto add = [by](std::size_t& number) {
    number = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(number) + by);
  };
  if ((modes & watch::kDataTable) != 0) add(data_size_);
  if ((modes & watch::kChildTable) != 0) add(child_size_);
  if ((modes & watch::kRecursive) != 0) add(recursive_);
}

void WatchManager::add(std::string_view path, WatcherId watcher, std::uint8_t modes) {
  ENSURE(modes != 0);
  Index index = 0;
  const auto known = paths_.find(path);
  if (known != paths_.end()) {
    index = *known;
  } else {
    if (free_.empty()) {
      index = static_cast<Index>(entries_.size());
      entries_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    Entry& entry = entries_[index];
    entry.path_bytes = std::make_unique_for_overwrite<char[]>(path.size());
    entry.path_size = static_cast<std::uint32_t>(path.size());
    std::copy(path.begin(), path.end(), entry.path_bytes.get());
    paths_.insert(index);
  }
  if (watcher >= watchers_.size()) watchers_.resize(watcher + 1);
  if (watchers_[watcher] == nullptr) watchers_[watcher] = std::make_unique<PathSet>();
  Watches& watches = entries_[index].watches;
  if (watchers_[watcher]->insert(index).second) {
    watches.add(Watch{watcher, modes});
    count(modes, 1);
    return;
  }
  const auto at = std::find_if(watches.all().begin(), watches.all().end(),
                               [watcher](const Watch& watch) { return watch.watcher == watcher; });
  ENSURE(at != watches.all().end());
  count(at->modes, -1);
  at->modes |= modes;
  count(at->modes, 1);
}

const WatchManager::Watch* WatchManager::find(std::string_view path, WatcherId watcher) const {
  const auto known = paths_.find(path);
  if (known == paths_.end() || watcher >= watchers_.size() || watchers_[watcher] == nullptr ||
      !watchers_[watcher]->contains(*known))
    return nullptr;
  for (const Watch& watch : entries_[*known].watches.all()) {
    if (watch.watcher == watcher) return &watch;
  }
  return nullptr;
}

bool WatchManager::contains(std::string_view path, WatcherId watcher, jute::WatcherType type) const {
  const Watch* watch = find(path, watcher);
  return watch != nullptr && (watch->modes & modes_of(type)) != 0;
}

bool WatchManager::remove(std::string_view path, WatcherId watcher, jute::WatcherType type) {
  const Watch* watch = find(path, watcher);
  if (watch == nullptr || (watch->modes & modes_of(type)) == 0) return false;
  const Index index = *paths_.find(path);
  const auto at = static_cast<std::size_t>(watch - entries_[index].watches.all().data());
  set_modes(index, at, static_cast<std::uint8_t>(watch->modes & ~modes_of(type)));
  drop_if_empty(index);
  return true;
}

// With no mode left the watch goes, and the last one of the list takes its place.
void WatchManager::set_modes(Index index, std::size_t at, std::uint8_t modes) {
  Watch& watch = entries_[index].watches.all()[at];
  count(watch.modes, -1);
  watch.modes = modes;
  count(modes, 1);
  if (modes != 0) return;
  watchers_[watch.watcher]->erase(index);
  entries_[index].watches.remove(at);
}

void WatchManager::drop_if_empty(Index index) {
  Entry& entry = entries_[index];
  if (!entry.watches.empty()) return;
  paths_.erase(index);
  entry = Entry();
  free_.push_back(index);
}

void WatchManager::remove_watcher(WatcherId watcher) {
  if (watcher >= watchers_.size() || watchers_[watcher] == nullptr) return;
  const std::unique_ptr<PathSet> paths = std::move(watchers_[watcher]);
  for (const Index index : *paths) {
    const std::span<Watch> watches = entries_[index].watches.all();
    const auto at = std::find_if(watches.begin(), watches.end(),
                                 [watcher](const Watch& watch) { return watch.watcher == watcher; });
    ENSURE(at != watches.end());
    count(at->modes, -1);
    entries_[index].watches.remove(static_cast<std::size_t>(at - watches.begin()));
    drop_if_empty(index);
  }
}

void WatchManager::trigger(std::string_view path, std::uint8_t table, std::vector<WatcherId>& out) {
  const auto known = paths_.find(path);
  if (known == paths_.end()) return;
  const Index index = *known;
  const auto once = static_cast<std::uint8_t>(table & (watch::kData | watch::kChild));
  Watches& watches = entries_[index].watches;
  for (std::size_t at = 0; at < watches.all().size();) {
    const auto [watcher, modes] = watches.all()[at];
    if ((modes & table) != 0) out.push_back(watcher);
    const auto left = static_cast<std::uint8_t>(modes & ~once);
    if (left != modes) set_modes(index, at, left);
    if (left != 0) ++at;
  }
  drop_if_empty(index);
}

// Recursive watches of the ancestors.
void WatchManager::trigger_recursive(std::string_view path, std::vector<WatcherId>& out) {
  if (recursive_ == 0) return;
  const std::size_t told = out.size();
  while (path.size() > 1) {
    path = path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
    const auto known = paths_.find(path);
    if (known == paths_.end()) continue;
    for (const Watch& watch : entries_[*known].watches.all()) {
      if ((watch.modes & watch::kRecursive) != 0) out.push_back(watch.watcher);
    }
  }
  if (out.size() == told) return;
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
}

void WatchManager::trigger_data(std::string_view path, std::vector<WatcherId>& out) {
  trigger(path, watch::kDataTable, out);
  trigger_recursive(path, out);
}

void WatchManager::trigger_child(std::string_view path, std::vector<WatcherId>& out) {
  trigger(path, watch::kChildTable, out);
}

void WatchManager::trigger_deleted(std::string_view path, std::vector<WatcherId>& out) {
  trigger(path, watch::kDataTable | watch::kChildTable, out);
  trigger_recursive(path, out);
}

WatchManager::Summary WatchManager::summary() const {
  Summary summary;
  boost::unordered_flat_set<WatcherId> watchers;
  for (const Entry& entry : entries_) {
    const std::size_t before = summary.total;
    for (const Watch& watch : entry.watches.all()) {
      if ((watch.modes & watch::kDataTable) == 0) continue;
      ++summary.total;
      watchers.insert(watch.watcher);
    }
    summary.paths += summary.total > before ? 1 : 0;
  }
  summary.watchers = watchers.size();
  return summary;
}

}  // namespace tandem::coord::tree
