// Offsets of the coordinator: commits, fetches, expiry; and what administrators ask of groups.
#include <algorithm>

#include "broker/group/coordinator.h"

namespace tandem::broker::group {

namespace {

constexpr std::int16_t kLastWithRetention = 4;  // OffsetCommit v2 to v4 bring their own retention
constexpr std::string_view kClassic = "classic";

protocol::OffsetCommitResponse answer_all(const protocol::OffsetCommitRequest& request, ErrorCode error) {
  protocol::OffsetCommitResponse response;
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (const auto& partition : topic.partitions)
      answered.partitions.push_back({partition.partition_index, error});
  }
  return response;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

bool passes(const std::vector<std::string>& filter, std::string_view value) {
  return filter.empty() || std::any_of(filter.begin(), filter.end(), [&](const auto& wanted) {
           return lower(wanted) == lower(std::string(value));
         });
}

}  // namespace

ErrorCode GroupCoordinator::commit_fault(const Group& group,
                                         const protocol::OffsetCommitRequest& request) const {
  const std::int32_t generation = request.generation_id_or_member_epoch;
  if (generation < 0 && group.is(State::empty))
    return ErrorCode::none;  // from outside the group's management
  if (generation >= 0 || !request.member_id.empty() || request.group_instance_id) {
    if (const auto fault = fault_of(group, request.member_id, request.group_instance_id)) return *fault;
    return generation == group.generation() ? ErrorCode::none : ErrorCode::illegal_generation;
  }
  return group.is(State::empty) ? ErrorCode::none : ErrorCode::unknown_member_id;
}

void GroupCoordinator::commit(Ticket ticket, const protocol::OffsetCommitRequest& request,
                              std::int16_t version, Now now) {
  const auto refuse = [&](ErrorCode error) {
    effects_.emplace_back(Reply{ticket, answer_all(request, error)});
  };
  if (const ErrorCode error = check(request.group_id, Api::allows_empty_name); error != ErrorCode::none) {
    return refuse(error);
  }
  Group* group = find(request.group_id);
  if (group == nullptr) {
    if (request.generation_id_or_member_epoch >= 0) return refuse(ErrorCode::illegal_generation);
    group = &make(request.group_id);
  }
  if (const ErrorCode error = commit_fault(*group, request); error != ErrorCode::none) return refuse(error);
  // The member's generation is right, so it has seen the rebalance: it shall sync first.
  if (group->is(State::completing_rebalance)) return refuse(ErrorCode::rebalance_in_progress);
  if (group->has(request.member_id)) {
    const Member& member = group->member(request.member_id);
    watch_session(*group, member, member.session_timeout, now);
  }
  store_commit(ticket, *group, request, version, now);
}

void GroupCoordinator::store_commit(Ticket ticket, Group& group, const protocol::OffsetCommitRequest& request,
                                    std::int16_t version, Now now) {
  protocol::OffsetCommitResponse response = answer_all(request, ErrorCode::none);
  std::vector<std::pair<TopicPartition, Committed>> commits;
  std::vector<Record> records;
  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const auto& topic = request.topics[t];
    for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
      const auto& asked = topic.partitions[p];
      Committed value{asked.committed_offset, asked.committed_leader_epoch,
                      asked.committed_metadata.value_or(""),
                      asked.commit_timestamp == -1 ? now.wall.ms : asked.commit_timestamp, std::nullopt};
      if (value.metadata.size() > options_.metadata_bytes_max) {
        response.topics[t].partitions[p].error_code = ErrorCode::offset_metadata_too_large;
        continue;
      }
      const bool own_retention = version <= kLastWithRetention && request.retention_time_ms != -1;
      if (own_retention) value.expire_timestamp = time_after(now.wall.ms, request.retention_time_ms);
      const TopicPartition at{topic.name, asked.partition_index};
      records.push_back(commit_record(group.id(), at, value));
      group.offsets.prepare(at);
      commits.emplace_back(at, std::move(value));
    }
  }
  if (records.empty()) {
    effects_.emplace_back(Reply{ticket, std::move(response)});
    return;
  }
  append(
      group.id(), std::move(records),
      [this, ticket, id = group.id(), response, commits = std::move(commits)](ErrorCode error, Now) mutable {
        Group* stored = find(id);
        for (auto& [at, value] : commits) {
          if (stored == nullptr) break;
          if (error == ErrorCode::none) {
            stored->offsets.commit(at, std::move(value));
          } else {
            stored->offsets.settle(at);
          }
        }
        for (auto& topic : response.topics) {
          for (auto& partition : topic.partitions) {
            const bool waited = partition.error_code == ErrorCode::none;
            if (waited) partition.error_code = append_failure(error, ErrorCode::invalid_commit_offset_size);
          }
        }
        effects_.emplace_back(Reply{ticket, std::move(response)});
      });
}

