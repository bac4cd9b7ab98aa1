// What handlers of partition requests answer where the partition is not here, and the hint of who leads it.
// Any thread.
#pragma once

#include "broker/api/metadata_cache.h"
#include "broker/api/services.h"

namespace tandem::broker::api {

// The cluster knows it: another broker has it. Else nobody does.
inline protocol::ErrorCode not_here(const replica::ClusterImage& image, std::string_view topic,
                                    std::int32_t partition) {
  return image.partition(topic, partition) != nullptr ? protocol::ErrorCode::not_leader_or_follower
                                                      : protocol::ErrorCode::unknown_topic_or_partition;
}

inline bool moved(protocol::ErrorCode error) {
  return error == protocol::ErrorCode::not_leader_or_follower ||
         error == protocol::ErrorCode::fenced_leader_epoch;
}

// Fills a response's current_leader and node_endpoints (KIP-951).
template <class Response, class Partition>
void hint_leader(const replica::ClusterImage& image, const std::string& listener, std::string_view topic,
                 std::int32_t index, Partition& partition, Response& response) {
  const auto* known = image.partition(topic, index);
  if (known == nullptr || known->leader < 0) return;
  partition.current_leader.leader_id = known->leader;
  partition.current_leader.leader_epoch = known->leader_epoch;
  const auto* broker = image.broker(known->leader);
  const auto* endpoint = broker == nullptr ? nullptr : broker->endpoint(listener);
  if (endpoint == nullptr) return;
  for (const auto& node : response.node_endpoints)
    if (node.node_id == known->leader) return;
  response.node_endpoints.push_back({known->leader, endpoint->host, endpoint->port, broker->rack});
}

}  // namespace tandem::broker::api
