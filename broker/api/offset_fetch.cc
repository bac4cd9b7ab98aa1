#include "broker/api/cluster_control.h"
#include "broker/api/group_service.h"
#include "broker/api/handlers.h"
#include "broker/api/metadata_cache.h"
#include "broker/zk/admin.h"
#include "broker/zk/paths.h"

namespace tandem::broker::api {

namespace {

using protocol::ErrorCode;
using protocol::OffsetFetchRequest;
using protocol::OffsetFetchResponse;

constexpr std::int16_t kSinceTopLevelError = 2;
constexpr std::int16_t kSinceGroups = 8;

// Version 0: from the tree.
void fetch_from_tree(Call call, const OffsetFetchRequest& request) {
  struct TreeFetch {
    Call call;
    OffsetFetchResponse response;
    std::vector<std::pair<std::size_t, std::size_t>> places;  // of each operation: topic, partition
  };
  auto fetch = std::make_shared<TreeFetch>(TreeFetch{std::move(call), {}, {}});
  const auto image = fetch->call.services.metadata.image();
  std::vector<zk::ZkOp> ops;
  for (const auto& topic :
       request.topics.value_or(std::vector<OffsetFetchRequest::OffsetFetchRequestTopic>{})) {
    auto& answered = fetch->response.topics.emplace_back();
    answered.name = topic.name;
    for (const std::int32_t index : topic.partition_indexes) {
      OffsetFetchResponse::OffsetFetchResponsePartition partition;
      partition.partition_index = index;
      partition.committed_offset = -1;
      partition.metadata = "";
      partition.error_code =
          ErrorCode::unknown_topic_or_partition;  // also of what was never committed, as in Kafka
      answered.partitions.push_back(std::move(partition));
      if (image->partition(topic.name, index) == nullptr) continue;
      fetch->places.emplace_back(fetch->response.topics.size() - 1, answered.partitions.size() - 1);
      ops.push_back(zk::get_op(zk::consumer_offset_path(request.group_id, {topic.name, index})));
    }
  }
  if (ops.empty()) return fetch->call.respond.send(fetch->response);
  fetch->call.services.control->perform(std::move(ops), [fetch](const std::vector<zk::ZkResult>& results) {
    for (std::size_t i = 0; i < results.size(); ++i) {
      const auto offset = results[i].ok() ? zk::decode_consumer_offset(results[i].data)
                                          : base::Result<std::int64_t>(base::Error{});
      if (!offset) continue;
      auto& partition = fetch->response.topics[fetch->places[i].first].partitions[fetch->places[i].second];
      partition.committed_offset = *offset;
      partition.error_code = ErrorCode::none;
    }
    fetch->call.respond.send(fetch->response);
  });
}

OffsetFetchRequest::OffsetFetchRequestGroup as_group(const OffsetFetchRequest& request) {
  OffsetFetchRequest::OffsetFetchRequestGroup group;
  group.group_id = request.group_id;
  if (request.topics) {
    group.topics.emplace();
    for (const auto& topic : *request.topics) group.topics->push_back({topic.name, topic.partition_indexes});
  }
  return group;
}

// Before version 8: one group, whose error was each partition's before version 2.
OffsetFetchResponse single(const OffsetFetchResponse::OffsetFetchResponseGroup& fetched,
                           const OffsetFetchRequest& request, std::int16_t version) {
  OffsetFetchResponse response;
  const bool failed = fetched.error_code != ErrorCode::none;
  if (version >= kSinceTopLevelError) response.error_code = fetched.error_code;
  for (const auto& topic : fetched.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (const auto& p : topic.partitions) {
      answered.partitions.push_back(
          {p.partition_index, p.committed_offset, p.committed_leader_epoch, p.metadata, p.error_code});
    }
  }
  if (!failed || version >= kSinceTopLevelError || !request.topics) return response;
  for (const auto& topic : *request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    for (const std::int32_t index : topic.partition_indexes) {
      answered.partitions.push_back({index, -1, -1, "", fetched.error_code});
    }
  }
  return response;
}

}  // namespace

void offset_fetch(Call call, OffsetFetchRequest request) {
  if (call.version() == 0) return fetch_from_tree(std::move(call), request);
  const auto shared = std::make_shared<Call>(std::move(call));
  shared->services.groups->run(
      [shared, request = std::move(request)](group::GroupCoordinator& core, group::Now) {
        if (shared->version() < kSinceGroups) {
          return shared->respond.send(single(core.fetch(as_group(request)), request, shared->version()));
        }
        OffsetFetchResponse response;
        for (const auto& group : request.groups) response.groups.push_back(core.fetch(group));
        shared->respond.send(response);
      });
}

}  // namespace tandem::broker::api
