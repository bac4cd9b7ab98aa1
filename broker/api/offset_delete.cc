#include <algorithm>

#include "broker/api/group_service.h"
#include "broker/api/handlers.h"
#include "broker/api/metadata_cache.h"

namespace tandem::broker::api {

namespace {

// The core's answer, with the partitions that do not exist put in where they were asked for.
void add_unknown(const protocol::OffsetDeleteRequest& asked, const replica::ClusterImage& image,
                 protocol::OffsetDeleteResponse& response) {
  for (const auto& topic : asked.topics) {
    for (const auto& partition : topic.partitions) {
      if (image.partition(topic.name, partition.partition_index) != nullptr) continue;
      auto at = std::find_if(response.topics.begin(), response.topics.end(),
                             [&](const auto& answered) { return answered.name == topic.name; });
      if (at == response.topics.end()) at = response.topics.insert(response.topics.end(), {topic.name, {}});
      at->partitions.push_back({partition.partition_index, protocol::ErrorCode::unknown_topic_or_partition});
    }
  }
}

}  // namespace

void offset_delete(Call call, protocol::OffsetDeleteRequest request) {
  const auto image = call.services.metadata.image();
  protocol::OffsetDeleteRequest known;
  known.group_id = request.group_id;
  for (const auto& topic : request.topics) {
    auto kept = topic;
    std::erase_if(kept.partitions,
                  [&](const auto& p) { return image->partition(topic.name, p.partition_index) == nullptr; });
    if (!kept.partitions.empty()) known.topics.push_back(std::move(kept));
  }
  const auto shared = std::make_shared<Call>(std::move(call));
  shared->services.groups->run([shared, request = std::move(request), known = std::move(known), image](
                                   group::GroupCoordinator& core, group::Now) {
    auto response = core.delete_offsets(known);
    if (response.error_code == protocol::ErrorCode::none) add_unknown(request, *image, response);
    shared->respond.send(response);
  });
}

}  // namespace tandem::broker::api
