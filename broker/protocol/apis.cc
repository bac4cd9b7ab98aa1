#include "broker/protocol/apis.h"

#include <array>

#include "broker/protocol/messages/add_offsets_to_txn.h"
#include "broker/protocol/messages/add_partitions_to_txn.h"
#include "broker/protocol/messages/allocate_producer_ids.h"
#include "broker/protocol/messages/alter_client_quotas.h"
#include "broker/protocol/messages/alter_configs.h"
#include "broker/protocol/messages/alter_partition.h"
#include "broker/protocol/messages/alter_partition_reassignments.h"
#include "broker/protocol/messages/alter_replica_log_dirs.h"
#include "broker/protocol/messages/alter_user_scram_credentials.h"
#include "broker/protocol/messages/api_versions.h"
#include "broker/protocol/messages/controlled_shutdown.h"
#include "broker/protocol/messages/create_acls.h"
#include "broker/protocol/messages/create_delegation_token.h"
#include "broker/protocol/messages/create_partitions.h"
#include "broker/protocol/messages/create_topics.h"
#include "broker/protocol/messages/delete_acls.h"
#include "broker/protocol/messages/delete_groups.h"
#include "broker/protocol/messages/delete_records.h"
#include "broker/protocol/messages/delete_topics.h"
#include "broker/protocol/messages/describe_acls.h"
#include "broker/protocol/messages/describe_client_quotas.h"
#include "broker/protocol/messages/describe_cluster.h"
#include "broker/protocol/messages/describe_configs.h"
#include "broker/protocol/messages/describe_delegation_token.h"
#include "broker/protocol/messages/describe_groups.h"
#include "broker/protocol/messages/describe_log_dirs.h"
#include "broker/protocol/messages/describe_producers.h"
#include "broker/protocol/messages/describe_transactions.h"
#include "broker/protocol/messages/describe_user_scram_credentials.h"
#include "broker/protocol/messages/elect_leaders.h"
#include "broker/protocol/messages/end_txn.h"
#include "broker/protocol/messages/expire_delegation_token.h"
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
#include "broker/protocol/messages/list_transactions.h"
#include "broker/protocol/messages/metadata.h"
#include "broker/protocol/messages/offset_commit.h"
#include "broker/protocol/messages/offset_delete.h"
#include "broker/protocol/messages/offset_fetch.h"
#include "broker/protocol/messages/offset_for_leader_epoch.h"
#include "broker/protocol/messages/produce.h"
#include "broker/protocol/messages/renew_delegation_token.h"
#include "broker/protocol/messages/sasl_authenticate.h"
#include "broker/protocol/messages/sasl_handshake.h"
#include "broker/protocol/messages/stop_replica.h"
#include "broker/protocol/messages/sync_group.h"
#include "broker/protocol/messages/txn_offset_commit.h"
#include "broker/protocol/messages/update_features.h"
#include "broker/protocol/messages/update_metadata.h"
#include "broker/protocol/messages/write_txn_markers.h"

