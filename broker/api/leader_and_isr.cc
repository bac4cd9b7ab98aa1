#include <atomic>
#include <map>
#include <set>

#include "broker/api/addressee.h"
#include "broker/api/close_as_late.h"
#include "broker/api/cluster_control.h"
#include "broker/api/handlers.h"
#include "broker/api/metadata_cache.h"
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

// One partition of the request, and where its answer goes. All of it lives in LeadersAsked.
struct Part {
  std::size_t shard;
  const std::string& topic;
  const protocol::Uuid& id;
  const LeaderAndIsrRequest::LeaderAndIsrPartitionState& state;
  ErrorCode& answer;
};

struct LeadersAsked {
  Call call;
  LeaderAndIsrRequest request;
  LeaderAndIsrResponse response = {};
  std::vector<Part> parts = {};
  std::atomic<bool> late = false;  // a shard has heard what the controller sent behind it

  ControlMark mark() const { return {request.controller_epoch, call.client->number}; }
};

void add_part(LeadersAsked& asked, const std::string& topic, const protocol::Uuid& id,
              const LeaderAndIsrRequest::LeaderAndIsrPartitionState& state,
              LeaderAndIsrResponse::LeaderAndIsrPartitionError& answer) {
  answer.topic_name = topic;
  answer.partition_index = state.partition_index;
  const std::size_t shard = asked.call.services.shards.owner(topic, state.partition_index);
  asked.parts.push_back({shard, topic, id, state, answer.error_code});
}

// The shapes of request and response as one list.
void list_parts(LeadersAsked& asked) {
  const LeaderAndIsrRequest& request = asked.request;
  LeaderAndIsrResponse& response = asked.response;
  if (asked.call.version() >= kSinceTopics) {
    response.topics.resize(request.topic_states.size());
    for (std::size_t t = 0; t < request.topic_states.size(); ++t) {
      const auto& topic = request.topic_states[t];
      auto& answers = response.topics[t];
      answers.topic_id = topic.topic_id;
      answers.partition_errors.resize(topic.partition_states.size());
      for (std::size_t p = 0; p < topic.partition_states.size(); ++p)
        add_part(asked, topic.topic_name, topic.topic_id, topic.partition_states[p],
                 answers.partition_errors[p]);
    }
    return;
  }
  std::size_t count = request.ungrouped_partition_states.size();
  for (const auto& topic : request.topic_states) count += topic.partition_states.size();
  response.partition_errors.resize(count);
  std::size_t at = 0;
  static constexpr protocol::Uuid kNoId{};
  for (const auto& state : request.ungrouped_partition_states)
    add_part(asked, state.topic_name, kNoId, state, response.partition_errors[at++]);
  for (const auto& topic : request.topic_states)
    for (const auto& state : topic.partition_states)
      add_part(asked, topic.topic_name, topic.topic_id, state, response.partition_errors[at++]);
}

using Verb = ErrorCode (Replicas::*)(const replica::Partition::State&, const std::string&,
                                     const protocol::Uuid&);

// On the shard's thread. What was made is synced behind it, once: a log in a directory that failed then is
// none, whatever was said of its partition before.
void perform(LeadersAsked& asked, const std::vector<Part>& parts, std::size_t shard, Verb verb) {
  Replicas& replicas = *asked.call.services.replicas;
  if (!replicas.in_order(shard, asked.mark())) {
    asked.late = true;
    return;
  }
  std::vector<Replicas::Wanted> wanted;
  for (const Part& part : parts)
    if (part.shard == shard) wanted.push_back({part.state, part.topic, part.id});
  const auto failed = verb == &Replicas::become ? replicas.make_logs(wanted) : std::set<Replicas::Where>{};
  for (const Part& part : parts) {
    if (part.shard != shard) continue;
    const bool none = failed.contains({part.topic, part.state.partition_index});
    part.answer = none ? ErrorCode::kafka_storage_error : (replicas.*verb)(part.state, part.topic, part.id);
  }
  if (replicas.sync_made(shard)) return;
  for (const Part& part : parts) {
    if (part.shard != shard || part.answer != ErrorCode::none) continue;
    const Replica* replica = replicas.find(part.topic, part.state.partition_index);
    if (replica == nullptr || replica->log->failed()) part.answer = ErrorCode::kafka_storage_error;
  }
}

