#include "broker/api/handlers.h"
#include "broker/api/on_owners.h"
#include "broker/api/replicas.h"

namespace tandem::broker::api {

namespace {

using protocol::AlterReplicaLogDirsRequest;
using protocol::AlterReplicaLogDirsResponse;

struct MovesAsked {
  Call call;
  AlterReplicaLogDirsRequest request;
  AlterReplicaLogDirsResponse response;
};

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
  on_owners(services.shards, std::move(jobs), [asked] { asked->call.respond.send(asked->response); });
}

}  // namespace tandem::broker::api