namespace tandem::broker::protocol {

namespace {

enum Advertised { kHidden, kAdvertised };

template <class Request>
constexpr Api row(std::string_view name, Advertised advertised = kHidden) {
  using Response = typename Request::Response;
  static_assert(Request::kApi == Response::kApi && Request::kVersionMax == Response::kVersionMax &&
                Request::kFlexibleSince == Response::kFlexibleSince);
  return Api{Request::kApi,
             name,
             Request::kVersionMax,
             Request::kFlexibleSince,
             advertised == kAdvertised,
             &make_message<Request>,
             &make_message<Response>};
}

constexpr auto kApis = std::to_array<Api>({
    row<ProduceRequest>("Produce", kAdvertised),
    row<FetchRequest>("Fetch", kAdvertised),
    row<ListOffsetsRequest>("ListOffsets", kAdvertised),
    row<MetadataRequest>("Metadata", kAdvertised),
    row<LeaderAndIsrRequest>("LeaderAndIsr", kAdvertised),
    row<StopReplicaRequest>("StopReplica", kAdvertised),
    row<UpdateMetadataRequest>("UpdateMetadata", kAdvertised),
    row<ControlledShutdownRequest>("ControlledShutdown", kAdvertised),
    row<OffsetCommitRequest>("OffsetCommit", kAdvertised),
    row<OffsetFetchRequest>("OffsetFetch", kAdvertised),
    row<FindCoordinatorRequest>("FindCoordinator", kAdvertised),
    row<JoinGroupRequest>("JoinGroup", kAdvertised),
    row<HeartbeatRequest>("Heartbeat", kAdvertised),
    row<LeaveGroupRequest>("LeaveGroup", kAdvertised),
    row<SyncGroupRequest>("SyncGroup", kAdvertised),
    row<DescribeGroupsRequest>("DescribeGroups", kAdvertised),
    row<ListGroupsRequest>("ListGroups", kAdvertised),
    row<SaslHandshakeRequest>("SaslHandshake"),
    row<ApiVersionsRequest>("ApiVersions", kAdvertised),
    row<CreateTopicsRequest>("CreateTopics", kAdvertised),
    row<DeleteTopicsRequest>("DeleteTopics", kAdvertised),
    row<DeleteRecordsRequest>("DeleteRecords", kAdvertised),
    row<InitProducerIdRequest>("InitProducerId", kAdvertised),
    row<OffsetForLeaderEpochRequest>("OffsetForLeaderEpoch", kAdvertised),
    row<AddPartitionsToTxnRequest>("AddPartitionsToTxn"),
    row<AddOffsetsToTxnRequest>("AddOffsetsToTxn"),
    row<EndTxnRequest>("EndTxn"),
    row<WriteTxnMarkersRequest>("WriteTxnMarkers"),
    row<TxnOffsetCommitRequest>("TxnOffsetCommit"),
    row<DescribeAclsRequest>("DescribeAcls"),
    row<CreateAclsRequest>("CreateAcls"),
    row<DeleteAclsRequest>("DeleteAcls"),
    row<DescribeConfigsRequest>("DescribeConfigs", kAdvertised),
    row<AlterConfigsRequest>("AlterConfigs", kAdvertised),
    row<AlterReplicaLogDirsRequest>("AlterReplicaLogDirs", kAdvertised),
    row<DescribeLogDirsRequest>("DescribeLogDirs", kAdvertised),
    row<SaslAuthenticateRequest>("SaslAuthenticate"),
    row<CreatePartitionsRequest>("CreatePartitions", kAdvertised),
    row<CreateDelegationTokenRequest>("CreateDelegationToken"),
    row<RenewDelegationTokenRequest>("RenewDelegationToken"),
    row<ExpireDelegationTokenRequest>("ExpireDelegationToken"),
    row<DescribeDelegationTokenRequest>("DescribeDelegationToken"),
    row<DeleteGroupsRequest>("DeleteGroups", kAdvertised),
    row<ElectLeadersRequest>("ElectLeaders", kAdvertised),
    row<IncrementalAlterConfigsRequest>("IncrementalAlterConfigs", kAdvertised),
    row<AlterPartitionReassignmentsRequest>("AlterPartitionReassignments", kAdvertised),
    row<ListPartitionReassignmentsRequest>("ListPartitionReassignments", kAdvertised),
    row<OffsetDeleteRequest>("OffsetDelete", kAdvertised),
    row<DescribeClientQuotasRequest>("DescribeClientQuotas"),
    row<AlterClientQuotasRequest>("AlterClientQuotas"),
    row<DescribeUserScramCredentialsRequest>("DescribeUserScramCredentials"),
    row<AlterUserScramCredentialsRequest>("AlterUserScramCredentials"),
    row<AlterPartitionRequest>("AlterPartition", kAdvertised),
    row<UpdateFeaturesRequest>("UpdateFeatures", kAdvertised),
    row<DescribeClusterRequest>("DescribeCluster", kAdvertised),
    row<DescribeProducersRequest>("DescribeProducers", kAdvertised),
    row<DescribeTransactionsRequest>("DescribeTransactions"),
    row<ListTransactionsRequest>("ListTransactions"),
    row<AllocateProducerIdsRequest>("AllocateProducerIds", kAdvertised),
});

}  // namespace

std::span<const Api> all_apis() { return kApis; }

const Api* find_api(std::int16_t key) {
  // Keys ascend and few are missing, so that the row is at or just before the key's own position.
  for (std::size_t i = std::min<std::size_t>(static_cast<std::uint16_t>(key) + 1, kApis.size()); i-- > 0;) {
    if (kApis[i].key == ApiKey(key)) return &kApis[i];
    if (kApis[i].key < ApiKey(key)) break;
  }
  return nullptr;
}

const Api& api_of(ApiKey key) {
  const Api* api = find_api(static_cast<std::int16_t>(key));
  ENSURE(api != nullptr, "no API {}", static_cast<std::int16_t>(key));
  return *api;
}

}  // namespace tandem::broker::protocol
