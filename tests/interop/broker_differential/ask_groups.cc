#include <fmt/core.h>

#include "broker/protocol/messages/consumer_protocol.h"
#include "broker/protocol/messages/delete_groups.h"
#include "broker/protocol/messages/describe_groups.h"
#include "broker/protocol/messages/heartbeat.h"
#include "broker/protocol/messages/join_group.h"
#include "broker/protocol/messages/leave_group.h"
#include "broker/protocol/messages/list_groups.h"
#include "broker/protocol/messages/offset_commit.h"
#include "broker/protocol/messages/offset_delete.h"
#include "broker/protocol/messages/offset_fetch.h"
#include "broker/protocol/messages/sync_group.h"
#include "broker/protocol/versioned.h"
#include "probe.h"

namespace tandem::differential {

namespace {

using namespace protocol;

OffsetCommitRequest commit(std::string group, std::string topic, std::int32_t partition,
                           std::int64_t offset) {
  OffsetCommitRequest request;
  request.group_id = std::move(group);
  request.topics.push_back(
      {std::move(topic),
       {{.partition_index = partition, .committed_offset = offset, .committed_metadata = "m"}}});
  return request;
}

OffsetFetchRequest fetch(std::string group, std::string topic) {
  OffsetFetchRequest request;
  request.group_id = group;
  request.topics.emplace().push_back({topic, {0, 1}});
  request.groups.push_back({.group_id = std::move(group)});
  request.groups.back().topics.emplace().push_back({std::move(topic), {0, 1}});
  return request;
}

// Real metadata: Kafka never answers a join whose metadata it cannot read.
std::string subscription() {
  ConsumerProtocolSubscription wanted;
  wanted.topics = {"diff"};
  return encode_versioned(wanted, 0);
}

JoinGroupRequest join(std::string group, std::string member = "", std::string protocol = "range") {
  JoinGroupRequest request;
  request.group_id = std::move(group);
  request.session_timeout_ms = 10'000;
  request.rebalance_timeout_ms = 10'000;
  request.member_id = std::move(member);
  request.protocol_type = "consumer";
  request.protocols.push_back({std::move(protocol), Bytes{subscription()}});
  return request;
}

void ask_offsets(Probe& probe) {
  each_version<OffsetCommitRequest>([&](std::int16_t version) {
    probe.ask("simple", version, commit(fmt::format("simple{}", version), "diff", 0, 5));
    probe.ask("unknown partition", version, commit("simple", "diff", 99, 5));
    probe.ask("unknown topic", version, commit("simple", "unknown", 0, 5));
    auto long_metadata = commit("simple", "diff", 0, 5);
    long_metadata.topics[0].partitions[0].committed_metadata = std::string(5000, 'm');
    probe.ask("long metadata", version, long_metadata);
    if (version < 1) return;
    auto member = commit(fmt::format("simple{}", version), "diff", 0, 5);
    member.generation_id_or_member_epoch = 3;
    member.member_id = "nobody";
    probe.ask("unknown member", version, member);
    probe.ask("empty group", version, commit("", "diff", 0, 5));
  });
  each_version<OffsetFetchRequest>([&](std::int16_t version) {
    probe.ask("committed", version, fetch(fmt::format("simple{}", std::min<int>(version, 8)), "diff"));
    probe.ask("unknown group", version, fetch("nobody", "diff"));
    probe.ask("unknown topic", version, fetch("simple3", "unknown"));
    if (version < 2) return;
    auto all = fetch("simple3", "diff");
    all.topics.reset();
    all.groups[0].topics.reset();
    probe.ask("all topics", version, all);
  });
}

// A member of its own for each version: join, sync, heartbeat, leave.
void ask_membership(Probe& probe, std::int16_t version) {
  const std::string group = fmt::format("members{}", version);
  const auto learn = [](Side& side, const JoinGroupResponse& response) {
    side.member_id = response.member_id;
    side.generation = response.generation_id;
  };
  probe.ask(
      "first", version, [&](Side&) { return join(group); }, learn);
  if (version >= 4)
    probe.ask(
        "with the id", version, [&](Side& side) { return join(group, side.member_id); }, learn);
  const std::int16_t sync_version = std::min<std::int16_t>(version, SyncGroupRequest::kVersionMax);
  const auto sync = [&](Side& side, std::int32_t generation) {
    SyncGroupRequest request;
    request.group_id = group;
    request.generation_id = generation;
    request.member_id = side.member_id;
    request.protocol_type = "consumer";
    request.protocol_name = "range";
    request.assignments.push_back({side.member_id, Bytes{"assignment"}});
    return request;
  };
  const auto nothing = [](Side&, const auto&) {};
  probe.ask(
      "sync, old generation", sync_version, [&](Side& side) { return sync(side, 99); }, nothing);
  probe.ask(
      "sync", sync_version, [&](Side& side) { return sync(side, side.generation); }, nothing);
  const std::int16_t beat_version = std::min<std::int16_t>(version, HeartbeatRequest::kVersionMax);
  probe.ask(
      "heartbeat", beat_version,
      [&](Side& side) {
        return HeartbeatRequest{group, side.generation, side.member_id, std::nullopt};
      },
      nothing);
  probe.ask(
      "heartbeat, old generation", beat_version,
      [&](Side& side) {
        return HeartbeatRequest{group, side.generation + 5, side.member_id, std::nullopt};
      },
      nothing);
  probe.ask("heartbeat, unknown member", beat_version, HeartbeatRequest{group, 1, "nobody", std::nullopt});
  probe.ask("other protocol", version, join(group, "", "nothing-in-common"));
  const std::int16_t describe_version = std::min<std::int16_t>(version, DescribeGroupsRequest::kVersionMax);
  probe.ask("stable", describe_version, DescribeGroupsRequest{.groups = {group}});
  probe.ask("not empty", std::min<std::int16_t>(version, DeleteGroupsRequest::kVersionMax),
            DeleteGroupsRequest{.groups_names = {group}});
  probe.ask(
      "leave", std::min<std::int16_t>(version, LeaveGroupRequest::kVersionMax),
      [&](Side& side) {
        return LeaveGroupRequest{group, side.member_id, {{side.member_id, std::nullopt, std::nullopt}}};
      },
      nothing);
}

void ask_faults(Probe& probe) {
  each_version<JoinGroupRequest>([&](std::int16_t version) {
    probe.ask("unknown member", version, join("fresh", "nobody"));
    probe.ask("empty group", version, join(""));
    auto hasty = join("fresh");
    hasty.session_timeout_ms = 5;
    probe.ask("short session", version, hasty);
    auto bare = join("fresh");
    bare.protocols.clear();
    probe.ask("no protocols", version, bare);
  });
  each_version<LeaveGroupRequest>([&](std::int16_t version) {
    probe.ask("unknown", version, LeaveGroupRequest{"nobody", "x", {{"x", std::nullopt, std::nullopt}}});
  });
  each_version<HeartbeatRequest>([&](std::int16_t version) {
    probe.ask("no group", version, HeartbeatRequest{"none", 1, "x", std::nullopt});
  });
  each_version<SyncGroupRequest>([&](std::int16_t version) {
    SyncGroupRequest request{.group_id = "none", .generation_id = 1, .member_id = "x"};
    request.protocol_type = "consumer";
    request.protocol_name = "range";
    probe.ask("no group", version, request);
    if (version >= 5)
      probe.ask("no protocol", version, SyncGroupRequest{.group_id = "none", .member_id = "x"});
  });
}

}  // namespace

void ask_groups(Probe& probe) {
  ask_offsets(probe);
  each_version<JoinGroupRequest>([&](std::int16_t version) { ask_membership(probe, version); });
  ask_faults(probe);
  each_version<DescribeGroupsRequest>([&](std::int16_t version) {
    probe.ask("unknown", version, DescribeGroupsRequest{.groups = {"nobody"}});
    probe.ask("simple", version, DescribeGroupsRequest{.groups = {"simple2"}});
  });
  each_version<ListGroupsRequest>([&](std::int16_t version) {
    ListGroupsRequest request;
    if (version >= 4) request.states_filter = {"Dead"};
    if (version >= 4) probe.ask("none in that state", version, request);
  });
  each_version<OffsetDeleteRequest>([&](std::int16_t version) {
    OffsetDeleteRequest request{"simple2", {{"diff", {{0}}}}};
    probe.ask("there", version, request);
    request.group_id = "nobody";
    probe.ask("unknown group", version, request);
    request = {"simple3", {{"unknown", {{0}}}}};
    probe.ask("unknown topic", version, request);
  });
  each_version<DeleteGroupsRequest>([&](std::int16_t version) {
    probe.ask("there", version, DeleteGroupsRequest{.groups_names = {fmt::format("simple{}", version + 4)}});
    probe.ask("unknown", version, DeleteGroupsRequest{.groups_names = {"nobody"}});
  });
}

}  // namespace tandem::differential
