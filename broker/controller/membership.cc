// Brokers that come, go, restart or shut down, and log directories that fail.
#include <algorithm>

#include "broker/controller/controller.h"
#include "broker/zk/admin.h"
#include "broker/zk/paths.h"

namespace tandem::broker::controller {
namespace {

using protocol::ErrorCode;
using zk::ZkOp;

}  // namespace

// A broker with the same id and a newer epoch has restarted between two looks: dead first, then new.
Task<void> Controller::on_brokers_changed() {
  const auto suspected = state_.suspects.size();
  auto found = co_await read_brokers();
  std::set<std::int32_t> fresh;
  std::map<std::int32_t, LiveBroker> bounced;
  std::set<std::int32_t> dead;
  for (const auto& [id, broker] : found) {
    const auto known = state_.brokers.find(id);
    if (known == state_.brokers.end()) {
      fresh.insert(id);
    } else if (broker.epoch > known->second.epoch) {
      bounced.emplace(id, broker);
    }
  }
  for (const auto& [id, broker] : state_.brokers) {
    if (!found.contains(id)) dead.insert(id);
  }
  for (const auto& [id, broker] : bounced) effects_.emplace_back(Disconnect{id});
  for (const auto id : dead) {
    effects_.emplace_back(Disconnect{id});
    effects_.emplace_back(UnwatchBroker{id});
  }
  for (const auto id : fresh) {
    state_.brokers[id] = found.at(id);
    connect(id);
  }
  if (!fresh.empty()) co_await on_brokers_up(std::move(fresh));
  if (!bounced.empty()) co_await restart_brokers(std::move(bounced));
  if (!dead.empty()) {
    for (const auto id : dead) state_.brokers.erase(id);
    co_await on_brokers_down(std::move(dead));
  }
  // The session of a suspect is over: what waited for it may be led by a replica outside the ISR.
  if (state_.suspects.size() < suspected) co_await machines_.bring_pending_online();
}

Task<void> Controller::restart_brokers(std::map<std::int32_t, LiveBroker> brokers) {
  std::set<std::int32_t> ids;
  for (const auto& [id, broker] : brokers) {
    ids.insert(id);
    state_.brokers.erase(id);
  }
  co_await on_brokers_down(ids);
  for (const auto& [id, broker] : brokers) {
    state_.brokers[id] = broker;
    connect(id);
  }
  co_await on_brokers_up(std::move(ids));
}

Task<void> Controller::on_broker_deaf(std::int32_t id) {
  const auto known = state_.brokers.find(id);
  if (known == state_.brokers.end()) co_return;
  std::map<std::int32_t, LiveBroker> deaf;
  deaf.emplace(id, known->second);
  effects_.emplace_back(Disconnect{id});
  co_await restart_brokers(std::move(deaf));
}

Task<void> Controller::on_broker_modified(std::int32_t id) {
  const auto found = co_await zk_.run(zk::get_op(zk::broker_path(id), true));
  const auto known = state_.brokers.find(id);
  if (!found.front().ok() || known == state_.brokers.end()) co_return;
  const auto broker = zk::decode_broker(id, found.front().data);
  if (!broker || *broker == known->second.registration) co_return;
  known->second.registration = *broker;
  watch(id);
  machines_.update_metadata(state_.live_or_shutting_down(), {});
}

Task<void> Controller::on_brokers_up(std::set<std::int32_t> brokers) {
  for (const auto id : brokers) state_.offline_dirs.erase(id);
  std::vector<std::int32_t> others;
  for (const auto id : state_.live_or_shutting_down()) {
    if (!brokers.contains(id)) others.push_back(id);
  }
  machines_.update_metadata(others, {});
  machines_.update_metadata({brokers.begin(), brokers.end()}, state_.partitions_with_leadership());
  auto replicas = state_.replicas_on(brokers);
  std::set<std::string> waiting;
  for (const auto& replica : replicas) {
    if (state_.deleting.contains(replica.partition.topic)) waiting.insert(replica.partition.topic);
  }
  co_await machines_.change(std::move(replicas), ReplicaPhase::online);
  co_await machines_.bring_pending_online();
  co_await resume_reassignments(std::move(brokers));
  co_await deletion_.resume_for(std::move(waiting));
}

Task<void> Controller::on_brokers_down(std::set<std::int32_t> brokers) {
  for (const auto id : brokers) {
    state_.offline_dirs.erase(id);
    state_.shutting_down.erase(id);
    std::erase_if(sent_, [id](const auto& entry) { return entry.second.broker == id; });
  }
  co_await on_replicas_offline(state_.replicas_on(brokers));
}

Task<void> Controller::on_replicas_offline(std::vector<PartitionReplica> replicas) {
  std::vector<PartitionReplica> deleting;
  std::vector<PartitionReplica> serving;
  std::set<TopicPartition> leaderless;
  for (auto& replica : replicas) {
    const bool doomed = state_.deleting.contains(replica.partition.topic);
    const auto& leadership = state_.at(replica.partition).leadership;
    if (!doomed && leadership && !state_.is_online(leadership->leader, replica.partition)) {
      leaderless.insert(replica.partition);
    }
    (doomed ? deleting : serving).push_back(std::move(replica));
  }
  machines_.mark({leaderless.begin(), leaderless.end()}, PartitionPhase::offline);
  co_await machines_.bring_pending_online();
  co_await machines_.change(std::move(serving), ReplicaPhase::offline);
  if (!deleting.empty()) co_await deletion_.replicas_failed(std::move(deleting));
  if (leaderless.empty()) machines_.update_metadata(state_.live_or_shutting_down(), {});
}

// The children of a node that brokers leave messages under, and what takes them away once they were heard.
Task<Controller::Notifications> Controller::read_notifications(std::string root) {
  const auto list = co_await zk_.run(zk::children_op(root, true));
  Notifications notes;
  std::vector<ZkOp> reads;
  for (const auto& child : list.front().children) {
    reads.push_back(zk::get_op(root + "/" + child));
    notes.removals.push_back(zk::remove_op(root + "/" + child));
  }
  notes.found = co_await zk_.run(std::move(reads));
  co_return notes;
}

// The event names only the broker; a LeaderAndIsr for all its replicas brings out which of them have failed.
Task<void> Controller::on_log_dirs_failed() {
  auto notes = co_await read_notifications(std::string(zk::kLogDirEventsPath));
  std::set<std::int32_t> brokers;
  for (const auto& result : notes.found) {
    const auto broker = zk::decode_log_dir_event(result.data);
    if (result.ok() && broker && state_.brokers.contains(*broker)) brokers.insert(*broker);
  }
  co_await machines_.change(state_.replicas_on(brokers), ReplicaPhase::online);
  co_await machines_.write(std::move(notes.removals));
}

// Nothing is held against a broker that has registered anew since: it has been told everything again, and a
// deletion that it refused under its old epoch has been asked for under the new one.
Task<void> Controller::on_replicas_deleted(ReplicasDeleted answered) {
  if (answered.broker_epoch != state_.broker_epoch(answered.broker)) co_return;
  co_await deletion_.replicas_failed(std::move(answered.failed));
  co_await deletion_.replicas_deleted(std::move(answered.deleted));
}

Task<void> Controller::on_leadership_answered(LeadershipAnswered answered) {
  if (answered.broker_epoch != state_.broker_epoch(answered.broker)) co_return;
  auto& offline = state_.offline_dirs[answered.broker];
  for (const auto& partition : answered.fine) offline.erase(partition);
  std::vector<PartitionReplica> fresh;
  for (const auto& partition : answered.failed) {
    if (state_.find(partition) == nullptr) continue;
    if (offline.insert(partition).second) fresh.push_back({partition, answered.broker});
  }
  if (offline.empty()) state_.offline_dirs.erase(answered.broker);
  if (!fresh.empty()) co_await on_replicas_offline(std::move(fresh));
}

Task<protocol::ControlledShutdownResponse> Controller::shut_down(
    protocol::ControlledShutdownRequest request) {
  protocol::ControlledShutdownResponse response;
  const auto id = request.broker_id;
  if (!state_.brokers.contains(id)) {
    response.error_code = ErrorCode::broker_not_available;
    co_return response;
  }
  if (request.broker_epoch != -1 && request.broker_epoch < state_.broker_epoch(id)) {
    response.error_code = ErrorCode::stale_broker_epoch;
    co_return response;
  }
  state_.shutting_down.insert(id);
  std::vector<TopicPartition> led;
  std::vector<PartitionReplica> followed;
  std::set<std::int32_t> leaving;
  leaving.insert(id);
  for (auto& replica : state_.replicas_on(leaving)) {
    const Partition& partition = state_.at(replica.partition);
    const bool matters = partition.assignment.replicas.size() > 1 && partition.leadership &&
                         !state_.deleting.contains(replica.partition.topic);
    if (!matters) continue;
    if (partition.leadership->leader == id) {
      led.push_back(replica.partition);
    } else {
      followed.push_back(std::move(replica));
    }
  }
  co_await machines_.bring_online(std::move(led), Election::controlled_shutdown);
  // It fetches no more when it leaves the in-sync sets: below inter-broker protocol 2.7-IV2 leaders would
  // take it back.
  machines_.stop(followed);
  co_await machines_.change(std::move(followed), ReplicaPhase::offline);
  for (const auto& replica : state_.replicas_on(leaving)) {
    const Partition& partition = state_.at(replica.partition);
    if (partition.assignment.replicas.size() < 2 || !partition.leadership) continue;
    if (partition.leadership->leader != id) continue;
    auto& remaining = response.remaining_partitions.emplace_back();
    remaining.topic_name = replica.partition.topic;
    remaining.partition_index = replica.partition.partition;
  }
  co_return response;
}

}  // namespace tandem::broker::controller
