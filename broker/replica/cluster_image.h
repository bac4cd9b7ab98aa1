// ClusterImage: what the controller's UpdateMetadata requests say of the cluster: live brokers, topics,
// partition states. An immutable value: each request makes a new image that shares the topics it did not
// touch, so readers on any thread keep the one they hold. Rules of Kafka 3.9's ZkMetadataCache.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/protocol/messages/update_metadata.h"

namespace tandem::broker::replica {

inline constexpr std::int32_t kNoLeader = -1;
inline constexpr std::int32_t kLeaderDuringDelete = -2;  // "forget this partition"

struct Leadership {
  std::int32_t controller_epoch = 0;
  std::int32_t leader = kNoLeader;
  std::int32_t leader_epoch = -1;
  std::int32_t partition_epoch = -1;
  std::vector<std::int32_t> isr;
};

struct PartitionImage : Leadership {
  std::vector<std::int32_t> replicas, offline_replicas;
};

struct TopicImage {
  std::string name;
  protocol::Uuid id;
  std::map<std::int32_t, PartitionImage> partitions;
};

struct BrokerEndpoint {
  std::string host;
  std::int32_t port = 0;
};

struct BrokerImage {
  std::int32_t id = -1;
  std::optional<std::string> rack;
  std::map<std::string, BrokerEndpoint> endpoints;  // by listener name

  const BrokerEndpoint* endpoint(const std::string& listener) const;
};

class ClusterImage {
 public:
  // The image after the request; the live brokers are replaced, partitions added, changed or forgotten.
  ClusterImage updated(const protocol::UpdateMetadataRequest& request) const;
  // The image with these leaderships, as a LeaderAndIsr tells them before the UpdateMetadata behind it: those
  // that `broker` led until then and another has taken over. Nothing where there are none.
  struct Told {
    std::string topic;
    std::int32_t partition = 0;
    Leadership leadership;
  };
  std::optional<ClusterImage> without_leader(std::int32_t broker, const std::vector<Told>& told) const;

  const std::map<std::int32_t, BrokerImage>& brokers() const { return brokers_; }
  const BrokerImage* broker(std::int32_t id) const;
  const std::map<std::string, std::shared_ptr<const TopicImage>, std::less<>>& topics() const {
    return topics_;
  }
  std::shared_ptr<const TopicImage> topic(std::string_view name) const;
  std::shared_ptr<const TopicImage> topic(const protocol::Uuid& id) const;
  const PartitionImage* partition(std::string_view topic, std::int32_t partition) const;
  std::int32_t controller_id() const { return controller_id_; }

 private:
  void update_topic(const std::string& name, const protocol::Uuid& id,
                    const std::vector<protocol::UpdateMetadataRequest::UpdateMetadataPartitionState>& states);
  void replace_topic(std::shared_ptr<TopicImage> topic);

  std::int32_t controller_id_ = -1;
  std::map<std::int32_t, BrokerImage> brokers_;
  std::map<std::string, std::shared_ptr<const TopicImage>, std::less<>> topics_;
  std::map<protocol::Uuid, std::string> names_by_id_;
};

// Brokers that the newer image does not name any more.
std::set<std::int32_t> brokers_gone(const ClusterImage& before, const ClusterImage& after);

}  // namespace tandem::broker::replica
