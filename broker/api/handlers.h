// The handlers, one for each served API, each in a file of its name; dispatch.cc decodes for them.
// Called on the thread of the connection's shard; the contract is in handler.h.
#pragma once

#include "broker/api/handler.h"
#include "broker/protocol/messages/api_versions.h"
#include "broker/protocol/messages/delete_groups.h"
#include "broker/protocol/messages/delete_records.h"
#include "broker/protocol/messages/describe_cluster.h"
#include "broker/protocol/messages/describe_groups.h"
#include "broker/protocol/messages/describe_log_dirs.h"
#include "broker/protocol/messages/fetch.h"
#include "broker/protocol/messages/find_coordinator.h"
#include "broker/protocol/messages/heartbeat.h"
#include "broker/protocol/messages/init_producer_id.h"
#include "broker/protocol/messages/join_group.h"
#include "broker/protocol/messages/leader_and_isr.h"
#include "broker/protocol/messages/leave_group.h"
#include "broker/protocol/messages/list_groups.h"
#include "broker/protocol/messages/list_offsets.h"
#include "broker/protocol/messages/metadata.h"
#include "broker/protocol/messages/offset_commit.h"
#include "broker/protocol/messages/offset_delete.h"
#include "broker/protocol/messages/offset_fetch.h"
#include "broker/protocol/messages/offset_for_leader_epoch.h"
#include "broker/protocol/messages/produce.h"
#include "broker/protocol/messages/stop_replica.h"
#include "broker/protocol/messages/sync_group.h"
#include "broker/protocol/messages/update_metadata.h"

namespace tandem::broker::api {

void api_versions(Call call);  // answers versions that it does not know, so it decodes for itself
void delete_records(Call call, protocol::DeleteRecordsRequest request);
void describe_cluster(Call call, protocol::DescribeClusterRequest request);
void describe_log_dirs(Call call, protocol::DescribeLogDirsRequest request);
void fetch(Call call, protocol::FetchRequest request);
void init_producer_id(Call call, protocol::InitProducerIdRequest request);
void leader_and_isr(Call call, protocol::LeaderAndIsrRequest request);
void list_offsets(Call call, protocol::ListOffsetsRequest request);
void metadata(Call call, protocol::MetadataRequest request);
void offset_for_leader_epoch(Call call, protocol::OffsetForLeaderEpochRequest request);
void produce(Call call, protocol::ProduceRequest request);
void stop_replica(Call call, protocol::StopReplicaRequest request);
void update_metadata(Call call, protocol::UpdateMetadataRequest request);
void delete_groups(Call call, protocol::DeleteGroupsRequest request);
void describe_groups(Call call, protocol::DescribeGroupsRequest request);
void find_coordinator(Call call, protocol::FindCoordinatorRequest request);
void heartbeat(Call call, protocol::HeartbeatRequest request);
void join_group(Call call, protocol::JoinGroupRequest request);
void leave_group(Call call, protocol::LeaveGroupRequest request);
void list_groups(Call call, protocol::ListGroupsRequest request);
void offset_commit(Call call, protocol::OffsetCommitRequest request);
void offset_delete(Call call, protocol::OffsetDeleteRequest request);
void offset_fetch(Call call, protocol::OffsetFetchRequest request);
void sync_group(Call call, protocol::SyncGroupRequest request);

}  // namespace tandem::broker::api