void perform_on_owners(const std::shared_ptr<LeadersAsked>& asked, std::vector<Part> parts, Verb verb,
                       std::function<void()> done) {
  Shards& shards = asked->call.services.shards;
  ShardSet used(shards.size());
  for (const Part& part : parts) used.add(part.shard);
  const auto shared = std::make_shared<const std::vector<Part>>(std::move(parts));
  std::vector<OwnedJob> jobs;
  for (std::size_t shard = 0; shard < used.size(); ++shard) {
    if (!used.has(shard)) continue;
    jobs.push_back({shard, [asked, shared, shard, verb] { perform(*asked, *shared, shard, verb); }});
  }
  on_owners(shards, std::move(jobs), std::move(done));
}

void note_new_leaders(const LeadersAsked& asked) {
  const Services& services = asked.call.services;
  std::vector<replica::ClusterImage::Told> told;
  for (const Part& part : asked.parts) {
    const auto& state = part.state;
    if (part.answer != ErrorCode::none || state.leader == services.node.broker_id) continue;
    told.push_back(
        {part.topic,
         state.partition_index,
         {state.controller_epoch, state.leader, state.leader_epoch, state.partition_epoch, state.isr}});
  }
  services.metadata.take_leadership(services.node.broker_id, told);
}

void answer_leaders(LeadersAsked& asked) {
  if (!asked.late) {
    note_new_leaders(asked);
    return asked.call.respond.send(asked.response);
  }
  close_as_late(asked.call);
}

// Of the topics in `ids` the partitions that were refused are tried once more.
std::vector<Part> parts_again(const LeadersAsked& asked, const std::map<std::string, zk::TopicId>& ids) {
  std::vector<Part> again;
  for (const Part& part : asked.parts) {
    const auto id = ids.find(part.topic);
    if (part.answer == ErrorCode::inconsistent_topic_id && id != ids.end() && id->second == part.id.bytes)
      again.push_back(part);
  }
  return again;
}

// Partitions that are here of another topic id. A broker that was away when its replica was to be deleted has
// kept it, and a topic of the same name may have been made since: that is what the controller means, if the
// tree says so too. Kafka refuses such partitions until somebody removes their directories.
void try_again(const std::shared_ptr<LeadersAsked>& asked) {
  std::set<std::string> topics;
  for (const Part& part : asked->parts)
    if (part.answer == ErrorCode::inconsistent_topic_id) topics.insert(part.topic);
  Services& services = asked->call.services;
  if (topics.empty() || services.control == nullptr || asked->late) return answer_leaders(*asked);
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
    perform_on_owners(asked, parts_again(*asked, ids), &Replicas::replace,
                      [asked] { answer_leaders(*asked); });
  });
}

}  // namespace

void leader_and_isr(Call call, LeaderAndIsrRequest request) {
  Services& services = call.services;
  const auto asked = std::make_shared<LeadersAsked>(std::move(call), std::move(request));
  const Addressee meant = addressee(services.node, asked->request.broker_epoch);
  if (meant == Addressee::unknown) return close_as_early(asked->call);
  if (meant == Addressee::earlier_life) {
    asked->response.error_code = ErrorCode::stale_broker_epoch;
  } else if (!services.replicas->accept_controller(asked->request.controller_epoch)) {
    asked->response.error_code = ErrorCode::stale_controller_epoch;
  }
  if (asked->response.error_code != ErrorCode::none) return asked->call.respond.send(asked->response);
  list_parts(*asked);
  perform_on_owners(asked, asked->parts, &Replicas::become, [asked] { try_again(asked); });
}

}  // namespace tandem::broker::api