protocol::OffsetFetchResponse::OffsetFetchResponseGroup GroupCoordinator::fetch(
    const protocol::OffsetFetchRequest::OffsetFetchRequestGroup& request) const {
  protocol::OffsetFetchResponse::OffsetFetchResponseGroup response;
  response.group_id = request.group_id;
  response.error_code = check(request.group_id, Api::allows_empty_name);
  if (response.error_code != ErrorCode::none) return response;
  const Group* group = find(request.group_id);
  const auto partition_of_value = [](std::int32_t index, const Committed* value) {
    protocol::OffsetFetchResponse::OffsetFetchResponsePartitions partition;
    partition.partition_index = index;
    partition.committed_offset = value == nullptr ? -1 : value->offset;
    partition.committed_leader_epoch = value == nullptr ? -1 : value->leader_epoch;
    partition.metadata = value == nullptr ? "" : value->metadata;
    return partition;
  };
  if (request.topics) {
    for (const auto& topic : *request.topics) {
      auto& answered = response.topics.emplace_back();
      answered.name = topic.name;
      for (const std::int32_t index : topic.partition_indexes) {
        const Committed* value = group == nullptr ? nullptr : group->offsets.find({topic.name, index});
        answered.partitions.push_back(partition_of_value(index, value));
      }
    }
  } else if (group != nullptr) {
    for (const auto& [at, value] : group->offsets.all()) {
      if (response.topics.empty() || response.topics.back().name != at.topic)
        response.topics.push_back({at.topic, {}});
      response.topics.back().partitions.push_back(partition_of_value(at.partition, &value));
    }
  }
  return response;
}

protocol::DescribeGroupsResponse::DescribedGroup GroupCoordinator::describe(const std::string& id) const {
  protocol::DescribeGroupsResponse::DescribedGroup described;
  described.group_id = id;
  described.error_code = check(id, Api::allows_empty_name);
  if (described.error_code != ErrorCode::none) return described;
  const Group* group = find(id);
  described.group_state = to_string(group == nullptr ? State::dead : group->state());
  if (group == nullptr) return described;
  described.protocol_type = group->protocol_type().value_or("");
  const bool stable = group->is(State::stable);
  if (stable) described.protocol_data = group->protocol_name().value_or("");
  for (const auto& [member_id, member] : group->members()) {
    auto& one = described.members.emplace_back();
    one.member_id = member_id;
    one.group_instance_id = member.instance_id;
    one.client_id = member.client_id;
    one.client_host = member.client_host;
    if (!stable) continue;
    one.member_metadata.data = member.metadata(described.protocol_data);
    one.member_assignment.data = member.assignment;
  }
  return described;
}

protocol::ListGroupsResponse GroupCoordinator::list(const protocol::ListGroupsRequest& request) const {
  protocol::ListGroupsResponse response;
  if (!loading_.empty()) response.error_code = ErrorCode::coordinator_load_in_progress;
  for (const auto& [id, group] : groups_) {
    if (!passes(request.states_filter, to_string(group->state())) || !passes(request.types_filter, kClassic))
      continue;
    response.groups.push_back(
        {id, group->protocol_type().value_or(""), to_string(group->state()), std::string(kClassic)});
  }
  return response;
}

