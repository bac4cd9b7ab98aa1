#include "coord/tree/watch_manager.h"

#include <doctest/doctest.h>

namespace tandem::coord::tree {

using jute::WatcherType;
using Told = std::vector<WatcherId>;

namespace {

Told data(WatchManager& watches, std::string_view path) {
  Told told;
  watches.trigger_data(path, told);
  return told;
}
Told child(WatchManager& watches, std::string_view path) {
  Told told;
  watches.trigger_child(path, told);
  return told;
}
Told deleted(WatchManager& watches, std::string_view path) {
  Told told;
  watches.trigger_deleted(path, told);
  return told;
}

}  // namespace

TEST_CASE("a standard watch fires once and only for its table") {
  WatchManager watches;
  watches.add("/a", 1, watch::kData);
  watches.add("/a", 2, watch::kChild);
  CHECK(watches.size() == 2);
  CHECK(child(watches, "/a") == Told{2});
  CHECK(data(watches, "/a") == Told{1});
  CHECK(data(watches, "/a").empty());
  CHECK(watches.empty());
  CHECK(watches.size() == 0);
}

TEST_CASE("a persistent watch keeps firing in both tables and counts twice") {
  WatchManager watches;
  watches.add("/a", 1, watch::kPersistent);
  CHECK(watches.size() == 2);
  for (int i = 0; i < 3; ++i) {
    CHECK(data(watches, "/a") == Told{1});
    CHECK(child(watches, "/a") == Told{1});
    CHECK(deleted(watches, "/a") == Told{1});
  }
  CHECK(data(watches, "/a/b").empty());
}

TEST_CASE("a recursive watch hears of descendants but not of children changing") {
  WatchManager watches;
  watches.add("/a", 1, watch::kRecursive);
  watches.add("/", 2, watch::kRecursive);
  CHECK(data(watches, "/a/b/c") == Told{1, 2});
  CHECK(deleted(watches, "/a") == Told{1, 2});
  CHECK(data(watches, "/ab") == Told{2});
  CHECK(child(watches, "/a").empty());
}

TEST_CASE("several modes of one watcher make one event and end one by one") {
  WatchManager watches;
  watches.add("/a", 1, watch::kData);
  watches.add("/a", 1, watch::kRecursive);
  watches.add("/a", 1, watch::kChild);
  watches.add("/", 1, watch::kRecursive);
  CHECK(watches.contains("/a", 1, WatcherType::data));
  CHECK(data(watches, "/a") == Told{1});
  CHECK_FALSE(watches.contains("/a", 1, WatcherType::data));
  CHECK(watches.contains("/a", 1, WatcherType::children));
  CHECK(deleted(watches, "/a") == Told{1});
  CHECK_FALSE(watches.contains("/a", 1, WatcherType::children));
  CHECK(watches.contains("/a", 1, WatcherType::persistent_recursive));
  CHECK(watches.remove("/a", 1, WatcherType::any));
  CHECK_FALSE(watches.remove("/a", 1, WatcherType::any));
  CHECK(data(watches, "/a") == Told{1});  // the root's
}

TEST_CASE("removing by type says whether there was one") {
  WatchManager watches;
  watches.add("/a", 1, watch::kData);
  CHECK_FALSE(watches.remove("/a", 1, WatcherType::children));
  CHECK_FALSE(watches.remove("/a", 2, WatcherType::data));
  CHECK_FALSE(watches.remove("/b", 1, WatcherType::data));
  CHECK(watches.remove("/a", 1, WatcherType::data));
  CHECK(watches.empty());
}

TEST_CASE("a watcher that goes takes all its watches") {
  WatchManager watches;
  for (WatcherId watcher = 0; watcher < 10; ++watcher) {
    watches.add("/shared", watcher, watch::kData);
    watches.add("/own" + std::to_string(watcher), watcher, watch::kRecursive);
  }
  watches.remove_watcher(3);
  watches.remove_watcher(3);
  watches.remove_watcher(77);
  CHECK(data(watches, "/shared").size() == 9);
  CHECK(data(watches, "/own3/x").empty());
  CHECK(data(watches, "/own4/x") == Told{4});
  const auto summary = watches.summary();
  CHECK(summary.watchers == 9);
  CHECK(summary.paths == 9);
  CHECK(summary.total == 9);
}

}  // namespace tandem::coord::tree
