// JoinGroup of the coordinator: new, known and static members.
#include "base/check.h"
#include "broker/group/coordinator.h"

namespace tandem::broker::group {

namespace {

constexpr milliseconds kNewMemberTimeout{300'000};  // a joining client that went away must not stay for ever
constexpr std::int16_t kSinceMemberIdRequired = 4;  // KIP-394
constexpr std::int16_t kSinceSkipAssignment = 9;    // KIP-814

}  // namespace

struct GroupCoordinator::Joining {
  Ticket ticket;
  const Caller& caller;
  const protocol::JoinGroupRequest& request;
  std::int16_t version;

  milliseconds session_timeout() const { return milliseconds(request.session_timeout_ms); }
  milliseconds rebalance_timeout() const {  // version 0 has none of its own
    return milliseconds(version == 0 ? request.session_timeout_ms : request.rebalance_timeout_ms);
  }
};

void GroupCoordinator::reply_join(Ticket ticket, ErrorCode error, const std::string& member) {
  protocol::JoinGroupResponse response;
  response.error_code = error;
  response.member_id = member;
  effects_.emplace_back(Reply{ticket, std::move(response)});
}

void GroupCoordinator::reply_joined(Group& group, Member& member, bool with_members, bool skip_assignment,
                                    const std::string& leader) {
  if (!member.awaiting_join) return;
  protocol::JoinGroupResponse response;
  response.generation_id = group.generation();
  response.protocol_type = group.protocol_type();
  response.protocol_name = group.protocol_name();
  response.leader = leader;
  response.skip_assignment = skip_assignment;
  response.member_id = member.id;
  if (with_members) response.members = group.member_metadata();
  effects_.emplace_back(Reply{*member.awaiting_join, std::move(response)});
  member.awaiting_join.reset();
}

bool GroupCoordinator::accepts(const Group& group, const std::string& member) const {
  switch (group.state()) {
    case State::empty:
    case State::dead:
      return true;
    case State::preparing_rebalance:
      return (group.has(member) && group.members().at(member).awaiting_join) ||
             group.awaiting_join() < options_.size_max;
    case State::completing_rebalance:
    case State::stable:
      return group.has(member) || group.members().size() < options_.size_max;
  }
  UNREACHABLE();
}

void GroupCoordinator::join(Ticket ticket, const Caller& caller, const protocol::JoinGroupRequest& request,
                            std::int16_t version, Now now) {
  const ErrorCode error = check(request.group_id, Api::needs_name);
  if (error != ErrorCode::none) return reply_join(ticket, error, request.member_id);
  const Joining joining{ticket, caller, request, version};
  if (joining.session_timeout() < options_.session_min || joining.session_timeout() > options_.session_max) {
    return reply_join(ticket, ErrorCode::invalid_session_timeout, request.member_id);
  }
  const bool is_new = request.member_id.empty();
  if (!is_new && find(request.group_id) == nullptr) {
    return reply_join(ticket, ErrorCode::unknown_member_id, request.member_id);
  }
  Group& group = make(request.group_id);
  if (!accepts(group, request.member_id)) {
    group.remove(request.member_id);
    unwatch(group, request.member_id);
    reply_join(ticket, ErrorCode::group_max_size_reached, "");
  } else if (!group.supports(request.protocol_type, request.protocols)) {
    return reply_join(ticket, ErrorCode::inconsistent_group_protocol, request.member_id);
  } else if (is_new) {
    join_new(group, joining, now);
  } else {
    join_current(group, joining, now);
  }
  if (group.is(State::preparing_rebalance)) try_complete_join(group, now);
}

void GroupCoordinator::join_new(Group& group, const Joining& joining, Now now) {
  const auto& request = joining.request;
  if (request.group_instance_id) {
    return join_new_static(group, joining, make_member_id(*request.group_instance_id), now);
  }
  const std::string id = make_member_id(joining.caller.client_id);
  if (joining.version < kSinceMemberIdRequired) return add_and_rebalance(group, joining, id, now);
  group.pending().insert(id);
  deadlines_.set({Timer::pending_member, group.id(), id}, now.instant + joining.session_timeout());
  reply_join(joining.ticket, ErrorCode::member_id_required, id);
}

void GroupCoordinator::join_new_static(Group& group, const Joining& joining, const std::string& new_id,
                                       Now now) {
  if (const auto old_id = group.static_member(*joining.request.group_instance_id)) {
    replace_static(group, joining, *old_id, new_id, now);
  } else {
    add_and_rebalance(group, joining, new_id, now);
  }
}

void GroupCoordinator::join_current(Group& group, const Joining& joining, Now now) {
  const auto& request = joining.request;
  if (group.pending().contains(request.member_id)) {
    unwatch(group, request.member_id);
    return add_and_rebalance(group, joining, request.member_id, now);
  }
  if (const auto fault = fault_of(group, request.member_id, request.group_instance_id)) {
    return reply_join(joining.ticket, *fault, request.member_id);
  }
  Member& member = group.member(request.member_id);
  const bool same = member.protocols == request.protocols;
  const bool leads = group.is_leader(member.id);
  switch (group.state()) {
    case State::preparing_rebalance:
      return update_and_rebalance(group, member, joining, now);
    case State::completing_rebalance:  // perhaps the first response was lost
    case State::stable: {
      // A leader that joins again asks for a rebalance: it has seen a change that its metadata does not show.
      if (!same || (leads && group.is(State::stable)))
        return update_and_rebalance(group, member, joining, now);
      member.awaiting_join = joining.ticket;
      return reply_joined(group, member, leads, false, group.leader());
    }
    case State::empty:
    case State::dead:
      return reply_join(joining.ticket, ErrorCode::unknown_member_id, request.member_id);
  }
}

void GroupCoordinator::add_and_rebalance(Group& group, const Joining& joining, const std::string& id,
                                         Now now) {
  Member member;
  member.id = id;
  member.instance_id = joining.request.group_instance_id;
  member.client_id = joining.caller.client_id;
  member.client_host = joining.caller.client_host;
  member.rebalance_timeout = joining.rebalance_timeout();
  member.session_timeout = joining.session_timeout();
  member.protocols = joining.request.protocols;
  member.is_new = true;
  member.awaiting_join = joining.ticket;
  if (group.is(State::preparing_rebalance) && group.generation() == 0) group.new_member_added = true;
  watch_session(group, member, kNewMemberTimeout, now);
  group.add(std::move(member), joining.request.protocol_type);
  if (group.can_rebalance()) prepare_rebalance(group, now);
}

void GroupCoordinator::update_and_rebalance(Group& group, Member& member, const Joining& joining, Now now) {
  if (member.awaiting_join) reply_join(*member.awaiting_join, ErrorCode::rebalance_in_progress, member.id);
  member.protocols = joining.request.protocols;
  member.rebalance_timeout = joining.rebalance_timeout();
  member.session_timeout = joining.session_timeout();
  member.awaiting_join = joining.ticket;
  if (group.can_rebalance()) prepare_rebalance(group, now);
}

void GroupCoordinator::replace_static(Group& group, const Joining& joining, const std::string& old_id,
                                      const std::string& new_id, Now now) {
  const std::string old_leader = group.leader();
  Member& old = group.member(old_id);
  // Whoever still waits under the old id is a duplicate.
  if (old.awaiting_join) reply_join(*old.awaiting_join, ErrorCode::fenced_instance_id, old_id);
  if (old.awaiting_sync) reply_sync(*old.awaiting_sync, ErrorCode::fenced_instance_id, nullptr, "");
  unwatch(group, old_id);
  const Member before = old;
  Member& member = group.replace_static(*joining.request.group_instance_id, old_id, new_id);
  member.protocols = joining.request.protocols;
  member.rebalance_timeout = joining.rebalance_timeout();
  member.session_timeout = joining.session_timeout();
  member.client_id = joining.caller.client_id;
  member.client_host = joining.caller.client_host;
  member.awaiting_join = joining.ticket;
  watch_session(group, member, member.session_timeout, now);
  if (group.is(State::stable) && group.protocol_name() == group.select_protocol()) {
    return store_replaced(group, joining, old_leader, before, new_id, now);
  }
  if (group.is(State::stable) || group.is(State::completing_rebalance)) prepare_rebalance(group, now);
}

// A static member that comes back to a stable group goes on without a rebalance; only its new id is stored.
void GroupCoordinator::store_replaced(Group& group, const Joining& joining, const std::string& old_leader,
                                      const Member& before, const std::string& new_id, Now) {
  std::map<std::string, std::string> assignments;
  for (const auto& [id, member] : group.members()) assignments[id] = member.assignment;
  const bool may_skip = joining.version >= kSinceSkipAssignment;
  const std::string instance = *joining.request.group_instance_id;
  append(group.id(), {group_record(group, assignments)},
         [this, id = group.id(), before, new_id, old_leader, may_skip, instance](ErrorCode error, Now now) {
           Group* stored = find(id);
           if (stored == nullptr || !stored->has(new_id)) return;
           Member& member = stored->member(new_id);
           if (error == ErrorCode::none) {
             const bool leads = may_skip && stored->is_leader(new_id);
             return reply_joined(*stored, member, leads, leads, may_skip ? stored->leader() : old_leader);
           }
           if (member.awaiting_join) reply_join(*member.awaiting_join, error, "");
           unwatch(*stored, new_id);
           Member& restored = stored->replace_static(instance, new_id, before.id);
           restored.protocols = before.protocols;
           restored.session_timeout = before.session_timeout;
           restored.rebalance_timeout = before.rebalance_timeout;
           watch_session(*stored, restored, restored.session_timeout, now);
         });
}

}  // namespace tandem::broker::group
