#include "tools/kafka/groups.h"

#include <algorithm>

#include "broker/protocol/messages/consumer_protocol.h"
#include "broker/protocol/messages/describe_groups.h"
#include "broker/protocol/messages/list_groups.h"
#include "broker/protocol/messages/list_offsets.h"
#include "broker/protocol/messages/offset_commit.h"
#include "broker/protocol/messages/offset_fetch.h"
#include "broker/protocol/versioned.h"

namespace tandem::tools::kafka {

namespace {

base::Error failure(ErrorCode error, const std::optional<std::string>& message = std::nullopt) {
  const auto& info = protocol::error_info(error);
  return base::make_error(base::Errc::unavailable, "org.apache.kafka.common.errors.{}: {}", info.exception,
                          words_of(error, message));
}

// "classic" on the wire, "Classic" in tables.
std::string capitalized(std::string word) {
  if (!word.empty()) word.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(word.front())));
  return word;
}

std::vector<TopicPartition> decode_assignment(const protocol::Bytes& bytes) {
  std::vector<TopicPartition> partitions;
  if (bytes.data.empty()) return partitions;
  const auto assignment = protocol::decode_versioned<protocol::ConsumerProtocolAssignment>(
      bytes::Slice::own(bytes.data), protocol::NewerVersions::read_as_newest_known);
  if (!assignment) return partitions;
  for (const auto& topic : assignment->assigned_partitions)
    for (const std::int32_t partition : topic.partitions) partitions.emplace_back(topic.topic, partition);
  std::sort(partitions.begin(), partitions.end());
  return partitions;
}

}  // namespace

