#include <map>
#include <set>

#include "broker/api/cluster_control.h"
#include "broker/api/handlers.h"
#include "broker/api/on_owners.h"
#include "broker/api/replicas.h"
#include "broker/zk/paths.h"
#include "broker/zk/topics.h"

namespace tandem::broker::api {

namespace {

using protocol::ErrorCode;
using protocol::LeaderAndIsrRequest;
using protocol::LeaderAndIsrResponse;

constexpr std::int16_t kSinceTopics = 5;  // answers are grouped by topic id

struct LeadersAsked {
  Call call;
  LeaderAndIsrRequest request;
  LeaderAndIsrResponse response;
};

void add_job(const std::shared_ptr<LeadersAsked>& asked, std::vector<OwnedJob>& jobs,
             const std::string& topic, const protocol::Uuid& id,
             const LeaderAndIsrRequest::LeaderAndIsrPartitionState& state,
             LeaderAndIsrResponse::LeaderAndIsrPartitionError& answer) {
  answer.topic_name = topic;
  answer.partition_index = state.partition_index;
  Services& services = asked->call.services;
  jobs.push_back(
      {services.shards.owner(topic, state.partition_index), [&services, &topic, &id, &state, &answer] {
         answer.error_code = services.replicas->become(state, topic, id);
       }});
}

// What the jobs of a shard have made is synced behind them.
std::vector<OwnedJob> and_sync(Services& services, std::vector<OwnedJob> jobs) {
  ShardSet used(services.shards.size());
  for (const auto& job : jobs) used.add(job.shard);
  for (std::size_t shard = 0; shard < used.size(); ++shard) {
    if (used.has(shard)) jobs.push_back({shard, [&services, shard] { services.replicas->sync_made(shard); }});
  }
  return jobs;
}

std::vector<OwnedJob> jobs_of(const std::shared_ptr<LeadersAsked>& asked) {
  LeaderAndIsrRequest& request = asked->request;
  LeaderAndIsrResponse& response = asked->response;
  std::vector<OwnedJob> jobs;
  if (asked->call.version() >= kSinceTopics) {
    response.topics.resize(request.topic_states.size());
    for (std::size_t t = 0; t < request.topic_states.size(); ++t) {
      const auto& topic = request.topic_states[t];
      auto& answers = response.topics[t];
      answers.topic_id = topic.topic_id;
      answers.partition_errors.resize(topic.partition_states.size());
      for (std::size_t p = 0; p < topic.partition_states.size(); ++p)
        add_job(asked, jobs, topic.topic_name, topic.topic_id, topic.partition_states[p],
                answers.partition_errors[p]);
    }
    return jobs;
  }
  std::size_t count = request.ungrouped_partition_states.size();
  for (const auto& topic : request.topic_states) count += topic.partition_states.size();
  response.partition_errors.resize(count);
  std::size_t at = 0;
  static constexpr protocol::Uuid kNoId{};
  for (const auto& state : request.ungrouped_partition_states)
    add_job(asked, jobs, state.topic_name, kNoId, state, response.partition_errors[at++]);
  for (const auto& topic : request.topic_states)
    for (const auto& state : topic.partition_states)
      add_job(asked, jobs, topic.topic_name, topic.topic_id, state, response.partition_errors[at++]);
  return jobs;
}

// Of the topics in `ids` the partitions that were refused are tried once more.
std::vector<OwnedJob> jobs_again(const std::shared_ptr<LeadersAsked>& asked,
                                 const std::map<std::string, zk::TopicId>& ids) {
  std::vector<OwnedJob> jobs;
  Services& services = asked->call.services;
  for (std::size_t t = 0; t < asked->request.topic_states.size(); ++t) {
    const auto& topic = asked->request.topic_states[t];
    const auto id = ids.find(topic.topic_name);
    for (std::size_t p = 0; p < topic.partition_states.size(); ++p) {
      ErrorCode& answer = asked->response.topics[t].partition_errors[p].error_code;
      if (answer != ErrorCode::inconsistent_topic_id || id == ids.end() || id->second != topic.topic_id.bytes)
        continue;
      const auto& state = topic.partition_states[p];
      jobs.push_back({services.shards.owner(topic.topic_name, state.partition_index),
                      [&services, &topic, &state, &answer] {
                        answer = services.replicas->replace(state, topic.topic_name, topic.topic_id);
                      }});
    }
  }
  return jobs;
}

// Partitions that are here of another topic id. A broker that was away when its replica was to be deleted has
// kept it, and a topic of the same name may have been made since: that is what the controller means, if the
// tree says so too. Kafka refuses such partitions until somebody removes their directories.
void try_again(const std::shared_ptr<LeadersAsked>& asked) {
  std::set<std::string> topics;
  for (std::size_t t = 0; t < asked->response.topics.size(); ++t)  // there from the version on that has ids
    for (const auto& answer : asked->response.topics[t].partition_errors)
      if (answer.error_code == ErrorCode::inconsistent_topic_id)
        topics.insert(asked->request.topic_states[t].topic_name);
  Services& services = asked->call.services;
  if (topics.empty() || services.control == nullptr) return asked->call.respond.send(asked->response);
  std::vector<zk::ZkOp> ops{zk::sync_op(std::string(zk::kTopicsPath))};
  for (const auto& topic : topics) ops.push_back(zk::get_op(zk::topic_path(topic)));
  services.control->perform(std::move(ops), [asked, &services, topics](std::vector<zk::ZkResult> found) {
    std::map<std::string, zk::TopicId> ids;
    const bool known = found.size() == topics.size() + 1 && found.front().ok() &&
                       services.replicas->accept_controller(asked->request.controller_epoch);
    std::size_t at = 0;
    for (const auto& topic : topics) {
      if (!known || !found[++at].ok()) continue;
      const auto assignment = zk::decode_topic(topic, found[at].data);
      if (assignment) ids[topic] = assignment->id;
    }
    on_owners(services.shards, and_sync(services, jobs_again(asked, ids)),
              [asked] { asked->call.respond.send(asked->response); });
  });
}

}  // namespace

void leader_and_isr(Call call, LeaderAndIsrRequest request) {
  Services& services = call.services;
  const auto asked =
      std::make_shared<LeadersAsked>(std::move(call), std::move(request), LeaderAndIsrResponse{});
  const std::int64_t sent_epoch = asked->request.broker_epoch;
  if (sent_epoch != -1 && sent_epoch < services.node.broker_epoch) {
    asked->response.error_code = ErrorCode::stale_broker_epoch;
  } else if (!services.replicas->accept_controller(asked->request.controller_epoch)) {
    asked->response.error_code = ErrorCode::stale_controller_epoch;
  }
  if (asked->response.error_code != ErrorCode::none) return asked->call.respond.send(asked->response);
  on_owners(services.shards, and_sync(services, jobs_of(asked)), [asked] { try_again(asked); });
}

}  // namespace tandem::broker::api
