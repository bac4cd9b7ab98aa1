// Control requests gathered while a state machine works, one of each kind for each broker, sent together:
// LeaderAndIsr, then UpdateMetadata, then StopReplica. Owned by the Controller. Source: Kafka 3.9
// AbstractControllerBrokerRequestBatch.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "broker/controller/cluster_state.h"
#include "broker/controller/effects.h"
#include "broker/controller/protocol_version.h"

namespace tandem::broker::controller {

struct BatchOptions {
  std::int32_t broker_id = -1;  // the controller's own
  ProtocolVersion protocol;
  std::string listener = "PLAINTEXT";  // by which brokers reach each other
};

class RequestBatch {
 public:
  RequestBatch(BatchOptions options, const ClusterState& state)
      : options_(std::move(options)), state_(state) {}

  // The partition's leadership as the state has it now; the whole cluster learns of it too.
  void leader_and_isr(const Replicas& brokers, const TopicPartition& partition, bool is_new);
  void update_metadata(const std::vector<std::int32_t>& brokers,
                       const std::vector<TopicPartition>& partitions);
  void stop_replica(std::int32_t broker, const TopicPartition& partition, bool remove);

  // What is to be sent; the batch is empty afterwards.
  std::vector<Send> flush();
  void clear();
  bool is_reachable(std::int32_t broker) const { return state_.brokers.contains(broker); }

 private:
  using PartitionOf = protocol::LeaderAndIsrRequest::LeaderAndIsrPartitionState;

  PartitionOf leadership_of(const TopicPartition& partition, const Partition& known) const;
  void add_metadata(const TopicPartition& partition);
  void flush_leader_and_isr(std::vector<Send>& out);
  void flush_update_metadata(std::vector<Send>& out);
  void flush_stop_replica(std::vector<Send>& out);
  protocol::Uuid id_of(const std::string& topic) const;
  const zk::Endpoint* endpoint_of(std::int32_t broker) const;

  BatchOptions options_;
  const ClusterState& state_;
  std::uint64_t last_id_ = 0;
  std::map<std::int32_t, std::map<TopicPartition, PartitionOf>> leaders_;
  std::set<std::int32_t> metadata_brokers_;
  bool metadata_to_all_ = false;  // to every broker that is there
  std::map<TopicPartition, protocol::UpdateMetadataRequest::UpdateMetadataPartitionState> metadata_;
  std::map<std::int32_t, std::map<TopicPartition, protocol::StopReplicaRequest::StopReplicaPartitionState>>
      stops_;
};

}  // namespace tandem::broker::controller
