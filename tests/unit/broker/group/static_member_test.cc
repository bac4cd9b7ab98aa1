// Static membership (KIP-345) and skipped assignments (KIP-814).
#include "tests/unit/broker/group/fixture.h"

namespace tandem::broker::group {

namespace {

protocol::JoinGroupRequest static_join(const std::string& member, const std::string& instance = "i1") {
  auto request = Fixture::join_request(member);
  request.group_instance_id = instance;
  return request;
}

// One static member in a stable group; its member id.
std::string stable_static(Fixture& f) {
  const auto ticket = f.join(static_join(""));
  f.pass(milliseconds(3000));
  const std::string id = f.joins.at(ticket).member_id;
  f.sync(id, 1, {{id, {"all"}}});
  f.settle();
  REQUIRE_EQ(f.state(), "Stable");
  return id;
}

}  // namespace

TEST_CASE("a static member that restarts takes its place without a rebalance, its old id is fenced") {
  Fixture f;
  const std::string old_id = stable_static(f);
  const auto again = f.join(static_join(""));
  f.settle();
  const auto& response = f.joins.at(again);
  CHECK_EQ(response.error_code, ErrorCode::none);
  CHECK_EQ(response.generation_id, 1);
  CHECK_NE(response.member_id, old_id);
  CHECK_EQ(response.leader, old_id);  // before version 9 it must not think that it leads
  CHECK_EQ(f.state(), "Stable");
  CHECK_EQ(f.syncs.at(f.sync(response.member_id, 1)).assignment.data, "all");
  protocol::HeartbeatRequest stale;
  stale.group_id = "g";
  stale.member_id = old_id;
  stale.generation_id = 1;
  stale.group_instance_id = "i1";
  CHECK_EQ(f.coordinator->heartbeat(stale, f.now()), ErrorCode::fenced_instance_id);
}

TEST_CASE("from version 9 a returning leader leads on and is told to skip the assignment") {
  Fixture f;
  stable_static(f);
  const auto again = f.join(static_join(""), 9);
  f.settle();
  const auto& response = f.joins.at(again);
  CHECK_EQ(response.leader, response.member_id);
  CHECK(response.skip_assignment);
  CHECK_EQ(response.members.size(), 1);
}

TEST_CASE("when the new id cannot be stored the old one stays") {
  Fixture f;
  const std::string old_id = stable_static(f);
  const auto again = f.join(static_join(""));
  f.settle(ErrorCode::not_coordinator);
  CHECK_EQ(f.joins.at(again).error_code, ErrorCode::not_coordinator);
  CHECK_EQ(f.heartbeat(old_id, 1), ErrorCode::none);
}

TEST_CASE(
    "a static member keeps its place through a rebalance that it sleeps through, until its session ends") {
  Fixture f;
  const std::string first = stable_static(f);
  f.enter();
  CHECK_EQ(f.state(), "PreparingRebalance");
  f.pass(milliseconds(11'000));  // its session is over
  CHECK_EQ(f.heartbeat(first, 1), ErrorCode::unknown_member_id);
  CHECK_EQ(f.state(), "CompletingRebalance");
}

TEST_CASE("an administrator removes a static member by its instance id") {
  Fixture f;
  stable_static(f);
  protocol::LeaveGroupRequest request;
  request.group_id = "g";
  request.members = {{"", "i1", std::nullopt}, {"", "i2", std::nullopt}};
  const auto response = f.coordinator->leave(request, 3, f.now());
  CHECK_EQ(response.members.at(0).error_code, ErrorCode::none);
  CHECK_EQ(response.members.at(1).error_code, ErrorCode::unknown_member_id);
  f.drain();
  f.settle();
  CHECK_EQ(f.state(), "Empty");
}

TEST_CASE("a duplicate that waits under the old id is fenced") {
  Fixture f;
  const auto first = f.join(static_join(""));
  const auto second = f.join(static_join(""));
  CHECK_EQ(f.joins.at(first).error_code, ErrorCode::fenced_instance_id);
  f.pass(milliseconds(3000));
  CHECK_EQ(f.joins.at(second).error_code, ErrorCode::none);
  CHECK_EQ(f.joins.at(second).members.size(), 1);
}

}  // namespace tandem::broker::group