ErrorCode GroupCoordinator::delete_group(const std::string& id, Now now) {
  if (const ErrorCode error = check(id, Api::allows_empty_name); error != ErrorCode::none) return error;
  Group* group = find(id);
  if (group == nullptr) return ErrorCode::group_id_not_found;
  if (!group->is(State::empty)) return ErrorCode::non_empty_group;
  std::vector<Record> records;
  for (const auto& [at, value] : group->offsets.all()) records.push_back(commit_tombstone(id, at));
  records.push_back(group_tombstone(id));
  group->transition(State::dead, now.wall);
  for (const auto& pending : group->pending()) unwatch(*group, pending);
  groups_.erase(id);
  append(id, std::move(records), nullptr);
  return ErrorCode::none;
}

protocol::OffsetDeleteResponse GroupCoordinator::delete_offsets(
    const protocol::OffsetDeleteRequest& request) {
  protocol::OffsetDeleteResponse response;
  response.error_code = check(request.group_id, Api::needs_name);
  if (response.error_code != ErrorCode::none) return response;
  Group* group = find(request.group_id);
  if (group == nullptr) {
    response.error_code = ErrorCode::group_id_not_found;
    return response;
  }
  if (!group->is(State::empty) && !group->is_consumer_group()) {
    response.error_code = ErrorCode::non_empty_group;
    return response;
  }
  std::vector<Record> records;
  for (const auto& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    const bool in_use = !group->is(State::empty) && group->subscribes(topic.name);
    for (const auto& partition : topic.partitions) {
      const TopicPartition at{topic.name, partition.partition_index};
      const ErrorCode error = in_use ? ErrorCode::group_subscribed_to_topic : ErrorCode::none;
      answered.partitions.push_back({partition.partition_index, error});
      if (!in_use && group->offsets.remove(at)) records.push_back(commit_tombstone(group->id(), at));
    }
  }
  if (!records.empty()) append(group->id(), std::move(records), nullptr);
  return response;
}

void GroupCoordinator::on_topic_deleted(const std::string& topic) {
  for (auto& [id, group] : groups_) {
    std::vector<Record> records;
    std::vector<TopicPartition> gone;
    for (const auto& [at, value] : group->offsets.all()) {
      if (at.topic == topic) gone.push_back(at);
    }
    for (const auto& at : gone) {
      group->offsets.remove(at);
      records.push_back(commit_tombstone(id, at));
    }
    if (!records.empty()) append(id, std::move(records), nullptr);
  }
}

void GroupCoordinator::expire_offsets(Now now) {
  std::vector<std::string> ids;
  for (const auto& [id, group] : groups_) ids.push_back(id);
  for (const auto& id : ids) expire_in(*find(id), now);
}

// KIP-211: from when an Empty group became so; of a stable consumer group topics that nobody subscribes to
// any more; of commits without a group from each commit on.
void GroupCoordinator::expire_in(Group& group, Now now) {
  const auto retention = options_.offsets_retention.count();
  std::vector<TopicPartition> gone;
  const auto none = [](const std::string&) { return false; };
  if (!group.protocol_type()) {
    gone = group.offsets.expired(std::nullopt, now.wall.ms, retention, none);
  } else if (group.is(State::empty)) {
    gone = group.offsets.expired(group.state_timestamp(), now.wall.ms, retention, none);
  } else if (group.is(State::stable) && group.subscribed_topics()) {
    gone = group.offsets.expired(std::nullopt, now.wall.ms, retention,
                                 [&](const std::string& topic) { return group.subscribes(topic); });
  }
  std::vector<Record> records;
  for (const auto& at : gone) {
    group.offsets.remove(at);
    records.push_back(commit_tombstone(group.id(), at));
  }
  const bool dies = group.is(State::empty) && group.offsets.empty() && group.pending().empty();
  if (dies && group.generation() > 0) records.push_back(group_tombstone(group.id()));
  const std::string id = group.id();
  if (dies) groups_.erase(id);
  if (!records.empty()) append(id, std::move(records), nullptr);
}

}  // namespace tandem::broker::group
