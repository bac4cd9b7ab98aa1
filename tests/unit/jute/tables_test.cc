#include <doctest/doctest.h>

#include <set>

#include "jute/proto.h"

namespace tandem::jute {

TEST_CASE("error sentences are KeeperException's") {
  CHECK_EQ(keeper_message(ErrorCode::no_node, "/a"), "KeeperErrorCode = NoNode for /a");
  CHECK_EQ(keeper_message(ErrorCode::not_empty, "/a"), "KeeperErrorCode = Directory not empty for /a");
  CHECK_EQ(keeper_message(ErrorCode::session_expired), "KeeperErrorCode = Session expired");
}

TEST_CASE("every row of the tables is found by its number and numbers are unique") {
  std::set<int> numbers;
  for (const auto& row : errors()) {
    CHECK(numbers.insert(static_cast<int>(row.code)).second);
    CHECK_EQ(std::string(to_string(row.code)), row.symbol);
  }
  numbers.clear();
  for (const auto& row : opcodes()) {
    CHECK(numbers.insert(static_cast<int>(row.code)).second);
    CHECK_EQ(std::string(to_string(row.code)), row.name);
  }
  CHECK_FALSE(is_known(OpCode{99}));
}

TEST_CASE("events and states carry Java's names") {
  CHECK_EQ(std::string(to_string(EventType::node_children_changed)), "NodeChildrenChanged");
  CHECK_EQ(std::string(to_string(KeeperState::sync_connected)), "SyncConnected");
}

}  // namespace tandem::jute
