// Rebalancing of the coordinator: the barrier of joins, the leader's assignment, the barrier of syncs.
#include <algorithm>

#include "base/check.h"
#include "broker/group/coordinator.h"

namespace tandem::broker::group {

void GroupCoordinator::prepare_rebalance(Group& group, Now now) {
  if (group.is(State::completing_rebalance)) propagate(group, ErrorCode::rebalance_in_progress, now);
  deadlines_.erase({Timer::sync, group.id(), ""});
  const bool first = group.is(State::empty);
  group.transition(State::preparing_rebalance, now.wall);
  if (first) {
    // The first rebalance waits a little for more members (KIP-134).
    const auto left = group.rebalance_timeout() - options_.initial_rebalance_delay;
    initial_delay_left_[group.id()] = std::max(left, milliseconds(0));
    deadlines_.set({Timer::join, group.id(), ""}, now.instant + options_.initial_rebalance_delay);
  } else {
    deadlines_.set({Timer::join, group.id(), ""}, now.instant + group.rebalance_timeout());
    try_complete_join(group, now);
  }
}

void GroupCoordinator::try_complete_join(Group& group, Now now) {
  const bool waits_for_more = initial_delay_left_.contains(group.id());
  if (group.is(State::preparing_rebalance) && !waits_for_more && group.all_joined())
    complete_join(group, now);
}

void GroupCoordinator::on_join_timer(Group& group, Now now) {
  if (!group.is(State::preparing_rebalance)) return;
  const auto left = initial_delay_left_.find(group.id());
  if (left != initial_delay_left_.end()) {
    if (group.new_member_added && left->second > milliseconds(0)) {
      group.new_member_added = false;
      const auto delay = std::min(options_.initial_rebalance_delay, left->second);
      left->second -= delay;
      deadlines_.set({Timer::join, group.id(), ""}, now.instant + delay);
      return;
    }
    initial_delay_left_.erase(left);
  }
  complete_join(group, now);
}

void GroupCoordinator::complete_join(Group& group, Now now) {
  deadlines_.erase({Timer::join, group.id(), ""});
  std::vector<std::string> gone;  // static members keep their place until their session ends
  for (const auto& [id, member] : group.members()) {
    if (!member.awaiting_join && !member.instance_id) gone.push_back(id);
  }
  for (const auto& id : gone) {
    unwatch(group, id);
    group.remove(id);
  }
  if (!group.members().empty() && !group.elect_joined_leader()) {  // only silent static members: wait on
    deadlines_.set({Timer::join, group.id(), ""}, now.instant + group.rebalance_timeout());
    return;
  }
  group.next_generation(now.wall);
  if (group.is(State::empty)) {
    append(group.id(), {group_record(group, {})}, nullptr);
    return;
  }
  for (auto& [id, member] : group.members()) {
    reply_joined(group, member, group.is_leader(id), false, group.leader());
    watch_session(group, member, member.session_timeout, now);
    member.is_new = false;
    group.pending_sync().insert(id);
  }
  deadlines_.set({Timer::sync, group.id(), ""}, now.instant + group.rebalance_timeout());
}

void GroupCoordinator::on_sync_timer(Group& group, Now now) {
  if (!group.is(State::completing_rebalance) && !group.is(State::stable)) return;
  const auto late = group.pending_sync();
  if (late.empty()) return;
  for (const auto& id : late) {
    unwatch(group, id);
    group.remove(id);
  }
  prepare_rebalance(group, now);
}

void GroupCoordinator::reply_sync(Ticket ticket, ErrorCode error, const Group* group,
                                  const std::string& assignment) {
  protocol::SyncGroupResponse response;
  response.error_code = error;
  if (error == ErrorCode::none) {
    response.protocol_type = group->protocol_type();
    response.protocol_name = group->protocol_name();
    response.assignment.data = assignment;
  }
  effects_.emplace_back(Reply{ticket, std::move(response)});
}

void GroupCoordinator::sync(Ticket ticket, const protocol::SyncGroupRequest& request, Now now) {
  ErrorCode error = check(request.group_id, Api::needs_name);
  // A client that synced before the load was over shall join again.
  if (error == ErrorCode::coordinator_load_in_progress) error = ErrorCode::rebalance_in_progress;
  if (error != ErrorCode::none) return reply_sync(ticket, error, nullptr, "");
  Group* group = find(request.group_id);
  if (group == nullptr) return reply_sync(ticket, ErrorCode::unknown_member_id, nullptr, "");
  if (const auto fault = fault_of(*group, request.member_id, request.group_instance_id)) {
    return reply_sync(ticket, *fault, nullptr, "");
  }
  if (request.generation_id != group->generation())
    return reply_sync(ticket, ErrorCode::illegal_generation, nullptr, "");
  const bool other_type = request.protocol_type && request.protocol_type != group->protocol_type();
  const bool other_name = request.protocol_name && request.protocol_name != group->protocol_name();
  if (other_type || other_name)
    return reply_sync(ticket, ErrorCode::inconsistent_group_protocol, nullptr, "");
  Member& member = group->member(request.member_id);
  switch (group->state()) {
    case State::empty:
    case State::dead:
      return reply_sync(ticket, ErrorCode::unknown_member_id, nullptr, "");
    case State::preparing_rebalance:
      return reply_sync(ticket, ErrorCode::rebalance_in_progress, nullptr, "");
    case State::completing_rebalance:
      if (member.awaiting_sync)
        reply_sync(*member.awaiting_sync, ErrorCode::rebalance_in_progress, nullptr, "");
      member.awaiting_sync = ticket;
      group->pending_sync().erase(member.id);
      if (group->is_leader(member.id)) store_assignment(*group, request);
      return;
    case State::stable:
      group->pending_sync().erase(member.id);
      watch_session(*group, member, member.session_timeout, now);
      return reply_sync(ticket, ErrorCode::none, group, member.assignment);
  }
}

void GroupCoordinator::store_assignment(Group& group, const protocol::SyncGroupRequest& request) {
  std::map<std::string, std::string> assignments;
  for (const auto& one : request.assignments) assignments[one.member_id] = one.assignment.data;
  auto record = group_record(group, assignments);
  append(group.id(), {std::move(record)},
         [this, id = group.id(), generation = group.generation(), assignments](ErrorCode error, Now now) {
           Group* stored = find(id);
           // Somebody joined meanwhile: this assignment is no longer wanted.
           if (stored == nullptr || !stored->is(State::completing_rebalance) ||
               stored->generation() != generation)
             return;
           if (error != ErrorCode::none) {
             // Nothing is known of a late append: the members shall join again.
             const bool late = error == ErrorCode::request_timed_out;
             propagate(*stored,
                       late ? ErrorCode::rebalance_in_progress
                            : append_failure(error, ErrorCode::unknown_server_error),
                       now);
             return prepare_rebalance(*stored, now);
           }
           for (auto& [member_id, member] : stored->members()) {
             const auto assigned = assignments.find(member_id);
             member.assignment = assigned == assignments.end() ? "" : assigned->second;
           }
           propagate(*stored, ErrorCode::none, now);
           stored->transition(State::stable, now.wall);
         });
}

// Answers every member that waits in the sync barrier; with an error, assignments are forgotten.
void GroupCoordinator::propagate(Group& group, ErrorCode error, Now now) {
  for (auto& [id, member] : group.members()) {
    if (error != ErrorCode::none) member.assignment.clear();
    if (!member.awaiting_sync) continue;
    reply_sync(*member.awaiting_sync, error, &group, member.assignment);
    member.awaiting_sync.reset();
    // Its heartbeat was held while it waited.
    watch_session(group, member, member.session_timeout, now);
  }
}

}  // namespace tandem::broker::group
