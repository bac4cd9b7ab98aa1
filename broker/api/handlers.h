// The handlers, one for each served API, each in a file of its name; dispatch.cc decodes for them.
// Called on the thread of the connection's shard; the contract is in handler.h.
#pragma once

#include "broker/api/handler.h"
#include "broker/protocol/messages/allocate_producer_ids.h"
#include "broker/protocol/messages/alter_configs.h"
#include "broker/protocol/messages/alter_partition.h"
#include "broker/protocol/messages/alter_partition_reassignments.h"
#include "broker/protocol/messages/alter_replica_log_dirs.h"
#include "broker/protocol/messages/api_versions.h"
#include "broker/protocol/messages/controlled_shutdown.h"
#include "broker/protocol/messages/create_partitions.h"
#include "broker/protocol/messages/create_topics.h"
#include "broker/protocol/messages/delete_groups.h"
#include "broker/protocol/messages/delete_records.h"
#include "broker/protocol/messages/delete_topics.h"
#include "broker/protocol/messages/describe_cluster.h"
#include "broker/protocol/messages/describe_configs.h"
#include "broker/protocol/messages/describe_groups.h"
#include "broker/protocol/messages/describe_log_dirs.h"
#include "broker/protocol/messages/describe_producers.h"
#include "broker/protocol/messages/elect_leaders.h"
#include "broker/protocol/messages/fetch.h"
#include "broker/protocol/messages/find_coordinator.h"
#include "broker/protocol/messages/heartbeat.h"
#include "broker/protocol/messages/incremental_alter_configs.h"
#include "broker/protocol/messages/init_producer_id.h"
#include "broker/protocol/messages/join_group.h"
#include "broker/protocol/messages/leader_and_isr.h"
#include "broker/protocol/messages/leave_group.h"
#include "broker/protocol/messages/list_groups.h"
#include "broker/protocol/messages/list_offsets.h"
#include "broker/protocol/messages/list_partition_reassignments.h"
#include "broker/protocol/messages/metadata.h"
#include "broker/protocol/messages/offset_commit.h"
#include "broker/protocol/messages/offset_delete.h"
#include "broker/protocol/messages/offset_fetch.h"
#include "broker/protocol/messages/offset_for_leader_epoch.h"
#include "broker/protocol/messages/produce.h"
#include "broker/protocol/messages/stop_replica.h"
#include "broker/protocol/messages/sync_group.h"
#include "broker/protocol/messages/update_features.h"
#include "broker/protocol/messages/update_metadata.h"

namespace tandem::broker::api {

void allocate_producer_ids(Call call, protocol::AllocateProducerIdsRequest request);
void alter_partition(Call call, protocol::AlterPartitionRequest request);
void alter_partition_reassignments(Call call, protocol::AlterPartitionReassignmentsRequest request);
void alter_replica_log_dirs(Call call, protocol::AlterReplicaLogDirsRequest request);
void alter_configs(Call call, protocol::AlterConfigsRequest request);
void describe_configs(Call call, protocol::DescribeConfigsRequest request);
void incremental_alter_configs(Call call, protocol::IncrementalAlterConfigsRequest request);
void api_versions(Call call);  // answers versions that it does not know, so it decodes for itself
void controlled_shutdown(Call call, protocol::ControlledShutdownRequest request);
void create_partitions(Call call, protocol::CreatePartitionsRequest request);
void create_topics(Call call, protocol::CreateTopicsRequest request);
void delete_groups(Call call, protocol::DeleteGroupsRequest request);
void delete_records(Call call, protocol::DeleteRecordsRequest request);
void delete_topics(Call call, protocol::DeleteTopicsRequest request);
void describe_cluster(Call call, protocol::DescribeClusterRequest request);
void describe_groups(Call call, protocol::DescribeGroupsRequest request);
void describe_log_dirs(Call call, protocol::DescribeLogDirsRequest request);
void describe_producers(Call call, protocol::DescribeProducersRequest request);
void elect_leaders(Call call, protocol::ElectLeadersRequest request);
void fetch(Call call, protocol::FetchRequest request);
void find_coordinator(Call call, protocol::FindCoordinatorRequest request);
void heartbeat(Call call, protocol::HeartbeatRequest request);
void init_producer_id(Call call, protocol::InitProducerIdRequest request);
void join_group(Call call, protocol::JoinGroupRequest request);
void leader_and_isr(Call call, protocol::LeaderAndIsrRequest request);
void leave_group(Call call, protocol::LeaveGroupRequest request);
void list_groups(Call call, protocol::ListGroupsRequest request);
void list_offsets(Call call, protocol::ListOffsetsRequest request);
void list_partition_reassignments(Call call, protocol::ListPartitionReassignmentsRequest request);
void metadata(Call call, protocol::MetadataRequest request);
void offset_commit(Call call, protocol::OffsetCommitRequest request);
void offset_delete(Call call, protocol::OffsetDeleteRequest request);
void offset_fetch(Call call, protocol::OffsetFetchRequest request);
void offset_for_leader_epoch(Call call, protocol::OffsetForLeaderEpochRequest request);
void produce(Call call, protocol::ProduceRequest request);
void stop_replica(Call call, protocol::StopReplicaRequest request);
void sync_group(Call call, protocol::SyncGroupRequest request);
void update_features(Call call, protocol::UpdateFeaturesRequest request);
void update_metadata(Call call, protocol::UpdateMetadataRequest request);

}  // namespace tandem::broker::api
