// A coordinator that owns all partitions, a clock, and short ways to speak to it: each call gives the reply
// of its own request when there is one. Appends are answered by settle(), in order, so a test decides when
// records are durable and what became of them.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "broker/group/coordinator.h"

namespace tandem::broker::group {

struct Fixture {
  GroupOptions options;
  base::ManualClock clock;
  std::unique_ptr<GroupCoordinator> coordinator;
  std::map<std::uint64_t, protocol::JoinGroupResponse> joins;
  std::map<std::uint64_t, protocol::SyncGroupResponse> syncs;
  std::map<std::uint64_t, protocol::OffsetCommitResponse> commits;
  std::vector<Append> appends;  // not settled yet
  std::vector<Record> log;      // what was appended with success
  std::uint64_t last_ticket = 0;

  explicit Fixture(GroupOptions chosen = {}) : options(chosen) { restart(); }

  Now now() const { return {clock.now(), clock.wall()}; }

  // A new coordinator that loads what is in the log.
  void restart() {
    coordinator = std::make_unique<GroupCoordinator>(options, base::Random(1));
    for (std::int32_t p = 0; p < options.partitions; ++p) coordinator->begin_load(p);
    for (const auto& record : log) {
      const auto value = record.value ? std::optional<std::string_view>(*record.value) : std::nullopt;
      REQUIRE(coordinator->replay(0, record.key, value).has_value());
    }
    for (std::int32_t p = 0; p < options.partitions; ++p) coordinator->end_load(p, now());
    coordinator->start(now());
  }

  void drain() {
    for (auto& effect : coordinator->take()) {
      if (auto* append = std::get_if<Append>(&effect)) {
        appends.push_back(std::move(*append));
        continue;
      }
      auto& reply = std::get<Reply>(effect);
      const std::uint64_t ticket = reply.ticket.value;
      if (auto* join = std::get_if<protocol::JoinGroupResponse>(&reply.response)) joins[ticket] = *join;
      if (auto* sync = std::get_if<protocol::SyncGroupResponse>(&reply.response)) syncs[ticket] = *sync;
      if (auto* commit = std::get_if<protocol::OffsetCommitResponse>(&reply.response))
        commits[ticket] = *commit;
    }
  }

  void settle(ErrorCode error = ErrorCode::none) {
    while (!appends.empty()) {
      const Append append = std::move(appends.front());
      appends.erase(appends.begin());
      if (error == ErrorCode::none) log.insert(log.end(), append.records.begin(), append.records.end());
      coordinator->on_appended(append.id, error, now());
      drain();
    }
  }

  void pass(milliseconds time) {
    const auto end = clock.now() + time;
    while (coordinator->next_deadline() && *coordinator->next_deadline() <= end) {
      if (*coordinator->next_deadline() > clock.now())
        clock.advance(*coordinator->next_deadline() - clock.now());
      coordinator->on_deadline(now());
      drain();
      settle();
    }
    if (end > clock.now()) clock.advance(end - clock.now());
  }

  static protocol::JoinGroupRequest join_request(const std::string& member,
                                                 const std::string& metadata = "m") {
    protocol::JoinGroupRequest request;
    request.group_id = "g";
    request.session_timeout_ms = 10'000;
    request.rebalance_timeout_ms = 60'000;
    request.member_id = member;
    request.protocol_type = "consumer";
    request.protocols.push_back({"range", {metadata}});
    return request;
  }

  std::uint64_t join(const protocol::JoinGroupRequest& request, std::int16_t version = 5) {
    coordinator->join(Ticket(++last_ticket), {"client", "/127.0.0.1"}, request, version, now());
    drain();
    return last_ticket;
  }

  // Version 5's two steps: the id, then the join that waits.
  std::pair<std::string, std::uint64_t> enter(const std::string& metadata = "m") {
    const std::uint64_t first = join(join_request("", metadata));
    REQUIRE_EQ(joins.at(first).error_code, ErrorCode::member_id_required);
    const std::string id = joins.at(first).member_id;
    return {id, join(join_request(id, metadata))};
  }

  std::uint64_t sync(const std::string& member, std::int32_t generation,
                     std::vector<protocol::SyncGroupRequest::SyncGroupRequestAssignment> assignments = {}) {
    protocol::SyncGroupRequest request;
    request.group_id = "g";
    request.generation_id = generation;
    request.member_id = member;
    request.assignments = std::move(assignments);
    coordinator->sync(Ticket(++last_ticket), request, now());
    drain();
    return last_ticket;
  }

  ErrorCode heartbeat(const std::string& member, std::int32_t generation) {
    protocol::HeartbeatRequest request;
    request.group_id = "g";
    request.member_id = member;
    request.generation_id = generation;
    const ErrorCode error = coordinator->heartbeat(request, now());
    drain();
    return error;
  }

  std::uint64_t commit(const std::string& member, std::int32_t generation, std::int64_t offset,
                       const std::string& metadata = "") {
    protocol::OffsetCommitRequest request;
    request.group_id = "g";
    request.member_id = member;
    request.generation_id_or_member_epoch = generation;
    request.topics.push_back({"t", {{0, offset, -1, -1, metadata}}});
    coordinator->commit(Ticket(++last_ticket), request, 8, now());
    drain();
    return last_ticket;
  }

  std::int64_t committed() const {
    protocol::OffsetFetchRequest::OffsetFetchRequestGroup request;
    request.group_id = "g";
    request.topics.emplace();
    request.topics->push_back({"t", {0}});
    return coordinator->fetch(request).topics.at(0).partitions.at(0).committed_offset;
  }

  std::string state() const { return coordinator->describe("g").group_state; }

  // One member in a stable group; its id.
  std::string stable_member() {
    const auto [id, ticket] = enter();
    pass(options.initial_rebalance_delay);
    REQUIRE_EQ(joins.at(ticket).error_code, ErrorCode::none);
    const auto synced = sync(id, joins.at(ticket).generation_id, {{id, {"all"}}});
    settle();
    REQUIRE_EQ(syncs.at(synced).assignment.data, "all");
    REQUIRE_EQ(state(), "Stable");
    return id;
  }
};

}  // namespace tandem::broker::group