base::Result<std::vector<ListedGroup>> list_groups(Admin& admin, const std::vector<std::string>& states,
                                                   const std::vector<std::string>& types) {
  const auto nodes = admin.nodes();
  if (!nodes) return nodes.error();
  std::vector<ListedGroup> groups;
  for (const Node& node : *nodes) {
    const auto connection = admin.node(node.id);
    if (!connection) return connection.error();
    const auto response =
        (*connection)->call(protocol::ListGroupsRequest{.states_filter = states, .types_filter = types});
    if (!response) return response.error();
    if (response->error_code != ErrorCode::none) return failure(response->error_code);
    for (const auto& group : response->groups)
      if (group.protocol_type == "consumer" || group.protocol_type.empty())
        groups.push_back({group.group_id, group.group_state, capitalized(group.group_type)});
  }
  std::sort(groups.begin(), groups.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return groups;
}

base::Result<DescribedGroup> describe_group(Admin& admin, const std::string& group) {
  const auto coordinator = admin.coordinator_of(group);
  if (!coordinator) return coordinator.error();
  const auto response = admin.ask_coordinator<protocol::DescribeGroupsRequest>(
      group, protocol::DescribeGroupsRequest{.groups = {group}}, [](const auto& answer) {
        return answer.groups.empty() ? ErrorCode::none : answer.groups.front().error_code;
      });
  if (!response) return response.error();
  DescribedGroup described{group, "Dead", "", *coordinator, {}};
  for (const auto& found : response->groups) {
    if (found.error_code != ErrorCode::none) return failure(found.error_code);
    described.state = found.group_state;
    described.assignor = found.protocol_data;
    for (const auto& member : found.members)
      described.members.push_back({member.member_id, member.group_instance_id.value_or(""), member.client_id,
                                   member.client_host, decode_assignment(member.member_assignment)});
  }
  return described;
}

base::Result<Offsets> committed_offsets(Admin& admin, const std::string& group) {
  protocol::OffsetFetchRequest request;
  request.group_id = group;  // up to version 7, and all topics from version 2
  request.groups.push_back({.group_id = group});
  const auto response =
      admin.ask_coordinator<protocol::OffsetFetchRequest>(group, request, [](const auto& answer) {
        return answer.groups.empty() ? answer.error_code : answer.groups.front().error_code;
      });
  if (!response) return response.error();
  Offsets offsets;
  const auto add = [&](const auto& topics) {
    for (const auto& topic : topics)
      for (const auto& partition : topic.partitions)
        if (partition.committed_offset >= 0)
          offsets[{topic.name, partition.partition_index}] = partition.committed_offset;
  };
  if (response->error_code != ErrorCode::none) return failure(response->error_code);
  add(response->topics);
  for (const auto& found : response->groups) {
    if (found.error_code != ErrorCode::none) return failure(found.error_code);
    add(found.topics);
  }
  return offsets;
}

base::Status commit_offsets(Admin& admin, const std::string& group, const Offsets& offsets) {
  protocol::OffsetCommitRequest request;
  request.group_id = group;
  request.generation_id_or_member_epoch = -1;
  request.retention_time_ms = -1;
  for (const auto& [partition, offset] : offsets) {
    if (request.topics.empty() || request.topics.back().name != partition.first)
      request.topics.push_back({.name = partition.first});
    request.topics.back().partitions.push_back(
        {.partition_index = partition.second, .committed_offset = offset, .committed_metadata = ""});
  }
  if (request.topics.empty()) return {};
  const auto first_error = [](const auto& answer) {
    for (const auto& topic : answer.topics)
      for (const auto& partition : topic.partitions)
        if (partition.error_code != ErrorCode::none) return partition.error_code;
    return ErrorCode::none;
  };
  const auto response = admin.ask_coordinator<protocol::OffsetCommitRequest>(group, request, first_error);
  if (!response) return response.error();
  if (const ErrorCode error = first_error(*response); error != ErrorCode::none) return failure(error);
  return {};
}

base::Result<std::vector<TopicPartition>> partitions_of(Admin& admin, const std::string& topic) {
  const auto seen = admin.metadata(std::vector<std::string>{topic});
  if (!seen) return seen.error();
  std::vector<TopicPartition> partitions;
  for (const auto& found : seen->topics) {
    if (found.error_code != ErrorCode::none) return failure(found.error_code);
    for (const auto& partition : found.partitions) partitions.emplace_back(topic, partition.partition_index);
  }
  std::sort(partitions.begin(), partitions.end());
  return partitions;
}

base::Result<Offsets> list_offsets(Admin& admin, const std::vector<TopicPartition>& partitions,
                                   std::int64_t timestamp, std::map<TopicPartition, ErrorCode>* errors) {
  std::vector<std::string> topics;
  for (const auto& partition : partitions)
    if (topics.empty() || topics.back() != partition.first) topics.push_back(partition.first);
  Offsets offsets;
  if (topics.empty()) return offsets;
  const auto seen = admin.metadata(topics);
  if (!seen) return seen.error();
  std::map<std::int32_t, protocol::ListOffsetsRequest> by_leader;
  for (const auto& topic : seen->topics)
    for (const auto& partition : topic.partitions) {
      const TopicPartition which{topic.name.value_or(""), partition.partition_index};
      if (std::find(partitions.begin(), partitions.end(), which) == partitions.end()) continue;
      if (partition.leader_id < 0) {
        if (errors != nullptr) (*errors)[which] = ErrorCode::leader_not_available;
        continue;
      }
      auto& request = by_leader[partition.leader_id];
      request.replica_id = -1;
      if (request.topics.empty() || request.topics.back().name != which.first)
        request.topics.push_back({.name = which.first});
      request.topics.back().partitions.push_back({.partition_index = which.second, .timestamp = timestamp});
    }
  for (auto& [leader, request] : by_leader) {
    const auto connection = admin.node(leader);
    if (!connection) return connection.error();
    const auto response = (*connection)->call(request);
    if (!response) return response.error();
    for (const auto& topic : response->topics)
      for (const auto& partition : topic.partitions) {
        const TopicPartition which{topic.name, partition.partition_index};
        if (partition.error_code == ErrorCode::none) {
          offsets[which] = partition.offset;
        } else if (errors != nullptr) {
          (*errors)[which] = partition.error_code;
        } else {
          return failure(partition.error_code);
        }
      }
  }
  return offsets;
}

}  // namespace tandem::tools::kafka
