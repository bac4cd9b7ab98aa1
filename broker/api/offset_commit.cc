#include <algorithm>

#include "broker/api/cluster_control.h"
#include "broker/api/group_service.h"
#include "broker/api/handlers.h"
#include "broker/api/metadata_cache.h"
#include "broker/zk/admin.h"
#include "broker/zk/paths.h"

namespace tandem::broker::api {

namespace {

using protocol::ErrorCode;
using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;

constexpr std::size_t kMetadataMax = 4096;

// Version 0 keeps offsets in the tree: set, and where the node is missing, made with its parents.
struct TreeCommit {
  Call call;
  OffsetCommitResponse response;
  std::vector<std::pair<std::string, std::string>> nodes;                     // path, data
  std::vector<OffsetCommitResponse::OffsetCommitResponsePartition*> answers;  // of each node

  std::vector<zk::ZkOp> sets() const {
    std::vector<zk::ZkOp> ops;
    for (const auto& [path, data] : nodes) ops.push_back(zk::set_op(path, data));
    return ops;
  }
};

std::vector<zk::ZkOp> creates(const std::string& path, const std::string& data) {
  std::vector<zk::ZkOp> ops;
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    ops.push_back(zk::create_empty_op(path.substr(0, slash)));
  }
  ops.push_back(zk::create_op(path, data));
  return ops;
}

void finish(const std::shared_ptr<TreeCommit>& commit, const std::vector<zk::ZkResult>& results) {
  std::vector<zk::ZkOp> missing;
  std::vector<std::size_t> made;
  for (std::size_t i = 0; i < commit->nodes.size(); ++i) {
    const bool known = i < results.size();
    if (known && results[i].ok()) continue;
    if (known && results[i].code == zk::ZkCode::no_node) {
      for (auto& op : creates(commit->nodes[i].first, commit->nodes[i].second))
        missing.push_back(std::move(op));
      continue;
    }
    commit->answers[i]->error_code = ErrorCode::unknown_server_error;
  }
  if (missing.empty()) return commit->call.respond.send(commit->response);
  commit->call.services.control->perform(std::move(missing), [commit](const std::vector<zk::ZkResult>&) {
    commit->call.respond.send(commit->response);
  });
}

void commit_to_tree(Call call, const OffsetCommitRequest& request, const replica::ClusterImage& image) {
  auto commit = std::make_shared<TreeCommit>(TreeCommit{std::move(call), {}, {}, {}});
  for (const auto& topic : request.topics) {
    auto& answered = commit->response.topics.emplace_back();
    answered.name = topic.name;
    answered.partitions.resize(topic.partitions.size());
  }
  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const auto& topic = request.topics[t];
    for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
      const auto& asked = topic.partitions[p];
      auto& answer = commit->response.topics[t].partitions[p];
      answer.partition_index = asked.partition_index;
      if (image.partition(topic.name, asked.partition_index) == nullptr) {
        answer.error_code = ErrorCode::unknown_topic_or_partition;
      } else if (asked.committed_metadata && asked.committed_metadata->size() > kMetadataMax) {
        answer.error_code = ErrorCode::offset_metadata_too_large;
      } else {
        commit->nodes.emplace_back(
            zk::consumer_offset_path(request.group_id, {topic.name, asked.partition_index}),
            std::to_string(asked.committed_offset));
        commit->answers.push_back(&answer);
      }
    }
  }
  if (commit->nodes.empty()) return commit->call.respond.send(commit->response);
  commit->call.services.control->perform(
      commit->sets(), [commit](const std::vector<zk::ZkResult>& results) { finish(commit, results); });
}

// The request without the partitions that do not exist; what was left out is answered here.
OffsetCommitRequest known_part(const OffsetCommitRequest& request, const replica::ClusterImage& image,
                               OffsetCommitResponse& unknown) {
  OffsetCommitRequest known = request;
  for (auto& topic : known.topics) {
    auto& answered = unknown.topics.emplace_back();
    answered.name = topic.name;
    std::erase_if(topic.partitions, [&](const auto& partition) {
      if (image.partition(topic.name, partition.partition_index) != nullptr) return false;
      answered.partitions.push_back({partition.partition_index, ErrorCode::unknown_topic_or_partition});
      return true;
    });
  }
  std::erase_if(known.topics, [](const auto& topic) { return topic.partitions.empty(); });
  std::erase_if(unknown.topics, [](const auto& topic) { return topic.partitions.empty(); });
  return known;
}

void merge(OffsetCommitResponse& into, OffsetCommitResponse from) {
  for (auto& topic : from.topics) {
    const auto at = std::find_if(into.topics.begin(), into.topics.end(),
                                 [&](const auto& known) { return known.name == topic.name; });
    if (at == into.topics.end()) {
      into.topics.push_back(std::move(topic));
    } else {
      at->partitions.insert(at->partitions.end(), topic.partitions.begin(), topic.partitions.end());
    }
  }
}

}  // namespace

void offset_commit(Call call, OffsetCommitRequest request) {
  const auto image = call.services.metadata.image();
  if (call.version() == 0) return commit_to_tree(std::move(call), request, *image);
  OffsetCommitResponse unknown;
  auto known = known_part(request, *image, unknown);
  if (known.topics.empty()) return call.respond.send(unknown);
  const auto shared = std::make_shared<Call>(std::move(call));
  shared->services.groups->commit(std::move(known), shared->version(),
                                  [shared, unknown = std::move(unknown)](OffsetCommitResponse response) {
                                    merge(response, unknown);
                                    shared->respond.send(response);
                                  });
}

}  // namespace tandem::broker::api
