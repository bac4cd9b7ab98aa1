// Partitions that move to other brokers, asked for by AlterPartitionReassignments (KIP-455) or through the
// old /admin/reassign_partitions. The topic's znode holds the union of old and new replicas until the new
// ones are all in the ISR; so a controller that takes over goes on where the last one stopped. Source:
// Kafka 3.9 KafkaController.onPartitionReassignment.
#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>

#include "broker/controller/controller.h"
#include "broker/zk/admin.h"
#include "broker/zk/paths.h"

namespace tandem::broker::controller {
namespace {

using protocol::ErrorCode;
using zk::ZkOp;

// Nobody waits for the broker to say that the replica is gone: a move is over when the others are in sync.
constexpr ReplicaPhase kRemovalPhases[] = {ReplicaPhase::offline, ReplicaPhase::deletion_started,
                                           ReplicaPhase::deletion_successful, ReplicaPhase::non_existent};

AdminError plain_error(ErrorCode code) { return {code, std::string(protocol::sentence_of(code))}; }

AdminError no_such_partition() {
  return {ErrorCode::unknown_topic_or_partition, "The partition does not exist."};
}

bool contains_all(const Replicas& whole, const Replicas& part) {
  return std::all_of(part.begin(), part.end(), [&](auto broker) {
    return std::find(whole.begin(), whole.end(), broker) != whole.end();
  });
}

// Where each partition shall go, without a goal for one whose move is called off; of one that is named twice
// the last word counts.
std::map<TopicPartition, std::optional<Replicas>> goals_of(
    const protocol::AlterPartitionReassignmentsRequest& request) {
  std::map<TopicPartition, std::optional<Replicas>> goals;
  for (const auto& topic : request.topics) {
    for (const auto& asked : topic.partitions) goals[{topic.name, asked.partition_index}] = asked.replicas;
  }
  return goals;
}

// In Kafka's order and words.
AdminError goal_fault(const ClusterState& state, const TopicPartition& partition, const Replicas& goal) {
  const auto wrong = [](std::string message) {
    return AdminError{ErrorCode::invalid_replica_assignment, std::move(message)};
  };
  const std::string list = fmt::format("ArrayBuffer({})", fmt::join(goal, ", "));
  if (goal.empty()) return wrong("Empty replica list specified in partition reassignment.");
  if (std::set<std::int32_t>(goal.begin(), goal.end()).size() != goal.size())
    return wrong("Duplicate replica ids in partition reassignment replica list: " + list);
  if (std::any_of(goal.begin(), goal.end(), [](auto broker) { return broker < 0; }))
    return wrong("Invalid broker id in replica list: " + list);
  const Partition* known = state.find(partition);
  const auto next = (known == nullptr ? ReplicaAssignment{} : known->assignment).moving_to(goal);
  const auto live = state.live_brokers();
  if (contains_all(live, next.adding)) return {};
  return wrong(
      fmt::format("Replica assignment has brokers that are not alive. Replica list: ArrayBuffer({}), live "
                  "broker list: Set({})",
                  fmt::join(next.adding, ", "), fmt::join(live, ", ")));
}

}  // namespace

// ---- the ways to ask for it ----

Task<protocol::AlterPartitionReassignmentsResponse> Controller::alter_reassignments(
    protocol::AlterPartitionReassignmentsRequest request) {
  std::map<TopicPartition, AdminError> errors;
  std::map<TopicPartition, ReplicaAssignment> wanted;
  for (const auto& [key, goal] : goals_of(request)) {
    const Partition* known = state_.find(key);
    AdminError fault;
    if (goal) fault = goal_fault(state_, key, *goal);
    if (fault.ok() && !goal && (known == nullptr || !known->assignment.reassigning()))
      fault = plain_error(ErrorCode::no_reassignment_in_progress);
    if (fault.ok() && (known == nullptr || state_.deleting.contains(key.topic))) fault = no_such_partition();
    errors[key] = fault;
    if (!fault.ok()) continue;
    const auto& assignment = known->assignment;
    wanted[key] = assignment.moving_to(goal ? *goal : assignment.origin());
  }
  // What was asked for last counts, whichever way.
  std::set<TopicPartition> replaced;
  for (const auto& [partition, assignment] : wanted) replaced.insert(partition);
  co_await forget_tree_reassignments(std::move(replaced), nullptr);
  for (auto& [partition, assignment] : wanted) {
    errors[partition] = co_await reassign(partition, std::move(assignment));
  }
  protocol::AlterPartitionReassignmentsResponse response;
  for (const auto& [key, error] : errors) {
    auto& topics = response.responses;
    if (topics.empty() || topics.back().name != key.topic) topics.emplace_back().name = key.topic;
    auto& result = topics.back().partitions.emplace_back();
    result.partition_index = key.partition;
    result.error_code = error.code;
    if (!error.ok()) result.error_message = error.message;
  }
  co_return response;
}

protocol::ListPartitionReassignmentsResponse Controller::list_reassignments(
    const protocol::ListPartitionReassignmentsRequest& request) const {
  std::set<TopicPartition> partitions;
  if (request.topics) {
    for (const auto& topic : *request.topics) {
      for (const auto number : topic.partition_indexes) partitions.insert({topic.name, number});
    }
  } else {
    partitions = state_.reassigning;
  }
  protocol::ListPartitionReassignmentsResponse response;
  for (const auto& key : partitions) {
    const Partition* known = state_.find(key);
    if (known == nullptr || !known->assignment.reassigning()) continue;
    if (response.topics.empty() || response.topics.back().name != key.topic)
      response.topics.emplace_back().name = key.topic;
    auto& entry = response.topics.back().partitions.emplace_back();
    entry.partition_index = key.partition;
    entry.replicas = known->assignment.replicas;
    entry.adding_replicas = known->assignment.adding;
    entry.removing_replicas = known->assignment.removing;
  }
  return response;
}

// The node is there from its creation by a tool until every move in it is over.
Task<void> Controller::on_reassignment_asked() {
  const std::string path(zk::kReassignPath);
  std::vector<ZkOp> ops;
  ops.push_back(zk::exists_op(path, true));
  ops.push_back(zk::get_op(path));
  const auto found = co_await zk_.run(std::move(ops));
  if (!found[1].ok()) co_return;
  const auto asked = zk::decode_reassignment(found[1].data);
  if (!asked) {
    effects_.emplace_back(Note{asked.error().context});
    co_return;
  }
  std::set<TopicPartition> failed;
  for (const auto& [key, goal] : *asked) {
    const Partition* known = state_.find(key);
    if (known == nullptr || goal.empty() || state_.deleting.contains(key.topic)) {
      effects_.emplace_back(
          Note{fmt::format("partition {} cannot be reassigned: it does not exist", key.text())});
      failed.insert(key);
      continue;
    }
    const auto& assignment = known->assignment;
    if (state_.reassigning.contains(key) && assignment.target() == goal) continue;  // under way
    ReplicaAssignment wanted = assignment.moving_to(goal);
    const auto fault = co_await reassign(key, std::move(wanted));
    if (!fault.ok()) failed.insert(key);
  }
  co_await forget_tree_reassignments(std::move(failed), nullptr);
}

// Takes `partitions` out of the node, or only where the goal is `goal`; the last one takes the node with it.
Task<void> Controller::forget_tree_reassignments(std::set<TopicPartition> partitions, const Replicas* goal) {
  if (partitions.empty()) co_return;
  const std::string path(zk::kReassignPath);
  const auto found = co_await zk_.run(zk::get_op(path));
  if (!found.front().ok()) co_return;
  auto asked = zk::decode_reassignment(found.front().data);
  if (!asked) co_return;
  std::erase_if(*asked, [&](const auto& entry) {
    return partitions.contains(entry.first) && (goal == nullptr || entry.second == *goal);
  });
  std::vector<ZkOp> ops;
  if (asked->empty()) {
    ops.push_back(zk::remove_op(path));
    events_.emplace_back(ReassignmentAsked{});  // the next one must be seen
  } else {
    ops.push_back(zk::set_op(path, zk::encode_reassignment(*asked)));
  }
  co_await machines_.write(std::move(ops));
}

// ---- the move itself ----

Task<void> Controller::resume_reassignments(std::set<std::int32_t> brokers) {
  const auto under_way = state_.reassigning;
  for (const auto& partition : under_way) {
    if (!state_.reassigning.contains(partition)) continue;
    // Brokers whose replica is deleted already would make a new one, which nobody deletes again.
    if (state_.deletion_started.contains(partition.topic)) continue;
    ReplicaAssignment assignment = state_.at(partition).assignment;
    const auto goal = assignment.target();
    const bool concerned = brokers.empty() || std::any_of(goal.begin(), goal.end(), [&](auto broker) {
                             return brokers.contains(broker);
                           });
    if (concerned) co_await reassign(partition, std::move(assignment));
  }
}

Task<void> Controller::finish_reassignments(std::vector<TopicPartition> partitions) {
  for (const auto& partition : partitions) {
    if (!state_.reassigning.contains(partition)) continue;
    ReplicaAssignment assignment = state_.at(partition).assignment;
    const bool moved = co_await has_moved(partition, assignment);
    if (moved) co_await reassign(partition, std::move(assignment));
  }
}

Task<bool> Controller::has_moved(TopicPartition partition, ReplicaAssignment assignment) {
  bool moved = !assignment.reassigning();
  if (!moved) {
    const bool read = co_await machines_.refresh(partition);
    const Partition* known = state_.find(partition);
    moved = read && known != nullptr && contains_all(known->leadership->isr, assignment.target());
  }
  co_return moved;
}

Task<AdminError> Controller::reassign(TopicPartition partition, ReplicaAssignment wanted) {
  const auto fault = co_await set_assignment(partition, wanted);
  if (!fault.ok()) co_return fault;
  state_.reassigning.insert(partition);
  deletion_.halt(partition.topic);
  const bool moved = co_await has_moved(partition, wanted);
  if (!moved) {
    co_await machines_.announce(partition);
    std::vector<PartitionReplica> fresh;
    for (const auto broker : wanted.adding) fresh.push_back({partition, broker});
    co_await machines_.change(std::move(fresh), ReplicaPhase::new_replica);
    co_return AdminError{};
  }
  co_await complete(partition, std::move(wanted));
  co_return AdminError{};
}

// Who is only being added may be all that is in sync. Without it the others could not lead, and it is stopped
// with what only it has. There Kafka with ZooKeeper loses records, and with KRaft it refuses.
Task<AdminError> Controller::strands(TopicPartition partition, ReplicaAssignment wanted) {
  AdminError fault;
  const bool read = co_await machines_.refresh(partition);
  if (!read) co_return fault;
  const auto& isr = state_.at(partition).leadership->isr;
  const bool stays = std::any_of(isr.begin(), isr.end(), [&](auto broker) {
    return contains_all(wanted.replicas, Replicas(1, broker));
  });
  if (stays) co_return fault;
  fault.code = ErrorCode::invalid_replica_assignment;
  fault.message = fmt::format(
      "Unable to revert partition assignment for {}:{} because it would require an unclean leader election.",
      partition.topic, partition.partition);
  effects_.emplace_back(Note{fault.message});
  co_return fault;
}

// The tree before memory. Replicas of an earlier move that are not wanted any more are stopped at once. They
// are out of the in-sync set before the tree forgets them (Kafka's come behind): who takes over in between
// would leave them there, nobody waits for them, and another move makes them replicas again that may lead.
// The leader is told of both at once, so that it does not take them in again meanwhile.
Task<AdminError> Controller::set_assignment(TopicPartition partition, ReplicaAssignment wanted) {
  const ReplicaAssignment before = state_.at(partition).assignment;
  AdminError fault;
  if (before == wanted) co_return fault;
  Replicas unneeded = before.replicas;
  std::erase_if(unneeded, [&](auto broker) { return contains_all(wanted.replicas, Replicas(1, broker)); });
  if (!unneeded.empty()) fault = co_await strands(partition, wanted);
  if (!fault.ok()) co_return fault;
  if (!unneeded.empty()) co_await machines_.leave_isr(unneeded, partition);
  const bool written = co_await write_assignment(partition, wanted);
  if (!written) {
    if (!unneeded.empty()) co_await machines_.announce(partition);
    co_return plain_error(ErrorCode::unknown_server_error);
  }
  state_.at(partition).assignment = wanted;
  if (!unneeded.empty()) co_await remove_replicas(partition, std::move(unneeded));
  co_return fault;
}

Task<bool> Controller::write_assignment(TopicPartition partition, ReplicaAssignment assignment) {
  zk::TopicAssignment topic = state_.assignment_of(partition.topic);
  topic.partitions[partition.partition] = std::move(assignment);
  std::vector<ZkOp> ops;
  ops.push_back(zk::set_op(zk::topic_path(partition.topic), zk::encode_topic(topic)));
  const auto written = co_await machines_.write(std::move(ops));
  if (!written.front().ok()) {
    effects_.emplace_back(Note{fmt::format("the assignment of {} could not be written (code {})",
                                           partition.text(), static_cast<int>(written.front().code))});
  }
  co_return written.front().ok();
}

Task<void> Controller::remove_replicas(TopicPartition partition, Replicas brokers) {
  std::vector<PartitionReplica> replicas;
  for (const auto broker : brokers) replicas.push_back({partition, broker});
  for (const auto phase : kRemovalPhases) co_await machines_.change(replicas, phase);
  // One of them may have led. Where a move is replaced, Kafka elects nobody until something else makes it.
  const auto& leadership = state_.at(partition).leadership;
  if (!leadership || leadership->leader != zk::kNoLeader) co_return;
  std::vector<TopicPartition> one;
  one.push_back(partition);
  machines_.mark(one, PartitionPhase::offline);
  co_await machines_.bring_online(std::move(one), Election::offline);
}

// All of the new replicas are in sync. The tree learns of the new assignment last: until then it holds what
// is needed to do this again.
Task<void> Controller::complete(TopicPartition partition, ReplicaAssignment moved) {
  std::vector<PartitionReplica> added;
  for (const auto broker : moved.adding) added.push_back({partition, broker});
  co_await machines_.change(std::move(added), ReplicaPhase::online);
  ReplicaAssignment done;
  done.replicas = moved.target();
  state_.at(partition).assignment = done;
  const auto& leadership = state_.at(partition).leadership;
  const auto leader = leadership ? leadership->leader : zk::kNoLeader;
  if (contains_all(done.replicas, Replicas(1, leader)) && state_.is_online(leader, partition)) {
    co_await machines_.announce(partition);
  } else {
    std::vector<TopicPartition> one;
    one.push_back(partition);
    co_await machines_.bring_online(std::move(one), Election::reassign);
  }
  co_await remove_replicas(partition, moved.removing);
  const bool written = co_await write_assignment(partition, done);
  if (!written) {
    state_.at(partition).assignment = std::move(moved);  // still to be finished
    co_return;
  }
  state_.reassigning.erase(partition);
  std::set<TopicPartition> finished;
  finished.insert(partition);
  co_await forget_tree_reassignments(std::move(finished), &done.replicas);
  std::vector<TopicPartition> changed;
  changed.push_back(partition);
  machines_.update_metadata(state_.live_or_shutting_down(), changed);
  if (state_.is_reassigning(partition.topic)) co_return;
  std::set<std::string> topic;
  topic.insert(partition.topic);
  co_await deletion_.resume_for(std::move(topic));
}

}  // namespace tandem::broker::controller
