#include "tests/unit/broker/group/fixture.h"

namespace tandem::broker::group {

TEST_CASE("two members share a generation: the leader gets the list, each its assignment") {
  Fixture f;
  const auto [a, join_a] = f.enter("ma");
  const auto [b, join_b] = f.enter("mb");
  CHECK_FALSE(f.joins.contains(join_a));
  f.pass(milliseconds(6000));  // the delay, prolonged once by the second member
  const auto& first = f.joins.at(join_a);
  const auto& second = f.joins.at(join_b);
  CHECK_EQ(first.generation_id, 1);
  CHECK_EQ(first.protocol_name, "range");
  CHECK_EQ(first.leader, second.leader);
  const auto& leading = first.leader == a ? first : second;
  const auto& following = first.leader == a ? second : first;
  CHECK_EQ(leading.members.size(), 2);
  CHECK(following.members.empty());
  const auto waits = f.sync(following.member_id, 1);
  CHECK_FALSE(f.syncs.contains(waits));
  const auto leads = f.sync(leading.member_id, 1, {{a, {"xa"}}, {b, {"xb"}}});
  CHECK_FALSE(f.syncs.contains(leads));  // not before the assignment is durable
  f.settle();
  CHECK_EQ(f.syncs.at(leads).assignment.data, leading.member_id == a ? "xa" : "xb");
  CHECK_EQ(f.syncs.at(waits).assignment.data, following.member_id == a ? "xa" : "xb");
  CHECK_EQ(f.state(), "Stable");
}

TEST_CASE("before version 4 a member joins without being given an id first") {
  Fixture f;
  const auto ticket = f.join(Fixture::join_request(""), 3);
  f.pass(milliseconds(3000));
  CHECK_EQ(f.joins.at(ticket).error_code, ErrorCode::none);
  CHECK_FALSE(f.joins.at(ticket).member_id.empty());
}

TEST_CASE("what a join may not be") {
  Fixture f;
  auto request = Fixture::join_request("");
  request.session_timeout_ms = 5'999;
  CHECK_EQ(f.joins.at(f.join(request)).error_code, ErrorCode::invalid_session_timeout);
  request = Fixture::join_request("");
  request.group_id = "";
  CHECK_EQ(f.joins.at(f.join(request)).error_code, ErrorCode::invalid_group_id);
  CHECK_EQ(f.joins.at(f.join(Fixture::join_request("stranger"))).error_code, ErrorCode::unknown_member_id);
  request = Fixture::join_request("");
  request.protocols.clear();
  CHECK_EQ(f.joins.at(f.join(request)).error_code, ErrorCode::inconsistent_group_protocol);
  f.stable_member();
  request = Fixture::join_request("");
  request.protocols[0].name = "sticky";
  CHECK_EQ(f.joins.at(f.join(request)).error_code, ErrorCode::inconsistent_group_protocol);
}

TEST_CASE("a newcomer makes the others rejoin; who does not is left behind after the rebalance timeout") {
  Fixture f;
  const std::string a = f.stable_member();
  const auto [b, join_b] = f.enter();
  CHECK_EQ(f.state(), "PreparingRebalance");
  CHECK_EQ(f.heartbeat(a, 1), ErrorCode::rebalance_in_progress);
  for (int i = 0; i < 10; ++i) {
    f.pass(milliseconds(6000));
    f.heartbeat(a, 1);
  }
  CHECK_EQ(f.joins.at(join_b).error_code, ErrorCode::none);
  CHECK_EQ(f.joins.at(join_b).generation_id, 2);
  CHECK_EQ(f.joins.at(join_b).leader, b);
  CHECK_EQ(f.heartbeat(a, 1), ErrorCode::unknown_member_id);
}

TEST_CASE("a rebalance ends as soon as all have rejoined") {
  Fixture f;
  const std::string a = f.stable_member();
  const auto [b, join_b] = f.enter();
  const auto again = f.join(Fixture::join_request(a));
  CHECK_EQ(f.joins.at(again).generation_id, 2);
  CHECK_EQ(f.joins.at(join_b).generation_id, 2);
}

TEST_CASE("a follower that joins again unchanged gets the generation that stands") {
  Fixture f;
  const std::string a = f.stable_member();
  const auto [b, join_b] = f.enter();
  f.join(Fixture::join_request(a));
  const std::string leader = f.joins.at(join_b).leader;
  const std::string follower = leader == a ? b : a;
  f.sync(leader, 2, {});
  f.settle();
  const auto again = f.join(Fixture::join_request(follower));
  CHECK_EQ(f.joins.at(again).generation_id, 2);
  CHECK_EQ(f.state(), "Stable");
  f.join(Fixture::join_request(leader));
  CHECK_EQ(f.state(), "PreparingRebalance");
}

TEST_CASE("a silent member is dropped after its session, and the group is empty") {
  Fixture f;
  const std::string a = f.stable_member();
  f.pass(milliseconds(9000));
  CHECK_EQ(f.heartbeat(a, 1), ErrorCode::none);
  f.pass(milliseconds(9000));
  CHECK_EQ(f.state(), "Stable");
  f.pass(milliseconds(2000));
  CHECK_EQ(f.state(), "Empty");
  CHECK_EQ(f.heartbeat(a, 1), ErrorCode::unknown_member_id);
}

TEST_CASE("an id that was given out and never used is forgotten after its session") {
  Fixture f;
  const std::string a = f.stable_member();
  const auto asked = f.join(Fixture::join_request(""));
  const std::string pending = f.joins.at(asked).member_id;
  for (int i = 0; i < 3; ++i) {
    f.pass(milliseconds(5000));
    f.heartbeat(a, 1);
  }
  CHECK_EQ(f.joins.at(f.join(Fixture::join_request(pending))).error_code, ErrorCode::unknown_member_id);
}

TEST_CASE("leaving empties the group at once; an unknown member is told so") {
  Fixture f;
  const std::string a = f.stable_member();
  protocol::LeaveGroupRequest request;
  request.group_id = "g";
  request.members = {{a, std::nullopt, std::nullopt}, {"stranger", std::nullopt, std::nullopt}};
  const auto response = f.coordinator->leave(request, 3, f.now());
  CHECK_EQ(response.error_code, ErrorCode::none);
  CHECK_EQ(response.members.at(0).error_code, ErrorCode::none);
  CHECK_EQ(response.members.at(1).error_code, ErrorCode::unknown_member_id);
  f.drain();
  f.settle();
  CHECK_EQ(f.state(), "Empty");
  request.member_id = a;
  CHECK_EQ(f.coordinator->leave(request, 2, f.now()).error_code, ErrorCode::unknown_member_id);
}

TEST_CASE("an assignment that cannot be stored starts the rebalance anew") {
  Fixture f;
  const auto [id, ticket] = f.enter();
  f.pass(milliseconds(3000));
  const auto synced = f.sync(id, 1, {{id, {"all"}}});
  f.settle(ErrorCode::not_enough_replicas);
  CHECK_EQ(f.syncs.at(synced).error_code, ErrorCode::coordinator_not_available);
  CHECK_EQ(f.state(), "PreparingRebalance");
}

TEST_CASE("who joins and never syncs is put out when the rebalance timeout has passed") {
  Fixture f;
  const auto [id, ticket] = f.enter();
  f.pass(milliseconds(3000));
  for (int i = 0; i < 10; ++i) {
    CHECK_EQ(f.heartbeat(id, 1), ErrorCode::none);
    f.pass(milliseconds(6000));
  }
  CHECK_EQ(f.heartbeat(id, 1), ErrorCode::unknown_member_id);
}

TEST_CASE("a full group turns newcomers away") {
  GroupOptions options;
  options.size_max = 1;
  Fixture f(options);
  f.stable_member();
  CHECK_EQ(f.joins.at(f.join(Fixture::join_request(""))).error_code, ErrorCode::group_max_size_reached);
}

TEST_CASE("partitions that are not ours or still load say so") {
  Fixture f;
  f.stable_member();
  f.coordinator->unload(partition_of("g", 50), f.now());
  CHECK_EQ(f.heartbeat("any", 1), ErrorCode::not_coordinator);
  CHECK_EQ(f.joins.at(f.join(Fixture::join_request(""))).error_code, ErrorCode::not_coordinator);
  f.coordinator->begin_load(partition_of("g", 50));
  CHECK_EQ(f.heartbeat("any", 1), ErrorCode::none);
  CHECK_EQ(f.joins.at(f.join(Fixture::join_request(""))).error_code, ErrorCode::coordinator_load_in_progress);
  CHECK_EQ(f.syncs.at(f.sync("any", 1)).error_code, ErrorCode::rebalance_in_progress);
}

TEST_CASE("groups lie where Java's hash puts them") {
  CHECK_EQ(partition_of("group1", 50), 40);
  CHECK_EQ(partition_of("test", 50), 48);
  CHECK_EQ(partition_of("\xc3\xa9\xf0\x9f\x98\x80", 50), 12);  // beyond the basic plane: two UTF-16 units
  CHECK_EQ(partition_of("polygenelubricants", 50), 0);  // hashes to the smallest int, whose abs is none
}

}  // namespace tandem::broker::group
