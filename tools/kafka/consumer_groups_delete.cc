#include <fmt/core.h>

#include <set>

#include "broker/protocol/messages/delete_groups.h"
#include "broker/protocol/messages/offset_delete.h"
#include "tools/kafka/consumer_groups.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace {

std::string exception_text(ErrorCode error) {
  return fmt::format("java.util.concurrent.ExecutionException: org.apache.kafka.common.errors.{}: {}",
                     protocol::error_info(error).exception, protocol::sentence_of(error));
}

void print_outcome(const std::string& group, const std::vector<std::string>& topics, ErrorCode error) {
  switch (error) {
    case ErrorCode::none:
      fmt::print("Request succeed for deleting offsets with topic {} group {}\n", join(topics, ", "), group);
      return;
    case ErrorCode::invalid_group_id:
      return groups_error(fmt::format("'{}' is not valid.", group));
    case ErrorCode::group_id_not_found:
      return groups_error(fmt::format("'{}' does not exist.", group));
    case ErrorCode::group_authorization_failed:
      return groups_error(fmt::format("Access to '{}' is not authorized.", group));
    case ErrorCode::non_empty_group:
      return groups_error(fmt::format(
          "Deleting offsets of a consumer group '{}' is forbidden if the group is not empty.", group));
    case ErrorCode::group_subscribed_to_topic:
    case ErrorCode::topic_authorization_failed:
    case ErrorCode::unknown_topic_or_partition:
      return groups_error("Encounter some partition level error, see the follow-up details:");
    default:
      return groups_error(fmt::format("Encounter some unknown error: {}", protocol::to_string(error)));
  }
}

}  // namespace

base::Status delete_groups(Admin& admin, const Options& options) {
  const auto ids = chosen_groups(admin, options);
  if (!ids) return ids.error();
  std::vector<std::string> deleted;
  std::vector<std::pair<std::string, ErrorCode>> failed;
  for (const std::string& id : *ids) {
    const auto response = admin.ask_coordinator<protocol::DeleteGroupsRequest>(
        id, protocol::DeleteGroupsRequest{.groups_names = {id}}, [](const auto& answer) {
          return answer.results.empty() ? ErrorCode::none : answer.results.front().error_code;
        });
    if (!response) return response.error();
    const ErrorCode error =
        response->results.empty() ? ErrorCode::none : response->results.front().error_code;
    if (error == ErrorCode::none) {
      deleted.push_back(id);
    } else {
      failed.emplace_back(id, error);
    }
  }
  if (failed.empty()) {
    fmt::print("Deletion of requested consumer groups ('{}') was successful.\n", join(deleted, ", "));
    return {};
  }
  groups_error("Deletion of some consumer groups failed:");
  for (const auto& [id, error] : failed)
    fmt::print("* Group '{}' could not be deleted due to: {}\n", id, exception_text(error));
  if (!deleted.empty())
    fmt::print("\nThese consumer groups were deleted successfully: '{}', '\n", join(deleted, "'"));
  return {};
}

base::Status delete_offsets(Admin& admin, const Options& options) {
  const std::string group = *options.get("group");
  const auto topics = options.all("topic");
  std::set<TopicPartition> partitions;
  for (const std::string& topic : topics) {
    const auto named = named_partitions(admin, topic);
    if (!named) return named.error();
    partitions.insert(named->begin(), named->end());
  }
  protocol::OffsetDeleteRequest request;
  request.group_id = group;
  for (const auto& [topic, partition] : partitions) {
    if (request.topics.empty() || request.topics.back().name != topic)
      request.topics.push_back({.name = topic});
    request.topics.back().partitions.push_back({.partition_index = partition});
  }
  const auto response = admin.ask_coordinator<protocol::OffsetDeleteRequest>(
      group, request, [](const auto& answer) { return answer.error_code; });
  if (!response) return response.error();
  std::map<TopicPartition, ErrorCode> results;
  ErrorCode worst = response->error_code;
  for (const TopicPartition& partition : partitions) results[partition] = response->error_code;
  for (const auto& topic : response->topics)
    for (const auto& partition : topic.partitions) {
      results[{topic.name, partition.partition_index}] = partition.error_code;
      if (worst == ErrorCode::none) worst = partition.error_code;
    }
  print_outcome(group, topics, worst);
  fmt::print("\n{:<30} {:<15} {:<15}", "TOPIC", "PARTITION", "STATUS");
  for (const auto& [partition, error] : results)
    fmt::print("\n{:<30} {:<15} {:<15}", partition.first, partition.second,
               error == ErrorCode::none ? "Successful" : fmt::format("Error: :{}", exception_text(error)));
  fmt::print("\n");
  return {};
}

}  // namespace tandem::tools::kafka
