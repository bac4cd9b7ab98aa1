// Who watches what: standard (one shot), persistent and persistent recursive watches, by path, because a node
// that does not exist can be watched too. One entry per (path, watcher) with a bit for each mode, as several
// may exist at once. A watcher is a small number its owner gives (a link's slot). Semantics of Apache's
// WatchManager and DataTree in 3.9: coordination.md 1.9. One thread.
#pragma once

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jute/proto.h"
#include "jute/requests.h"

namespace tandem::coord::tree {

using WatcherId = std::uint32_t;

namespace watch {
inline constexpr std::uint8_t kData = 1;   // one shot: getData, exists
inline constexpr std::uint8_t kChild = 2;  // one shot: getChildren
inline constexpr std::uint8_t kPersistent = 4;
inline constexpr std::uint8_t kRecursive = 8;
inline constexpr std::uint8_t kDataTable = kData | kPersistent | kRecursive;  // where Apache would keep it
inline constexpr std::uint8_t kChildTable = kChild | kPersistent;
}  // namespace watch

class WatchManager {
 public:
  WatchManager() = default;
  WatchManager(const WatchManager&) = delete;
  WatchManager& operator=(const WatchManager&) = delete;

  void add(std::string_view path, WatcherId watcher, std::uint8_t modes);
  bool contains(std::string_view path, WatcherId watcher, jute::WatcherType type) const;
  bool remove(std::string_view path, WatcherId watcher, jute::WatcherType type);
  void remove_watcher(WatcherId watcher);

  // Adds to `out` who is to be told, each once, and uses up their one-shot watches.
  void trigger_data(std::string_view path, std::vector<WatcherId>& out);   // created, changed
  void trigger_child(std::string_view path, std::vector<WatcherId>& out);  // children changed
  void trigger_deleted(std::string_view path, std::vector<WatcherId>& out);

  std::size_t size() const { return data_size_ + child_size_; }  // Apache's watch_count
  bool empty() const { return paths_.empty(); }

  // Of the data watches, as wchs counts them.
  struct Summary {
    std::size_t watchers = 0;
    std::size_t paths = 0;
    std::size_t total = 0;
  };
  Summary summary() const;

  template <class Visit>  // visit(path, watcher, modes), in no order
  void for_each(Visit&& visit) const {
    for (const Entry& entry : entries_) {
      for (const Watch& watch : entry.watches.all()) visit(entry.path(), watch.watcher, watch.modes);
    }
  }

 private:
  using Index = std::uint32_t;
  struct Watch {
    WatcherId watcher;
    std::uint8_t modes;
  };
  // Mostly one, which needs no memory of its own.
  class Watches {
   public:
    std::span<Watch> all() {
      return many_ != nullptr ? std::span(*many_) : std::span(&one_, one_.modes != 0 ? 1 : 0);
    }
    std::span<const Watch> all() const { return const_cast<Watches*>(this)->all(); }
    bool empty() const { return all().empty(); }
    void add(Watch watch);
    void remove(std::size_t at);  // the last one takes its place

   private:
    std::unique_ptr<std::vector<Watch>> many_;  // two or more
    Watch one_{};                               // if it has a mode
  };
  // A path that somebody watches.
  struct Entry {
    std::unique_ptr<char[]> path_bytes;
    std::uint32_t path_size = 0;
    Watches watches;

    std::string_view path() const { return {path_bytes.get(), path_size}; }
  };
  static_assert(sizeof(Entry) <= 32);

  // paths_ finds entries by their path, which is kept there only.
  using Entries = std::deque<Entry>;
  struct PathHash {
    using is_transparent = void;
    const Entries* entries;
    std::size_t operator()(std::string_view path) const { return boost::hash<std::string_view>()(path); }
    std::size_t operator()(Index index) const { return (*this)((*entries)[index].path()); }
  };
  struct PathEqual {
    using is_transparent = void;
    const Entries* entries;
    bool operator()(Index a, Index b) const { return a == b; }
    bool operator()(std::string_view path, Index index) const { return (*entries)[index].path() == path; }
    bool operator()(Index index, std::string_view path) const { return (*entries)[index].path() == path; }
  };
  using PathSet = boost::unordered_flat_set<Index>;

  void trigger(std::string_view path, std::uint8_t table, std::vector<WatcherId>& out);
  void trigger_recursive(std::string_view path, std::vector<WatcherId>& out);
  const Watch* find(std::string_view path, WatcherId watcher) const;
  void set_modes(Index index, std::size_t at, std::uint8_t modes);
  void count(std::uint8_t modes, std::ptrdiff_t by);
  void drop_if_empty(Index index);

  Entries entries_;
  std::vector<Index> free_;
  boost::unordered_flat_set<Index, PathHash, PathEqual> paths_{0, PathHash{&entries_}, PathEqual{&entries_}};
  std::vector<std::unique_ptr<PathSet>> watchers_;  // by watcher
  std::size_t data_size_ = 0;
  std::size_t child_size_ = 0;
  std::size_t recursive_ = 0;
};

}  // namespace tandem::coord::tree
