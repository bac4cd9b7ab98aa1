#include <atomic>

#include "broker/api/addressee.h"
#include "broker/api/close_as_late.h"
#include "broker/api/handlers.h"
#include "broker/api/on_owners.h"
#include "broker/api/replicas.h"

namespace tandem::broker::api {

namespace {

using protocol::ErrorCode;
using protocol::StopReplicaRequest;
using protocol::StopReplicaResponse;

constexpr std::int32_t kNoEpoch = -1;

struct Stop {
  std::string topic;
  std::int32_t partition = 0;
  std::int32_t leader_epoch = kNoEpoch;
  bool remove = false;
};

struct StopsAsked {
  Call call;
  std::vector<Stop> stops;
  StopReplicaResponse response = {};
  std::atomic<bool> late = false;  // a shard has heard what the controller sent behind it
};

void answer_stops(StopsAsked& asked) {
  if (!asked.late) return asked.call.respond.send(asked.response);
  close_as_late(asked.call);
}

// The three shapes of the request as one list.
std::vector<Stop> stops_of(const StopReplicaRequest& request) {
  std::vector<Stop> out;
  for (const auto& partition : request.ungrouped_partitions)
    out.push_back({partition.topic_name, partition.partition_index, kNoEpoch, request.delete_partitions});
  for (const auto& topic : request.topics)
    for (const std::int32_t index : topic.partition_indexes)
      out.push_back({topic.name, index, kNoEpoch, request.delete_partitions});
  for (const auto& topic : request.topic_states)
    for (const auto& state : topic.partition_states)
      out.push_back({topic.topic_name, state.partition_index, state.leader_epoch, state.delete_partition});
  return out;
}

}  // namespace

void stop_replica(Call call, StopReplicaRequest request) {
  Services& services = call.services;
  const auto asked = std::make_shared<StopsAsked>(std::move(call), stops_of(request));
  const Addressee meant = addressee(services.node, request.broker_epoch);
  if (meant == Addressee::unknown) return close_as_early(asked->call);
  if (meant == Addressee::earlier_life) {
    asked->response.error_code = ErrorCode::stale_broker_epoch;
  } else if (!services.replicas->accept_controller(request.controller_epoch)) {
    asked->response.error_code = ErrorCode::stale_controller_epoch;
  }
  if (asked->response.error_code != ErrorCode::none) return asked->call.respond.send(asked->response);
  asked->response.partition_errors.resize(asked->stops.size());
  const ControlMark mark{request.controller_epoch, asked->call.client->number};
  std::vector<OwnedJob> jobs;
  for (std::size_t i = 0; i < asked->stops.size(); ++i) {
    const Stop& stop = asked->stops[i];
    auto& answer = asked->response.partition_errors[i];
    answer.topic_name = stop.topic;
    answer.partition_index = stop.partition;
    const std::size_t shard = services.shards.owner(stop.topic, stop.partition);
    jobs.push_back({shard, [&services, &stop, &answer, shard, mark, &late = asked->late] {
                      if (!services.replicas->in_order(shard, mark)) {
                        late = true;
                        return;
                      }
                      answer.error_code =
                          services.replicas->stop(stop.topic, stop.partition, stop.leader_epoch, stop.remove);
                    }});
  }
  on_owners(services.shards, std::move(jobs), [asked] { answer_stops(*asked); });
}

}  // namespace tandem::broker::api
