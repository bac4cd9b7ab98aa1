#include "broker/controller/topic_deletion.h"

#include <algorithm>

#include "broker/zk/paths.h"

namespace tandem::broker::controller {
namespace {

using zk::ZkOp;

std::vector<PartitionReplica> of_deleting_topics(const ClusterState& state,
                                                 std::vector<PartitionReplica> replicas) {
  std::erase_if(replicas,
                [&](const auto& replica) { return !state.deleting.contains(replica.partition.topic); });
  return replicas;
}

std::set<std::string> topics_of(const std::vector<PartitionReplica>& replicas) {
  std::set<std::string> out;
  for (const auto& replica : replicas) out.insert(replica.partition.topic);
  return out;
}

}  // namespace

Task<void> TopicDeletion::forget_requests(std::set<std::string> topics) {
  std::vector<ZkOp> ops;
  for (const auto& topic : topics) ops.push_back(zk::remove_op(zk::delete_topic_path(topic)));
  co_await machines_.write(std::move(ops));
}

Task<void> TopicDeletion::init(std::set<std::string> topics, std::set<std::string> ineligible) {
  if (!enabled_) {
    co_await forget_requests(std::move(topics));
    co_return;
  }
  state_.deleting.insert(topics.begin(), topics.end());
  mark_ineligible(ineligible);
}

// Until the reassignment of the partitions is over, which then resumes the deletion.
void TopicDeletion::halt(const std::string& topic) {
  if (state_.deleting.contains(topic)) state_.deletion_ineligible.insert(topic);
}

void TopicDeletion::mark_ineligible(const std::set<std::string>& topics) {
  for (const auto& topic : topics) {
    if (state_.deleting.contains(topic)) state_.deletion_ineligible.insert(topic);
  }
}

Task<void> TopicDeletion::enqueue(std::set<std::string> topics) {
  if (!enabled_) co_return;
  state_.deleting.insert(topics.begin(), topics.end());
  for (const auto& topic : topics) {
    if (state_.is_reassigning(topic)) state_.deletion_ineligible.insert(topic);
  }
  co_await resume();
}

Task<void> TopicDeletion::resume_for(std::set<std::string> topics) {
  bool any = false;
  for (const auto& topic : topics) {
    if (!state_.deleting.contains(topic)) continue;
    state_.deletion_ineligible.erase(topic);
    any = true;
  }
  if (any) co_await resume();
}

Task<void> TopicDeletion::replicas_failed(std::vector<PartitionReplica> replicas) {
  auto failed = of_deleting_topics(state_, std::move(replicas));
  if (failed.empty()) co_return;
  const auto topics = topics_of(failed);
  co_await machines_.change(std::move(failed), ReplicaPhase::deletion_ineligible);
  mark_ineligible(topics);
  co_await resume();
}

Task<void> TopicDeletion::replicas_deleted(std::vector<PartitionReplica> replicas) {
  co_await machines_.change(of_deleting_topics(state_, std::move(replicas)),
                            ReplicaPhase::deletion_successful);
  co_await resume();
}

Task<void> TopicDeletion::resume() {
  std::set<std::string> eligible;
  const std::set<std::string> queued = state_.deleting;
  for (const auto& topic : queued) {
    if (state_.every_replica_is(topic, ReplicaPhase::deletion_successful)) {
      co_await finish(topic);
      continue;
    }
    if (state_.any_replica_is(topic, ReplicaPhase::deletion_started)) continue;
    if (state_.deletion_ineligible.contains(topic)) continue;
    std::vector<PartitionReplica> retry;
    for (auto& replica : state_.replicas_of(topic)) {
      if (state_.phase_of(replica) == ReplicaPhase::deletion_ineligible) retry.push_back(std::move(replica));
    }
    co_await machines_.change(std::move(retry), ReplicaPhase::offline);
    eligible.insert(topic);
  }
  if (!eligible.empty()) co_await start(std::move(eligible));
}

Task<void> TopicDeletion::start(std::set<std::string> topics) {
  std::vector<TopicPartition> fresh;
  std::vector<TopicPartition> all;
  for (const auto& topic : topics) {
    const auto partitions = state_.partitions_of(topic);
    all.insert(all.end(), partitions.begin(), partitions.end());
    if (!state_.deletion_started.insert(topic).second) continue;
    fresh.insert(fresh.end(), partitions.begin(), partitions.end());
  }
  machines_.mark(fresh, PartitionPhase::offline);
  machines_.mark(fresh, PartitionPhase::non_existent);
  machines_.update_metadata(state_.live_or_shutting_down(), all);
  co_await delete_replicas(std::move(topics));
}

Task<void> TopicDeletion::delete_replicas(std::set<std::string> topics) {
  std::vector<PartitionReplica> dead;
  std::vector<PartitionReplica> alive;
  std::set<std::string> stuck;
  for (const auto& topic : topics) {
    for (auto& replica : state_.replicas_of(topic)) {
      if (state_.phase_of(replica) == ReplicaPhase::deletion_successful) continue;
      if (state_.is_online(replica.broker, replica.partition)) {
        alive.push_back(std::move(replica));
      } else {
        stuck.insert(topic);
        if (state_.phase_of(replica) != ReplicaPhase::deletion_ineligible) dead.push_back(std::move(replica));
      }
    }
  }
  co_await machines_.change(dead, ReplicaPhase::offline);
  co_await machines_.change(std::move(dead), ReplicaPhase::deletion_ineligible);
  co_await machines_.change(alive, ReplicaPhase::offline);
  co_await machines_.change(std::move(alive), ReplicaPhase::deletion_started);
  mark_ineligible(stuck);
  // A topic without a replica anywhere is done at once.
  for (const auto& topic : topics) {
    if (state_.deleting.contains(topic) && state_.replicas_of(topic).empty()) co_await finish(topic);
  }
}

Task<void> TopicDeletion::remove_tree(std::string path) {
  const auto list = co_await zk_.run(zk::children_op(path));
  if (!list.front().ok()) co_return;
  for (const auto& child : list.front().children) {
    std::string below = path + "/" + child;
    co_await remove_tree(std::move(below));
  }
  std::vector<ZkOp> ops;
  ops.push_back(zk::remove_op(path));
  co_await machines_.write(std::move(ops));
}

Task<void> TopicDeletion::finish(std::string topic) {
  co_await machines_.change(state_.replicas_of(topic), ReplicaPhase::non_existent);
  std::string path = zk::topic_path(topic);
  co_await remove_tree(std::move(path));
  std::vector<ZkOp> ops;
  ops.push_back(zk::remove_op(zk::config_path(zk::kTopicConfigs, topic)));
  ops.push_back(zk::remove_op(zk::delete_topic_path(topic)));
  co_await machines_.write(std::move(ops));
  state_.forget_topic(topic);
  state_.deleting.erase(topic);
  state_.deletion_started.erase(topic);
  state_.deletion_ineligible.erase(topic);
}

}  // namespace tandem::broker::controller
