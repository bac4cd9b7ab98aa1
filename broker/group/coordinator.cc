#include "broker/group/coordinator.h"

#include <algorithm>

#include "base/check.h"
#include "broker/protocol/uuid.h"

namespace tandem::broker::group {

namespace {

// Java's String.hashCode over the UTF-16 units of a UTF-8 text.
std::int32_t java_hash(std::string_view text) {
  std::uint32_t hash = 0;
  const auto add = [&](std::uint32_t unit) { hash = hash * 31 + unit; };
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<std::uint8_t>(text[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    std::uint32_t point = size == 1 ? lead : lead & (0xffU >> (size + 1));
    for (std::size_t k = 1; k < size && i + k < text.size(); ++k) {
      point = point << 6 | (static_cast<std::uint8_t>(text[i + k]) & 0x3f);
    }
    i += size;
    if (point >= 0x10000) {
      add(0xd800 + ((point - 0x10000) >> 10));
      add(0xdc00 + ((point - 0x10000) & 0x3ff));
    } else {
      add(point);
    }
  }
  return static_cast<std::int32_t>(hash);
}

}  // namespace

ErrorCode append_failure(ErrorCode error, ErrorCode when_too_large) {
  switch (error) {
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::not_enough_replicas:
    case ErrorCode::not_enough_replicas_after_append:
      return ErrorCode::coordinator_not_available;
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::kafka_storage_error:
      return ErrorCode::not_coordinator;
    case ErrorCode::message_too_large:
    case ErrorCode::record_list_too_large:
    case ErrorCode::invalid_fetch_size:
      return when_too_large;
    default:
      return error;
  }
}

std::int32_t partition_of(std::string_view group_id, std::int32_t partitions) {
  const std::int32_t hash = java_hash(group_id);
  return (hash == INT32_MIN ? 0 : std::abs(hash)) % partitions;
}

ErrorCode GroupCoordinator::check(const std::string& group, Api api) const {
  if (group.empty() && api == Api::needs_name) return ErrorCode::invalid_group_id;
  const std::int32_t partition = partition_of(group, options_.partitions);
  if (loading_.contains(partition)) return ErrorCode::coordinator_load_in_progress;
  if (!owned_.contains(partition)) return ErrorCode::not_coordinator;
  return ErrorCode::none;
}

Group* GroupCoordinator::find(const std::string& group) {
  const auto at = groups_.find(group);
  return at == groups_.end() ? nullptr : at->second.get();
}

const Group* GroupCoordinator::find(const std::string& group) const {
  const auto at = groups_.find(group);
  return at == groups_.end() ? nullptr : at->second.get();
}

Group& GroupCoordinator::make(const std::string& group) {
  auto& place = groups_[group];
  if (!place) place = std::make_unique<Group>(group);
  return *place;
}

void GroupCoordinator::append(const std::string& group, std::vector<Record> records, OnAppended on_appended) {
  const std::uint64_t id = ++last_append_;
  if (on_appended) appends_.emplace(id, std::move(on_appended));
  effects_.emplace_back(Append{id, partition_of(group, options_.partitions), std::move(records)});
}

void GroupCoordinator::on_appended(std::uint64_t append_id, ErrorCode error, Now now) {
  const auto at = appends_.find(append_id);
  if (at == appends_.end()) return;
  const OnAppended continuation = std::move(at->second);
  appends_.erase(at);
  continuation(error, now);
}

void GroupCoordinator::start(Now now) {
  deadlines_.set({Timer::expiry, "", ""}, now.instant + options_.retention_check_interval);
}

void GroupCoordinator::on_deadline(Now now) {
  while (const auto due = deadlines_.pop_due(now.instant)) {
    const auto& [kind, group_id, member] = *due;
    if (kind == Timer::expiry) {
      expire_offsets(now);
      start(now);
      continue;
    }
    Group* group = find(group_id);
    if (group == nullptr) continue;
    if (kind == Timer::join) {
      on_join_timer(*group, now);
    } else if (kind == Timer::sync) {
      on_sync_timer(*group, now);
    } else if (kind == Timer::pending_member) {
      remove_pending(*group, member, now);
    } else if (group->has(member)) {
      // Members that wait for a rebalance need no heartbeat; a new one may not wait for ever.
      const Member& silent = group->member(member);
      if (silent.is_new || (!silent.awaiting_join && !silent.awaiting_sync))
        remove_member(*group, member, now);
    }
  }
}

void GroupCoordinator::begin_load(std::int32_t partition) { loading_.insert(partition); }

base::Status GroupCoordinator::replay(std::int32_t partition, std::string_view key,
                                      std::optional<std::string_view> value) {
  ENSURE(loading_.contains(partition), "partition {} is not being loaded", partition);
  auto stored = read_record(key, value);
  if (!stored) return stored.error();
  if (auto* commit = std::get_if<StoredCommit>(&*stored)) {
    if (commit->value) {
      make(commit->group).offsets.load(commit->at, std::move(*commit->value));
    } else if (Group* group = find(commit->group)) {
      group->offsets.remove(commit->at);
    }
  } else if (auto* stored_group = std::get_if<StoredGroup>(&*stored)) {
    auto fresh = std::make_unique<Group>(stored_group->group);
    Group* known = find(stored_group->group);
    if (known != nullptr) fresh->offsets = std::move(known->offsets);
    if (stored_group->value) fresh->restore(std::move(*stored_group->value));
    groups_[stored_group->group] = std::move(fresh);
  }
  return {};
}

void GroupCoordinator::end_load(std::int32_t partition, Now now) {
  loading_.erase(partition);
  owned_.insert(partition);
  for (auto at = groups_.begin(); at != groups_.end();) {
    Group& group = *at->second;
    const bool here = partition_of(group.id(), options_.partitions) == partition;
    const bool nothing = group.members().empty() && group.offsets.empty() && group.generation() == 0;
    if (here && nothing) {  // deleted in the log
      at = groups_.erase(at);
      continue;
    }
    for (const auto& [id, member] : group.members()) {
      if (here) watch_session(group, member, member.session_timeout, now);
    }
    ++at;
  }
}

void GroupCoordinator::unload(std::int32_t partition, Now now) {
  loading_.erase(partition);
  owned_.erase(partition);
  for (auto at = groups_.begin(); at != groups_.end();) {
    Group& group = *at->second;
    if (partition_of(group.id(), options_.partitions) != partition) {
      ++at;
      continue;
    }
    for (auto& [id, member] : group.members()) {
      if (member.awaiting_join) reply_join(*member.awaiting_join, ErrorCode::not_coordinator, id);
      if (member.awaiting_sync) reply_sync(*member.awaiting_sync, ErrorCode::not_coordinator, nullptr, "");
      unwatch(group, id);
    }
    for (const auto& id : group.pending()) unwatch(group, id);
    deadlines_.erase({Timer::join, group.id(), ""});
    deadlines_.erase({Timer::sync, group.id(), ""});
    group.transition(State::dead, now.wall);
    at = groups_.erase(at);
  }
}

std::optional<ErrorCode> GroupCoordinator::fault_of(const Group& group, const std::string& member,
                                                    const std::optional<std::string>& instance_id) const {
  if (instance_id) {
    const auto current = group.static_member(*instance_id);
    if (!current) return ErrorCode::unknown_member_id;
    if (*current != member) return ErrorCode::fenced_instance_id;
  }
  if (!group.has(member)) return ErrorCode::unknown_member_id;
  return std::nullopt;
}

std::string GroupCoordinator::make_member_id(const std::string& stem) {
  const auto uuid = protocol::Uuid::random(random_);
  std::string text;
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", uuid.bytes[i]);
  }
  return stem + "-" + text;
}

void GroupCoordinator::watch_session(const Group& group, const Member& member, milliseconds timeout,
                                     Now now) {
  deadlines_.set({Timer::session, group.id(), member.id}, now.instant + timeout);
}

void GroupCoordinator::unwatch(const Group& group, const std::string& member) {
  deadlines_.erase({Timer::session, group.id(), member});
  deadlines_.erase({Timer::pending_member, group.id(), member});
}

void GroupCoordinator::remove_member(Group& group, const std::string& id, Now now) {
  Member& member = group.member(id);
  // A client that still waits is told to begin anew.
  if (member.awaiting_join) reply_join(*member.awaiting_join, ErrorCode::unknown_member_id, "");
  if (member.awaiting_sync) reply_sync(*member.awaiting_sync, ErrorCode::unknown_member_id, nullptr, "");
  unwatch(group, id);
  group.remove(id);
  if (group.is(State::stable) || group.is(State::completing_rebalance)) {
    prepare_rebalance(group, now);
  } else if (group.is(State::preparing_rebalance)) {
    try_complete_join(group, now);
  }
}

void GroupCoordinator::remove_pending(Group& group, const std::string& member, Now now) {
  unwatch(group, member);
  group.pending().erase(member);
  if (group.is(State::preparing_rebalance)) try_complete_join(group, now);
}

ErrorCode GroupCoordinator::heartbeat(const protocol::HeartbeatRequest& request, Now now) {
  const ErrorCode error = check(request.group_id, Api::needs_name);
  // A group that still loads answers blindly: its members shall stay.
  if (error == ErrorCode::coordinator_load_in_progress) return ErrorCode::none;
  if (error != ErrorCode::none) return error;
  Group* group = find(request.group_id);
  if (group == nullptr) return ErrorCode::unknown_member_id;
  if (const auto fault = fault_of(*group, request.member_id, request.group_instance_id)) return *fault;
  if (request.generation_id != group->generation()) return ErrorCode::illegal_generation;
  if (group->is(State::empty)) return ErrorCode::unknown_member_id;
  const Member& member = group->member(request.member_id);
  watch_session(*group, member, member.session_timeout, now);
  return group->is(State::preparing_rebalance) ? ErrorCode::rebalance_in_progress : ErrorCode::none;
}

ErrorCode GroupCoordinator::leave_one(Group& group,
                                      const protocol::LeaveGroupRequest::MemberIdentity& leaving, Now now) {
  if (leaving.member_id.empty()) {  // an administrator removes a static member
    const auto current =
        leaving.group_instance_id ? group.static_member(*leaving.group_instance_id) : std::nullopt;
    if (!current) return ErrorCode::unknown_member_id;
    remove_member(group, *current, now);
    return ErrorCode::none;
  }
  if (group.pending().contains(leaving.member_id)) {
    remove_pending(group, leaving.member_id, now);
    return ErrorCode::none;
  }
  if (const auto fault = fault_of(group, leaving.member_id, leaving.group_instance_id)) return *fault;
  remove_member(group, leaving.member_id, now);
  return ErrorCode::none;
}

protocol::LeaveGroupResponse GroupCoordinator::leave(const protocol::LeaveGroupRequest& request,
                                                     std::int16_t version, Now now) {
  constexpr std::int16_t kSinceBatches = 3;
  protocol::LeaveGroupResponse response;
  response.error_code = check(request.group_id, Api::needs_name);
  if (response.error_code != ErrorCode::none) return response;
  auto leaving = request.members;
  if (version < kSinceBatches) leaving = {{request.member_id, std::nullopt, std::nullopt}};
  Group* group = find(request.group_id);
  for (const auto& one : leaving) {
    const ErrorCode error = group == nullptr ? ErrorCode::unknown_member_id : leave_one(*group, one, now);
    response.members.push_back({one.member_id, one.group_instance_id, error});
  }
  if (version < kSinceBatches) response.error_code = response.members.front().error_code;
  return response;
}

}  // namespace tandem::broker::group
