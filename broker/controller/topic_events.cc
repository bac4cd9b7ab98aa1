// Topics that appear, grow and are to be deleted, as their znodes tell.
#include <fmt/core.h>

#include "broker/controller/controller.h"
#include "broker/controller/registration.h"
#include "broker/zk/paths.h"

namespace tandem::broker::controller {
namespace {

using zk::ZkOp;

}  // namespace

// Reads the assignments of `names` into the state and leaves a watch on each; `fresh` gets the partitions
// that were not known. A name or a content that breaks the rules is noted and left out.
Task<bool> Controller::read_topics(std::vector<std::string> names, std::vector<TopicPartition>& fresh) {
  std::vector<ZkOp> ops;
  std::erase_if(names, [&](const std::string& name) {
    if (zk::is_topic_name(name)) return false;
    effects_.emplace_back(Note{"a child of /brokers/topics is not a topic name and is left alone"});
    return true;
  });
  for (const auto& name : names) ops.push_back(zk::get_op(zk::topic_path(name), true));
  const auto results = co_await zk_.run(std::move(ops));
  std::vector<std::string> nameless;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i].ok()) continue;
    const auto assignment = zk::decode_topic(names[i], results[i].data);
    if (!assignment) {
      effects_.emplace_back(Note{assignment.error().context});
      continue;
    }
    Topic& topic = state_.topics[names[i]];
    if (!zk::is_none(assignment->id)) state_.set_id(names[i], assignment->id);
    if (zk::is_none(topic.id)) nameless.push_back(names[i]);
    for (const auto& [number, replicas] : assignment->partitions) {
      const auto [at, added] = topic.partitions.try_emplace(number);
      if (!added) continue;
      at->second.assignment = replicas;
      fresh.push_back({names[i], number});
    }
  }
  if (options_.protocol.topic_ids()) co_await give_ids(std::move(nameless));
  co_return !fresh.empty();
}

Task<void> Controller::give_ids(std::vector<std::string> names) {
  std::vector<ZkOp> ops;
  for (const auto& name : names) {
    state_.set_id(name, random_id(random_));
    ops.push_back(zk::set_op(zk::topic_path(name), zk::encode_topic(state_.assignment_of(name))));
  }
  co_await machines_.write(std::move(ops));
}

Task<void> Controller::create_partitions(std::vector<TopicPartition> partitions) {
  if (partitions.empty()) co_return;
  std::vector<PartitionReplica> replicas;
  for (const auto& partition : partitions) {
    for (const auto broker : state_.at(partition).assignment.replicas)
      replicas.push_back({partition, broker});
  }
  machines_.mark(partitions, PartitionPhase::new_partition);
  co_await machines_.change(replicas, ReplicaPhase::new_replica);
  co_await machines_.bring_online(std::move(partitions), Election::offline);
  co_await machines_.change(std::move(replicas), ReplicaPhase::online);
}

Task<void> Controller::on_topics_changed() {
  const auto list = co_await zk_.run(zk::children_op(std::string(zk::kTopicsPath), true));
  const std::set<std::string> present(list.front().children.begin(), list.front().children.end());
  std::vector<std::string> fresh;
  for (const auto& name : present) {
    if (!state_.topics.contains(name)) fresh.push_back(name);
  }
  std::vector<std::string> gone;
  for (const auto& [name, topic] : state_.topics) {
    if (!present.contains(name)) gone.push_back(name);
  }
  for (const auto& name : gone) state_.forget_topic(name);
  std::vector<TopicPartition> partitions;
  co_await read_topics(std::move(fresh), partitions);
  co_await create_partitions(std::move(partitions));
}

// Growth. A topic that is being deleted must not grow: its node is put back.
Task<void> Controller::on_topic_modified(std::string name) {
  if (!state_.topics.contains(name)) co_return;
  if (state_.deleting.contains(name)) {
    const auto found = co_await zk_.run(zk::get_op(zk::topic_path(name), true));
    const auto read = zk::decode_topic(name, found.front().data);
    const Topic& topic = state_.topics.at(name);
    if (!found.front().ok() || !read || read->partitions.size() <= topic.partitions.size()) co_return;
    std::vector<ZkOp> ops;
    ops.push_back(zk::set_op(zk::topic_path(name), zk::encode_topic(state_.assignment_of(name))));
    co_await machines_.write(std::move(ops));
    co_return;
  }
  std::vector<std::string> names;
  names.push_back(name);
  std::vector<TopicPartition> partitions;
  co_await read_topics(std::move(names), partitions);
  co_await create_partitions(std::move(partitions));
}

Task<void> Controller::on_deletion_asked() {
  const auto list = co_await zk_.run(zk::children_op(std::string(zk::kDeleteTopicsPath), true));
  std::set<std::string> topics;
  std::set<std::string> gone;
  for (const auto& name : list.front().children) {
    if (state_.deleting.contains(name)) continue;
    (state_.topics.contains(name) ? topics : gone).insert(name);
  }
  co_await deletion_.forget_requests(std::move(gone));
  if (topics.empty()) co_return;
  if (!deletion_.enabled()) {
    co_await deletion_.forget_requests(std::move(topics));
    co_return;
  }
  co_await deletion_.enqueue(std::move(topics));
}

}  // namespace tandem::broker::controller
