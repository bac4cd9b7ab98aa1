// What the controller core asks of its shell, and what it is asked: plain values. A Send goes to a broker
// over the connection that Connect opened, in order, one at a time, until it is answered or Disconnect comes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "broker/controller/script.h"
#include "broker/controller/topic_assign.h"
#include "broker/protocol/messages/allocate_producer_ids.h"
#include "broker/protocol/messages/alter_partition.h"
#include "broker/protocol/messages/alter_partition_reassignments.h"
#include "broker/protocol/messages/controlled_shutdown.h"
#include "broker/protocol/messages/elect_leaders.h"
#include "broker/protocol/messages/leader_and_isr.h"
#include "broker/protocol/messages/list_partition_reassignments.h"
#include "broker/protocol/messages/stop_replica.h"
#include "broker/protocol/messages/update_features.h"
#include "broker/protocol/messages/update_metadata.h"
#include "broker/zk/brokers.h"
#include "broker/zk/configs.h"

namespace tandem::broker::controller {

using RequestToken = std::uint64_t;

// ---- outwards ----
struct Connect {
  std::int32_t broker = -1;
  zk::Endpoint endpoint;  // of the inter-broker (or control plane) listener
};
struct Disconnect {
  std::int32_t broker = -1;
};
// UpdateMetadata: every broker gets the same but for the epoch of its own registration. Made once, however
// many brokers there are.
struct MetadataUpdate {
  static constexpr auto kApi = protocol::UpdateMetadataRequest::kApi;
  std::shared_ptr<const protocol::UpdateMetadataRequest> shared;
  std::int64_t broker_epoch = -1;
};
using ControlRequest =
    std::variant<protocol::LeaderAndIsrRequest, MetadataUpdate, protocol::StopReplicaRequest>;
struct Send {
  std::int32_t broker = -1;
  std::uint64_t id = 0;
  std::int16_t version = 0;
  ControlRequest request;
};
// Its process is to be observed: on_reachability() tells when its listener refuses connections, and when it
// takes them again. In place of what was observed of it before.
struct WatchBroker {
  std::int32_t broker = -1;
  std::int64_t epoch = -1;  // of the registration that names the listener
  zk::Endpoint endpoint;
};
struct UnwatchBroker {
  std::int32_t broker = -1;
};
struct Became {  // for logs and metrics
  bool active = false;
  std::int32_t epoch = 0;
};
struct Note {  // a line for the log
  std::string text;
};

// ---- requests to the active controller ----
struct TopicToCreate {
  std::string name;
  std::int32_t partitions = -1;          // -1: the default
  std::int32_t replication_factor = -1;  // -1: the default
  std::map<std::int32_t, zk::Replicas> assignment = {};
  zk::Config configs = {};  // validated by the caller
};
struct CreateTopics {
  std::vector<TopicToCreate> topics;
  bool validate_only = false;
  base::milliseconds timeout{60000};
};
struct TopicCreated {
  std::string name;
  AdminError error;
  zk::TopicId id{};
  std::int32_t partitions = -1;
  std::int32_t replication_factor = -1;
};
struct TopicsCreated {
  std::vector<TopicCreated> topics;
};

struct DeleteTopics {
  std::vector<std::string> topics;
  base::milliseconds timeout{60000};
};
struct GrowTopic {
  std::string name;
  std::int32_t count = 0;
  std::optional<std::vector<zk::Replicas>> assignments = std::nullopt;
};
struct CreatePartitions {
  std::vector<GrowTopic> topics;
  bool validate_only = false;
  base::milliseconds timeout{60000};
};
struct NamedError {
  std::string topic;
  AdminError error;
};
struct TopicErrors {  // of DeleteTopics and CreatePartitions
  std::vector<NamedError> topics;
};

using ControllerRequest =
    std::variant<protocol::AlterPartitionRequest, protocol::ControlledShutdownRequest,
                 protocol::AllocateProducerIdsRequest, protocol::AlterPartitionReassignmentsRequest,
                 protocol::ListPartitionReassignmentsRequest, protocol::ElectLeadersRequest,
                 protocol::UpdateFeaturesRequest, CreateTopics, DeleteTopics, CreatePartitions>;
using ControllerReply =
    std::variant<protocol::AlterPartitionResponse, protocol::ControlledShutdownResponse,
                 protocol::AllocateProducerIdsResponse, protocol::AlterPartitionReassignmentsResponse,
                 protocol::ListPartitionReassignmentsResponse, protocol::ElectLeadersResponse,
                 protocol::UpdateFeaturesResponse, TopicsCreated, TopicErrors>;
struct Reply {
  RequestToken token = 0;
  ControllerReply reply;
};

using Effect =
    std::variant<ZkBatch, Connect, Disconnect, Send, WatchBroker, UnwatchBroker, Became, Note, Reply>;

}  // namespace tandem::broker::controller
