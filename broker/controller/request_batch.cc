#include "broker/controller/request_batch.h"

namespace tandem::broker::controller {
namespace {

constexpr std::int32_t kEpochDuringDelete = -2;
constexpr std::int32_t kNoEpoch = -1;

// Appends to the topic's entry, which is the last one when partitions come in order.
template <class TopicState>
TopicState& entry_of(std::vector<TopicState>& topics, const std::string& topic) {
  if (topics.empty() || topics.back().topic_name != topic) {
    topics.emplace_back();
    topics.back().topic_name = topic;
  }
  return topics.back();
}

}  // namespace

// What is for brokers that are not there is not gathered: when they come they are told everything.
void RequestBatch::leader_and_isr(const Replicas& brokers, const TopicPartition& partition, bool is_new) {
  const Partition* known = state_.find(partition);
  ENSURE(known != nullptr && known->leadership, "LeaderAndIsr of {} without a leadership", partition.text());
  for (const auto broker : brokers) {
    if (!is_reachable(broker)) continue;
    auto& slot = leaders_[broker][partition];
    const bool was_new = slot.is_new;
    slot = leadership_of(partition, *known);
    slot.is_new = is_new || was_new;
  }
  metadata_to_all_ = true;
  add_metadata(partition);
}

RequestBatch::PartitionOf RequestBatch::leadership_of(const TopicPartition& partition,
                                                      const Partition& known) const {
  const PartitionState& leadership = *known.leadership;
  PartitionOf entry;
  entry.topic_name = partition.topic;
  entry.partition_index = partition.partition;
  entry.controller_epoch = leadership.controller_epoch;
  entry.leader = leadership.leader;
  entry.leader_epoch = leadership.leader_epoch;
  entry.isr = leadership.isr;
  entry.partition_epoch = leadership.partition_epoch;
  entry.replicas = known.assignment.replicas;
  entry.adding_replicas = known.assignment.adding;
  entry.removing_replicas = known.assignment.removing;
  if (options_.protocol.leader_recovery()) {
    entry.leader_recovery_state = static_cast<std::int8_t>(leadership.recovery);
  }
  return entry;
}

void RequestBatch::update_metadata(const std::vector<std::int32_t>& brokers,
                                   const std::vector<TopicPartition>& partitions) {
  metadata_brokers_.insert(brokers.begin(), brokers.end());
  for (const auto& partition : partitions) add_metadata(partition);
}

void RequestBatch::add_metadata(const TopicPartition& partition) {
  const Partition* known = state_.find(partition);
  if (known == nullptr || !known->leadership) return;
  auto& entry = metadata_[partition];
  entry.topic_name = partition.topic;
  entry.partition_index = partition.partition;
  entry.controller_epoch = known->leadership->controller_epoch;
  entry.leader =
      state_.deleting.contains(partition.topic) ? zk::kLeaderDuringDelete : known->leadership->leader;
  entry.leader_epoch = known->leadership->leader_epoch;
  entry.isr = known->leadership->isr;
  entry.zk_version = known->leadership->partition_epoch;
  entry.replicas = known->assignment.replicas;
  entry.offline_replicas.clear();
  for (const auto replica : entry.replicas) {
    if (!state_.is_online(replica, partition)) entry.offline_replicas.push_back(replica);
  }
}

void RequestBatch::stop_replica(std::int32_t broker, const TopicPartition& partition, bool remove) {
  if (!is_reachable(broker)) return;
  const Partition* known = state_.find(partition);
  auto& entry = stops_[broker][partition];
  entry.partition_index = partition.partition;
  if (state_.deleting.contains(partition.topic)) {
    entry.leader_epoch = kEpochDuringDelete;
  } else {
    entry.leader_epoch = known != nullptr && known->leadership ? known->leadership->leader_epoch : kNoEpoch;
  }
  entry.delete_partition = entry.delete_partition || remove;
}

protocol::Uuid RequestBatch::id_of(const std::string& topic) const {
  const auto at = state_.topics.find(topic);
  return protocol::Uuid{at == state_.topics.end() ? zk::TopicId{} : at->second.id};
}

const zk::Endpoint* RequestBatch::endpoint_of(std::int32_t broker) const {
  const auto at = state_.brokers.find(broker);
  return at == state_.brokers.end() ? nullptr : at->second.registration.endpoint(options_.listener);
}

void RequestBatch::flush_leader_and_isr(std::vector<Send>& out) {
  for (auto& [broker, partitions] : std::exchange(leaders_, {})) {
    if (!is_reachable(broker)) continue;
    protocol::LeaderAndIsrRequest request;
    request.controller_id = options_.broker_id;
    request.controller_epoch = state_.epoch;
    request.broker_epoch = state_.broker_epoch(broker);
    std::set<std::int32_t> leaders;
    for (auto& [partition, entry] : partitions) {
      leaders.insert(entry.leader);
      auto& topic = entry_of(request.topic_states, partition.topic);
      topic.topic_id = id_of(partition.topic);
      topic.partition_states.push_back(std::move(entry));
    }
    for (const auto leader : leaders) {
      const auto* endpoint = endpoint_of(leader);
      if (endpoint == nullptr) continue;
      request.live_leaders.emplace_back();
      request.live_leaders.back().broker_id = leader;
      request.live_leaders.back().host_name = endpoint->host;
      request.live_leaders.back().port = endpoint->port;
    }
    out.push_back({broker, ++last_id_, options_.protocol.leader_and_isr(), std::move(request)});
  }
}

void RequestBatch::flush_update_metadata(std::vector<Send>& out) {
  if (metadata_brokers_.empty() && !metadata_to_all_) return metadata_.clear();
  protocol::UpdateMetadataRequest request;
  request.controller_id = options_.broker_id;
  request.controller_epoch = state_.epoch;
  for (auto& [partition, entry] : std::exchange(metadata_, {})) {
    auto& topic = entry_of(request.topic_states, partition.topic);
    topic.topic_id = id_of(partition.topic);
    topic.partition_states.push_back(std::move(entry));
  }
  for (const auto& [id, live] : state_.brokers) {
    auto& broker = request.live_brokers.emplace_back();
    broker.id = id;
    broker.rack = live.registration.rack;
    for (const auto& endpoint : live.registration.endpoints) {
      auto& listener = broker.endpoints.emplace_back();
      listener.host = endpoint.host;
      listener.port = endpoint.port;
      listener.listener = endpoint.listener;
      listener.security_protocol = static_cast<std::int16_t>(endpoint.protocol);
    }
  }
  const auto shared = std::make_shared<const protocol::UpdateMetadataRequest>(std::move(request));
  if (std::exchange(metadata_to_all_, false)) {
    for (const auto& [id, live] : state_.brokers) metadata_brokers_.insert(id);
  }
  for (const auto broker : std::exchange(metadata_brokers_, {})) {
    if (!is_reachable(broker)) continue;
    out.push_back({broker, ++last_id_, options_.protocol.update_metadata(),
                   MetadataUpdate{shared, state_.broker_epoch(broker)}});
  }
}

void RequestBatch::flush_stop_replica(std::vector<Send>& out) {
  for (auto& [broker, partitions] : std::exchange(stops_, {})) {
    if (!is_reachable(broker)) continue;
    protocol::StopReplicaRequest request;
    request.controller_id = options_.broker_id;
    request.controller_epoch = state_.epoch;
    request.broker_epoch = state_.broker_epoch(broker);
    for (const auto& [partition, entry] : partitions) {
      entry_of(request.topic_states, partition.topic).partition_states.push_back(entry);
    }
    out.push_back({broker, ++last_id_, options_.protocol.stop_replica(), std::move(request)});
  }
}

std::vector<Send> RequestBatch::flush() {
  std::vector<Send> out;
  flush_leader_and_isr(out);
  flush_update_metadata(out);
  flush_stop_replica(out);
  return out;
}

void RequestBatch::clear() {
  leaders_.clear();
  metadata_brokers_.clear();
  metadata_to_all_ = false;
  metadata_.clear();
  stops_.clear();
}

}  // namespace tandem::broker::controller
