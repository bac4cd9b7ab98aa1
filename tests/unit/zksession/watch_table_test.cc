#include "zksession/watch_table.h"

#include <doctest/doctest.h>

namespace tandem::zksession {

using jute::EventType;

TEST_CASE("a one-shot watch fires once") {
  WatchTable table;
  table.on_result(Op::get_data("/a", true), "/a", ErrorCode::ok);
  CHECK_FALSE(table.fire(EventType::node_children_changed, "/a"));
  CHECK(table.fire(EventType::node_data_changed, "/a"));
  CHECK_FALSE(table.fire(EventType::node_data_changed, "/a"));
  CHECK(table.empty());
}

TEST_CASE("only exists leaves a watch on a missing node") {
  WatchTable table;
  table.on_result(Op::get_data("/a", true), "/a", ErrorCode::no_node);
  CHECK(table.empty());
  table.on_result(Op::exists("/a", true), "/a", ErrorCode::no_node);
  CHECK(table.fire(EventType::node_created, "/a"));
}

TEST_CASE("a recursive watch stays and hears of descendants but not of child lists") {
  WatchTable table;
  table.on_result(Op::add_watch("/a", jute::AddWatchMode::persistent_recursive), "/a", ErrorCode::ok);
  CHECK(table.fire(EventType::node_created, "/a/b/c"));
  CHECK(table.fire(EventType::node_deleted, "/a"));
  CHECK_FALSE(table.fire(EventType::node_created, "/ab"));
  CHECK_FALSE(table.fire(EventType::node_children_changed, "/a"));
}

TEST_CASE("an event for what is no path concerns nobody") {
  WatchTable table;
  table.on_result(Op::add_watch("/a", jute::AddWatchMode::persistent_recursive), "/a", ErrorCode::ok);
  CHECK_FALSE(table.fire(EventType::node_created, "no path"));
  CHECK_FALSE(table.fire(EventType::node_deleted, ""));
}

TEST_CASE("removal names the kinds that were there") {
  WatchTable table;
  table.on_result(Op::get_data("/a", true), "/a", ErrorCode::ok);
  table.on_result(Op::get_children("/a", true), "/a", ErrorCode::ok);
  CHECK(table.remove("/a", jute::WatcherType::any) ==
        std::vector<EventType>{EventType::child_watch_removed, EventType::data_watch_removed});
  CHECK_FALSE(table.contains("/a", jute::WatcherType::any));
}

TEST_CASE("watches are set again in pieces no larger than asked") {
  WatchTable table;
  for (int i = 0; i < 100; ++i) {
    const std::string path = "/node-" + std::to_string(1000 + i);
    table.on_result(Op::get_data(path, true), path, ErrorCode::ok);
  }
  const auto pieces = table.batches(jute::Zxid(7), 200);
  std::size_t count = 0;
  for (const auto& piece : pieces) {
    CHECK_LE(piece.data_watches.size(), 15);
    CHECK_EQ(piece.relative_zxid.value, 7);
    count += piece.data_watches.size();
  }
  CHECK_EQ(count, 100);
}

}  // namespace tandem::zksession
