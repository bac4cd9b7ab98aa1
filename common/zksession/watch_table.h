// The watches a client believes in: which paths are watched how, so that they can be set again on another
// server and events of forgotten watches are dropped. Paths are those of the server (chroot included). The
// rules are those of Apache's ZKWatchManager with one watcher, the owner of the session.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "jute/proto.h"
#include "zksession/op.h"

namespace tandem::zksession {

class WatchTable {
 public:
  // Records what a finished operation with a watch leaves on the server.
  void on_result(const Op& op, std::string server_path, ErrorCode error);

  // True when somebody waits for the event; one-shot watches that it uses up are gone.
  bool fire(jute::EventType type, std::string_view path);

  bool contains(std::string_view path, jute::WatcherType type) const;
  // Forgets; returns the events that tell the owner.
  std::vector<jute::EventType> remove(const std::string& path, jute::WatcherType type);

  // Everything, cut into requests of at most `bytes_max` of paths each.
  std::vector<jute::SetWatches2> batches(jute::Zxid relative, std::size_t bytes_max) const;

  bool empty() const;
  void clear() { *this = WatchTable(); }

 private:
  using Paths = std::set<std::string, std::less<>>;

  bool has_recursive_above(std::string_view path) const;

  Paths data_;
  Paths exist_;  // exists() on a node that was not there
  Paths child_;
  Paths persistent_;
  Paths recursive_;
};

}  // namespace tandem::zksession
