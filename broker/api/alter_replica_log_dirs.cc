#include "broker/api/handlers.h"
#include "broker/api/metadata_cache.h"
#include "broker/api/on_owners.h"
#include "broker/api/replicas.h"

namespace tandem::broker::api {

namespace {

using protocol::AlterReplicaLogDirsRequest;
using protocol::AlterReplicaLogDirsResponse;
using protocol::ErrorCode;

struct MovesAsked {
  Call call;
  AlterReplicaLogDirsRequest request;
  AlterReplicaLogDirsResponse response;
};

// A replica that is not here belongs to other brokers, or to nobody. Topics that nothing was asked of are
// left out.
void finish(const replica::ClusterImage& image, AlterReplicaLogDirsResponse& response) {
  for (auto& topic : response.results) {
    for (auto& partition : topic.partitions) {
      const bool known = image.partition(topic.topic_name, partition.partition_index) != nullptr;
      if (partition.error_code == ErrorCode::replica_not_available && !known)
        partition.error_code = ErrorCode::unknown_topic_or_partition;
    }
  }
  std::erase_if(response.results, [](const auto& topic) { return topic.partitions.empty(); });
}

}  // namespace

void alter_replica_log_dirs(Call call, AlterReplicaLogDirsRequest request) {
  const auto asked =
      std::make_shared<MovesAsked>(std::move(call), std::move(request), AlterReplicaLogDirsResponse{});
  Services& services = asked->call.services;
  auto& results = asked->response.results;
  std::size_t count = 0;
  for (const auto& dir : asked->request.dirs) count += dir.topics.size();
  results.resize(count);
  std::size_t at = 0;
  std::vector<OwnedJob> jobs;
  for (const auto& dir : asked->request.dirs) {
    for (const auto& topic : dir.topics) {
      auto& result = results[at++];
      result.topic_name = topic.name;
      result.partitions.resize(topic.partitions.size());
      for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
        auto& answer = result.partitions[p];
        answer.partition_index = topic.partitions[p];
        jobs.push_back({services.shards.owner(topic.name, answer.partition_index),
                        [&services, &topic, &path = dir.path, &answer] {
                          answer.error_code =
                              services.replicas->move(topic.name, answer.partition_index, path);
                        }});
      }
    }
  }
  on_owners(services.shards, std::move(jobs), [asked] {
    finish(*asked->call.services.metadata.image(), asked->response);
    asked->call.respond.send(asked->response);
  });
}

}  // namespace tandem::broker::api
