#include "broker/replica/cluster_image.h"

namespace tandem::broker::replica {

namespace {

using protocol::UpdateMetadataRequest;

// Before version 3 an endpoint had no listener name: it was that of its security protocol.
std::string listener_of(const UpdateMetadataRequest::UpdateMetadataEndpoint& endpoint) {
  if (!endpoint.listener.empty()) return endpoint.listener;
  switch (endpoint.security_protocol) {
    case 1:
      return "SSL";
    case 2:
      return "SASL_PLAINTEXT";
    case 3:
      return "SASL_SSL";
    default:
      return "PLAINTEXT";
  }
}

BrokerImage broker_image(const UpdateMetadataRequest::UpdateMetadataBroker& live) {
  BrokerImage broker;
  broker.id = live.id;
  broker.rack = live.rack;
  if (!live.v0_host.empty()) broker.endpoints["PLAINTEXT"] = {live.v0_host, live.v0_port};
  for (const auto& endpoint : live.endpoints)
    broker.endpoints[listener_of(endpoint)] = {endpoint.host, endpoint.port};
  return broker;
}

PartitionImage partition_image(const UpdateMetadataRequest::UpdateMetadataPartitionState& state) {
  return {{state.controller_epoch, state.leader, state.leader_epoch, state.zk_version, state.isr},
          state.replicas,
          state.offline_replicas};
}

}  // namespace

const BrokerEndpoint* BrokerImage::endpoint(const std::string& listener) const {
  const auto at = endpoints.find(listener);
  return at == endpoints.end() ? nullptr : &at->second;
}

ClusterImage ClusterImage::updated(const UpdateMetadataRequest& request) const {
  ClusterImage next = *this;
  next.controller_id_ = request.controller_id;
  next.brokers_.clear();
  for (const auto& live : request.live_brokers) next.brokers_[live.id] = broker_image(live);
  for (const auto& topic : request.topic_states)
    next.update_topic(topic.topic_name, topic.topic_id, topic.partition_states);
  for (const auto& state : request.ungrouped_partition_states)
    next.update_topic(state.topic_name, {}, {state});
  return next;
}

std::optional<ClusterImage> ClusterImage::without_leader(std::int32_t broker,
                                                         const std::vector<Told>& told) const {
  std::map<std::string, std::shared_ptr<TopicImage>> topics;
  for (const Told& each : told) {
    const PartitionImage* known = partition(each.topic, each.partition);
    const Leadership& now = each.leadership;
    const bool taken_over = known != nullptr && known->leader == broker && now.leader >= 0 &&
                            now.leader != broker && now.leader_epoch > known->leader_epoch;
    if (!taken_over) continue;
    auto& changed = topics[each.topic];
    if (!changed) changed = std::make_shared<TopicImage>(*topic(each.topic));
    static_cast<Leadership&>(changed->partitions[each.partition]) = now;
  }
  if (topics.empty()) return std::nullopt;
  ClusterImage next = *this;
  for (auto& [name, changed] : topics) next.replace_topic(std::move(changed));
  return next;
}

void ClusterImage::update_topic(
    const std::string& name, const protocol::Uuid& id,
    const std::vector<UpdateMetadataRequest::UpdateMetadataPartitionState>& states) {
  const auto known = topic(name);
  auto changed = known ? std::make_shared<TopicImage>(*known) : std::make_shared<TopicImage>();
  changed->name = name;
  if (!id.is_zero()) changed->id = id;
  for (const auto& state : states) {
    if (state.leader == kLeaderDuringDelete) {
      changed->partitions.erase(state.partition_index);
    } else {
      changed->partitions[state.partition_index] = partition_image(state);
    }
  }
  replace_topic(std::move(changed));
}

void ClusterImage::replace_topic(std::shared_ptr<TopicImage> topic) {
  if (const auto known = this->topic(topic->name); known && known->id != topic->id)
    names_by_id_.erase(known->id);
  if (topic->partitions.empty()) {
    topics_.erase(topic->name);
    names_by_id_.erase(topic->id);
    return;
  }
  if (!topic->id.is_zero()) names_by_id_[topic->id] = topic->name;
  topics_[topic->name] = std::move(topic);
}

const BrokerImage* ClusterImage::broker(std::int32_t id) const {
  const auto at = brokers_.find(id);
  return at == brokers_.end() ? nullptr : &at->second;
}

std::shared_ptr<const TopicImage> ClusterImage::topic(std::string_view name) const {
  const auto at = topics_.find(name);
  return at == topics_.end() ? nullptr : at->second;
}

std::shared_ptr<const TopicImage> ClusterImage::topic(const protocol::Uuid& id) const {
  const auto at = names_by_id_.find(id);
  return at == names_by_id_.end() ? nullptr : topic(at->second);
}

const PartitionImage* ClusterImage::partition(std::string_view topic, std::int32_t partition) const {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return nullptr;
  const auto at = found->second->partitions.find(partition);
  return at == found->second->partitions.end() ? nullptr : &at->second;
}

std::set<std::int32_t> brokers_gone(const ClusterImage& before, const ClusterImage& after) {
  std::set<std::int32_t> gone;
  for (const auto& [id, broker] : before.brokers())
    if (after.broker(id) == nullptr) gone.insert(id);
  return gone;
}

}  // namespace tandem::broker::replica
