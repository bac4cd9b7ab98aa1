#include "tests/unit/broker/group/fixture.h"

namespace tandem::broker::group {

namespace {

ErrorCode error_of(const Fixture& f, std::uint64_t ticket) {
  return f.commits.at(ticket).topics.at(0).partitions.at(0).error_code;
}

constexpr milliseconds kWeek{std::int64_t{10080} * 60'000};

}  // namespace

TEST_CASE("a commit is answered and seen only once it is durable") {
  Fixture f;
  const std::string a = f.stable_member();
  const auto ticket = f.commit(a, 1, 42);
  CHECK_FALSE(f.commits.contains(ticket));
  CHECK_EQ(f.committed(), -1);
  f.settle();
  CHECK_EQ(error_of(f, ticket), ErrorCode::none);
  CHECK_EQ(f.committed(), 42);
}

TEST_CASE("a commit that could not be stored changes nothing") {
  Fixture f;
  const std::string a = f.stable_member();
  const auto ticket = f.commit(a, 1, 42);
  f.settle(ErrorCode::not_leader_or_follower);
  CHECK_EQ(error_of(f, ticket), ErrorCode::not_coordinator);
  CHECK_EQ(f.committed(), -1);
}

TEST_CASE("who may commit") {
  Fixture f;
  CHECK_EQ(error_of(f, f.commit("m", 3, 1)), ErrorCode::illegal_generation);  // no such group
  const auto simple = f.commit("", -1, 7);
  f.settle();
  CHECK_EQ(error_of(f, simple), ErrorCode::none);
  const std::string a = f.stable_member();
  CHECK_EQ(error_of(f, f.commit(a, 0, 1)), ErrorCode::illegal_generation);
  CHECK_EQ(error_of(f, f.commit("stranger", 1, 1)), ErrorCode::unknown_member_id);
  CHECK_EQ(error_of(f, f.commit("", -1, 1)), ErrorCode::unknown_member_id);  // not from outside a live group
  CHECK_EQ(error_of(f, f.commit(a, 1, 1, std::string(4097, 'x'))), ErrorCode::offset_metadata_too_large);
}

TEST_CASE("while members sync, commits of the new generation must wait") {
  Fixture f;
  const auto [id, ticket] = f.enter();
  f.pass(milliseconds(3000));
  CHECK_EQ(error_of(f, f.commit(id, 1, 5)), ErrorCode::rebalance_in_progress);
}

TEST_CASE("members, generation and offsets survive a restart; sessions begin anew") {
  Fixture f;
  const std::string a = f.stable_member();
  f.commit(a, 1, 42, "note");
  f.settle();
  f.restart();
  CHECK_EQ(f.state(), "Stable");
  CHECK_EQ(f.heartbeat(a, 1), ErrorCode::none);
  CHECK_EQ(f.syncs.at(f.sync(a, 1)).assignment.data, "all");
  CHECK_EQ(f.committed(), 42);
  f.pass(milliseconds(11'000));
  CHECK_EQ(f.state(), "Empty");
}

TEST_CASE("offsets of an empty group expire a retention after it became empty, and the group with them") {
  Fixture f;
  const std::string a = f.stable_member();
  f.commit(a, 1, 42);
  f.settle();
  for (milliseconds passed{0}; passed < kWeek * 2; passed += milliseconds(9000) * 100) {
    f.clock.advance(milliseconds(9000) * 99);  // the session's deadline is not run: the member is alive
    f.heartbeat(a, 1);
    f.pass(milliseconds(9000));
    f.heartbeat(a, 1);
  }
  CHECK_EQ(f.committed(), 42);
  f.pass(milliseconds(20'000));
  CHECK_EQ(f.state(), "Empty");
  f.pass(kWeek - milliseconds(60'000));
  CHECK_EQ(f.committed(), 42);
  f.pass(milliseconds(3'600'000));
  CHECK_EQ(f.committed(), -1);
  CHECK_EQ(f.state(), "Dead");
  f.restart();
  CHECK_EQ(f.coordinator->group_count(), 0);
}

TEST_CASE("offsets without a group expire from their commit on") {
  Fixture f;
  f.commit("", -1, 7);
  f.settle();
  f.pass(kWeek - milliseconds(700'000));
  CHECK_EQ(f.committed(), 7);
  f.pass(milliseconds(1'400'000));
  CHECK_EQ(f.committed(), -1);
}

TEST_CASE("a commit with its own retention expires then") {
  Fixture f;
  protocol::OffsetCommitRequest request;
  request.group_id = "g";
  request.retention_time_ms = 1000;
  request.topics.push_back({"t", {{0, 7, -1, -1, std::nullopt}}});
  f.coordinator->commit(Ticket(99), request, 3, f.now());
  f.drain();
  f.settle();
  CHECK_EQ(f.committed(), 7);
  f.pass(milliseconds(600'000));
  CHECK_EQ(f.committed(), -1);
}

TEST_CASE("times beyond all calendars are no trouble: the largest never comes, the smallest is over") {
  const auto later = [](std::int64_t retention_ms, std::int64_t commit_timestamp) {
    Fixture f;
    protocol::OffsetCommitRequest request;
    request.group_id = "g";
    request.retention_time_ms = retention_ms;
    request.topics.push_back({"t", {{0, 7, -1, commit_timestamp, std::nullopt}}});
    f.coordinator->commit(Ticket(99), request, 3, f.now());
    f.drain();
    f.settle();
    f.pass(milliseconds(1'200'000));
    return f.committed();
  };
  CHECK_EQ(later(INT64_MAX, -1), 7);
  CHECK_EQ(later(-1, INT64_MIN), -1);
  CHECK_EQ(later(-1, INT64_MAX), 7);
}

TEST_CASE("a group is deleted only when empty, with its offsets, and stays deleted") {
  Fixture f;
  CHECK_EQ(f.coordinator->delete_group("g", f.now()), ErrorCode::group_id_not_found);
  const std::string a = f.stable_member();
  f.commit(a, 1, 42);
  f.settle();
  CHECK_EQ(f.coordinator->delete_group("g", f.now()), ErrorCode::non_empty_group);
  f.pass(milliseconds(11'000));
  CHECK_EQ(f.coordinator->delete_group("g", f.now()), ErrorCode::none);
  f.drain();
  f.settle();
  f.restart();
  CHECK_EQ(f.coordinator->group_count(), 0);
  CHECK_EQ(f.committed(), -1);
}

TEST_CASE("single offsets are deleted unless their topic is in use") {
  Fixture f;
  f.commit("", -1, 7);
  f.settle();
  protocol::OffsetDeleteRequest request;
  request.group_id = "g";
  request.topics.push_back({"t", {{0}}});
  const auto response = f.coordinator->delete_offsets(request);
  CHECK_EQ(response.topics.at(0).partitions.at(0).error_code, ErrorCode::none);
  CHECK_EQ(f.committed(), -1);
  request.group_id = "other";
  CHECK_EQ(f.coordinator->delete_offsets(request).error_code, ErrorCode::group_id_not_found);
}

TEST_CASE("groups are listed by state, whatever its case, and by type") {
  Fixture f;
  f.stable_member();
  protocol::ListGroupsRequest request;
  CHECK_EQ(f.coordinator->list(request).groups.size(), 1);
  request.states_filter = {"stable"};
  CHECK_EQ(f.coordinator->list(request).groups.at(0).group_state, "Stable");
  request.states_filter = {"Empty"};
  CHECK(f.coordinator->list(request).groups.empty());
  request = {};
  request.types_filter = {"consumer"};
  CHECK(f.coordinator->list(request).groups.empty());
}

}  // namespace tandem::broker::group
