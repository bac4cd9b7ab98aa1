#include <algorithm>

#include "broker/api/addressee.h"
#include "broker/api/close_as_late.h"
#include "broker/api/handlers.h"
#include "broker/api/metadata_cache.h"
#include "broker/api/on_owners.h"
#include "broker/api/replicas.h"

namespace tandem::broker::api {

namespace {

using protocol::ErrorCode;
using protocol::UpdateMetadataRequest;

// A partition that has no replica here. Names live in the request.
struct Elsewhere {
  const std::string& topic;
  const protocol::Uuid& topic_id;
  std::int32_t partition;
  std::int32_t leader_epoch;
};

struct MetadataAsked {
  Call call;
  UpdateMetadataRequest request;
  std::vector<std::vector<Elsewhere>> elsewhere = {};  // by shard
};

void note_if_elsewhere(MetadataAsked& asked, const std::string& topic, const protocol::Uuid& topic_id,
                       const UpdateMetadataRequest::UpdateMetadataPartitionState& state) {
  const Services& services = asked.call.services;
  const auto& replicas = state.replicas;
  const bool here = std::find(replicas.begin(), replicas.end(), services.node.broker_id) != replicas.end();
  if (here) return;
  const bool goes = state.leader == replica::kLeaderDuringDelete;  // with its topic, whatever the epoch
  const std::int32_t epoch = goes ? replica::kEpochDuringDelete : state.leader_epoch;
  const std::size_t shard = services.shards.owner(topic, state.partition_index);
  asked.elsewhere[shard].push_back({topic, topic_id, state.partition_index, epoch});
}

// A StopReplica is for who is alive when the replica goes, and is not said again: a broker that was paused or
// cut off while its partition moved away would lead it on in its old epoch, for ever. So do Kafka's.
void leave_what_is_elsewhere(const std::shared_ptr<MetadataAsked>& asked) {
  static constexpr protocol::Uuid kNoId{};
  Services& services = asked->call.services;
  asked->elsewhere.resize(services.shards.size());
  for (const auto& topic : asked->request.topic_states)
    for (const auto& state : topic.partition_states)
      note_if_elsewhere(*asked, topic.topic_name, topic.topic_id, state);
  for (const auto& state : asked->request.ungrouped_partition_states)
    note_if_elsewhere(*asked, state.topic_name, kNoId, state);
  const ControlMark mark{asked->request.controller_epoch, asked->call.client->number};
  std::vector<OwnedJob> jobs;
  for (std::size_t shard = 0; shard < asked->elsewhere.size(); ++shard) {
    if (asked->elsewhere[shard].empty()) continue;
    jobs.push_back({shard, [asked, &services, shard, mark] {
                      if (!services.replicas->in_order(shard, mark)) return;
                      for (const Elsewhere& each : asked->elsewhere[shard])
                        services.replicas->leave(each.topic, each.topic_id, each.partition,
                                                 each.leader_epoch);
                    }});
  }
  on_owners(services.shards, std::move(jobs),
            [asked] { asked->call.respond.send(protocol::UpdateMetadataResponse{}); });
}

}  // namespace

void update_metadata(Call call, UpdateMetadataRequest request) {
  std::optional<ErrorCode> error = ErrorCode::stale_broker_epoch;
  const Addressee meant = addressee(call.services.node, request.broker_epoch);
  if (meant == Addressee::unknown) return close_as_early(call);
  if (meant == Addressee::this_life) error = call.services.metadata.update(request, call.client->number);
  if (!error) return close_as_late(call);
  if (*error != ErrorCode::none) return call.respond.send(protocol::UpdateMetadataResponse{*error});
  leave_what_is_elsewhere(std::make_shared<MetadataAsked>(std::move(call), std::move(request)));
}

}  // namespace tandem::broker::api
