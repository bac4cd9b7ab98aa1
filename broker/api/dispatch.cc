#include "broker/api/dispatch.h"

#include <array>

#include "broker/api/handlers.h"

namespace tandem::broker::api {

namespace {

struct Row {
  protocol::ApiKey key;
  Handler handler;
};

// Decodes and hands over; what cannot be decoded ends the connection, as in Kafka.
template <class Request, void (*handle)(Call, Request)>
constexpr Row row() {
  return {Request::kApi, [](Call call) {
            Request request;
            if (const auto status = protocol::decode_into(request, call.frame); !status) {
              call.services.log.warn("closing {}: {}", call.client->host, status.error().context);
              call.respond.close();
              return;
            }
            handle(std::move(call), std::move(request));
          }};
}

constexpr std::array kRows = {
    row<protocol::ProduceRequest, &produce>(),
    row<protocol::FetchRequest, &fetch>(),
    row<protocol::ListOffsetsRequest, &list_offsets>(),
    row<protocol::MetadataRequest, &metadata>(),
    row<protocol::LeaderAndIsrRequest, &leader_and_isr>(),
    row<protocol::StopReplicaRequest, &stop_replica>(),
    row<protocol::UpdateMetadataRequest, &update_metadata>(),
    row<protocol::OffsetCommitRequest, &offset_commit>(),
    row<protocol::OffsetFetchRequest, &offset_fetch>(),
    row<protocol::FindCoordinatorRequest, &find_coordinator>(),
    row<protocol::JoinGroupRequest, &join_group>(),
    row<protocol::HeartbeatRequest, &heartbeat>(),
    row<protocol::LeaveGroupRequest, &leave_group>(),
    row<protocol::SyncGroupRequest, &sync_group>(),
    row<protocol::DescribeGroupsRequest, &describe_groups>(),
    row<protocol::ListGroupsRequest, &list_groups>(),
    Row{protocol::ApiKey::api_versions, &api_versions},
    row<protocol::DescribeConfigsRequest, &describe_configs>(),
    row<protocol::AlterConfigsRequest, &alter_configs>(),
    row<protocol::IncrementalAlterConfigsRequest, &incremental_alter_configs>(),
    row<protocol::DeleteRecordsRequest, &delete_records>(),
    row<protocol::InitProducerIdRequest, &init_producer_id>(),
    row<protocol::OffsetForLeaderEpochRequest, &offset_for_leader_epoch>(),
    row<protocol::AlterReplicaLogDirsRequest, &alter_replica_log_dirs>(),
    row<protocol::DescribeLogDirsRequest, &describe_log_dirs>(),
    row<protocol::DeleteGroupsRequest, &delete_groups>(),
    row<protocol::OffsetDeleteRequest, &offset_delete>(),
    row<protocol::AllocateProducerIdsRequest, &allocate_producer_ids>(),
    row<protocol::AlterPartitionRequest, &alter_partition>(),
    row<protocol::ControlledShutdownRequest, &controlled_shutdown>(),
    row<protocol::CreatePartitionsRequest, &create_partitions>(),
    row<protocol::CreateTopicsRequest, &create_topics>(),
    row<protocol::DeleteTopicsRequest, &delete_topics>(),
    row<protocol::DescribeClusterRequest, &describe_cluster>(),
    row<protocol::ElectLeadersRequest, &elect_leaders>(),
    row<protocol::AlterPartitionReassignmentsRequest, &alter_partition_reassignments>(),
    row<protocol::ListPartitionReassignmentsRequest, &list_partition_reassignments>(),
    row<protocol::UpdateFeaturesRequest, &update_features>(),
    row<protocol::DescribeProducersRequest, &describe_producers>(),
};

}  // namespace

Handler find_handler(protocol::ApiKey key) {
  for (const Row& row : kRows) {
    if (row.key == key) return row.handler;
  }
  return nullptr;
}

std::vector<protocol::ApiVersionsResponse::ApiVersion> served_apis() {
  std::vector<protocol::ApiVersionsResponse::ApiVersion> rows;
  for (const protocol::Api& api : protocol::all_apis()) {
    if (!api.advertised || find_handler(api.key) == nullptr) continue;
    rows.push_back({static_cast<std::int16_t>(api.key), 0, api.version_max});
  }
  return rows;
}

}  // namespace tandem::broker::api
