// CreateTopics, DeleteTopics and CreatePartitions on the controller: checks in Kafka's order and with its
// words, then the znodes, then at once what their watches would bring. Source: Kafka 3.9 ZkAdminManager,
// AdminZkClient.
#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>

#include "broker/controller/controller.h"
#include "broker/controller/registration.h"
#include "broker/zk/paths.h"

namespace tandem::broker::controller {
namespace {

using protocol::ErrorCode;
using zk::ZkOp;

AdminError assignment_fault(const std::map<std::int32_t, Replicas>& assignment) {
  for (const auto& [partition, replicas] : assignment) {
    if (replicas.size() != assignment.begin()->second.size()) {
      return {ErrorCode::invalid_replica_assignment,
              "All partitions should have the same number of replicas"};
    }
  }
  std::vector<std::string> repeated;
  for (const auto& [partition, replicas] : assignment) {
    if (std::set<std::int32_t>(replicas.begin(), replicas.end()).size() == replicas.size()) continue;
    repeated.push_back(fmt::format("{} -> ArrayBuffer({})", partition, fmt::join(replicas, ", ")));
  }
  if (!repeated.empty()) {
    return {ErrorCode::invalid_replica_assignment,
            fmt::format("Duplicate replica assignment found: HashMap({})", fmt::join(repeated, ", "))};
  }
  if (assignment.empty() || assignment.begin()->first != 0 ||
      assignment.rbegin()->first != static_cast<std::int32_t>(assignment.size()) - 1) {
    return {ErrorCode::invalid_replica_assignment,
            "partitions should be a consecutive 0-based integer sequence"};
  }
  return {};
}

}  // namespace

std::vector<AssignableBroker> Controller::assignable_brokers() const {
  std::vector<AssignableBroker> out;
  for (const auto& [id, broker] : state_.brokers) {
    if (state_.is_live(id)) out.push_back({id, broker.registration.rack});
  }
  return out;
}

Task<AdminError> Controller::name_is_free(std::string name) {
  std::vector<ZkOp> ops;
  ops.push_back(zk::exists_op(zk::delete_topic_path(name)));
  ops.push_back(zk::exists_op(zk::topic_path(name)));
  ops.push_back(zk::children_op(std::string(zk::kTopicsPath)));
  const auto found = co_await zk_.run(std::move(ops));
  if (found[0].ok()) {
    co_return AdminError{ErrorCode::topic_already_exists,
                         fmt::format("Topic '{}' is marked for deletion.", name)};
  }
  if (found[1].ok()) {
    co_return AdminError{ErrorCode::topic_already_exists, fmt::format("Topic '{}' already exists.", name)};
  }
  if (!zk::has_collision_chars(name)) co_return AdminError{};
  std::vector<std::string> colliding;
  for (const auto& other : found[2].children) {
    if (zk::topic_names_collide(name, other)) colliding.push_back(other);
  }
  if (colliding.empty()) co_return AdminError{};
  co_return AdminError{
      ErrorCode::invalid_topic_exception,
      fmt::format("Topic '{}' collides with existing topics: {}", name, fmt::join(colliding, ", "))};
}

Task<TopicCreated> Controller::create_topic(TopicToCreate topic, bool validate_only) {
  TopicCreated out;
  out.name = topic.name;
  const auto fault = zk::topic_name_fault(topic.name);
  if (fault) {
    out.error = {ErrorCode::invalid_topic_exception, "Topic name is invalid: " + *fault};
    co_return out;
  }
  if (state_.topics.contains(topic.name) && !state_.deleting.contains(topic.name)) {
    out.error = {ErrorCode::topic_already_exists, fmt::format("Topic '{}' already exists.", topic.name)};
    co_return out;
  }
  const bool counted = topic.partitions != -1 || topic.replication_factor != -1;
  zk::TopicAssignment assignment;
  if (topic.assignment.empty()) {
    AssignOptions options;
    options.partitions = topic.partitions == -1 ? options_.default_partitions : topic.partitions;
    options.replication_factor =
        topic.replication_factor == -1 ? options_.default_replication_factor : topic.replication_factor;
    auto assigned = assign_replicas(assignable_brokers(), options, random_);
    out.error = assigned.error;
    topic.assignment = std::move(assigned.partitions);
  } else if (counted) {
    out.error = {ErrorCode::invalid_request,
                 "Both numPartitions or replicationFactor and replicasAssignments were set. Both cannot be "
                 "used at the "
                 "same time."};
  }
  if (out.error.ok()) out.error = co_await name_is_free(topic.name);
  if (out.error.ok()) out.error = assignment_fault(topic.assignment);
  if (!out.error.ok()) co_return out;
  out.partitions = static_cast<std::int32_t>(topic.assignment.size());
  out.replication_factor = static_cast<std::int32_t>(topic.assignment.begin()->second.size());
  if (validate_only) co_return out;
  if (options_.protocol.topic_ids()) assignment.id = random_id(random_);
  for (const auto& [number, replicas] : topic.assignment) assignment.partitions[number].replicas = replicas;
  out.id = assignment.id;

  // The settings first: whoever sees the topic sees them too.
  const std::string config = zk::config_path(zk::kTopicConfigs, topic.name);
  const auto set = co_await zk_.run(zk::set_op(config, zk::encode_config(topic.configs)));
  if (!set.front().ok()) co_await zk_.run(zk::create_op(config, zk::encode_config(topic.configs)));
  std::vector<ZkOp> ops;
  ops.push_back(zk::create_op(zk::topic_path(topic.name), zk::encode_topic(assignment)));
  const auto created = co_await machines_.write(std::move(ops));
  if (created.front().code == zk::ZkCode::node_exists) {
    out.error = {ErrorCode::topic_already_exists, fmt::format("Topic '{}' already exists.", topic.name)};
  } else if (!created.front().ok()) {
    out.error = {ErrorCode::unknown_server_error,
                 "the topic could not be written to the coordination service"};
  }
  co_return out;
}

Task<TopicsCreated> Controller::create_topics(CreateTopics request) {
  TopicsCreated out;
  bool any = false;
  for (auto& topic : request.topics) {
    auto created = co_await create_topic(std::move(topic), request.validate_only);
    any = any || (created.error.ok() && !request.validate_only);
    out.topics.push_back(std::move(created));
  }
  if (any) co_await on_topics_changed();
  co_return out;
}

Task<TopicErrors> Controller::delete_topics(DeleteTopics request) {
  TopicErrors out;
  std::vector<ZkOp> ops;
  std::vector<std::size_t> slots;
  for (const auto& name : request.topics) {
    if (!state_.topics.contains(name)) {
      out.topics.push_back({name, {ErrorCode::unknown_topic_or_partition, ""}});
      continue;
    }
    out.topics.push_back({name, {}});
    slots.push_back(out.topics.size() - 1);
    ops.push_back(zk::create_empty_op(zk::delete_topic_path(name)));
  }
  const auto results = co_await machines_.write(std::move(ops));
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i].ok() || results[i].code == zk::ZkCode::node_exists) continue;
    out.topics[slots[i]].error = {ErrorCode::unknown_server_error, ""};
  }
  if (!slots.empty()) co_await on_deletion_asked();
  co_return out;
}

// The partitions to add: as asked for, or spread so that they go on where the first ones began.
AssignResult Controller::extension(const GrowTopic& grow, const zk::TopicAssignment& known) {
  const auto have = static_cast<std::int32_t>(known.partitions.size());
  const std::int32_t more = grow.count - have;
  const Replicas& first = known.partitions.begin()->second.replicas;
  const auto wrong = [](std::string message) {
    return AssignResult{{ErrorCode::invalid_replica_assignment, std::move(message)}, {}};
  };
  AssignResult out;
  if (!grow.assignments) {
    AssignOptions options;
    options.partitions = more;
    options.replication_factor = static_cast<std::int32_t>(first.size());
    options.first_partition = have;
    const auto brokers = assignable_brokers();
    options.start = 0;
    for (std::size_t i = 0; i < brokers.size(); ++i) {
      if (brokers[i].id == first.front()) options.start = static_cast<std::uint32_t>(i);
    }
    return assign_replicas(brokers, options, random_);
  }
  for (const auto& replicas : *grow.assignments) {
    for (const auto broker : replicas) {
      if (state_.brokers.contains(broker)) continue;
      return wrong(fmt::format("Unknown broker(s) in replica assignment: {}.", broker));
    }
  }
  if (static_cast<std::int32_t>(grow.assignments->size()) != more) {
    return wrong(fmt::format("Increasing the number of partitions by {} but {} assignments provided.", more,
                             grow.assignments->size()));
  }
  for (const auto& replicas : *grow.assignments) {
    const std::int32_t number = have + static_cast<std::int32_t>(out.partitions.size());
    if (std::set<std::int32_t>(replicas.begin(), replicas.end()).size() != first.size() ||
        replicas.size() != first.size()) {
      return wrong(
          fmt::format("Inconsistent replication factor between partitions, partition 0 has {} while "
                      "partitions [{}] have replication factors [{}], respectively.",
                      first.size(), number, replicas.size()));
    }
    out.partitions[number] = replicas;
  }
  return out;
}

Task<AdminError> Controller::grow_topic(GrowTopic grow, bool validate_only) {
  const auto known = state_.topics.find(grow.name);
  if (state_.deleting.contains(grow.name))
    co_return AdminError{ErrorCode::invalid_topic_exception, "The topic is queued for deletion."};
  if (known == state_.topics.end()) {
    co_return AdminError{ErrorCode::unknown_topic_or_partition,
                         fmt::format("The topic '{}' does not exist.", grow.name)};
  }
  zk::TopicAssignment assignment;
  assignment.id = known->second.id;
  for (const auto& [number, partition] : known->second.partitions) {
    if (partition.assignment.reassigning()) {
      co_return AdminError{
          ErrorCode::reassignment_in_progress,
          fmt::format("A partition reassignment is in progress for the topic '{}'.", grow.name)};
    }
    assignment.partitions[number] = partition.assignment;
  }
  const auto have = static_cast<std::int32_t>(assignment.partitions.size());
  const std::int32_t more = grow.count - have;
  if (more < 0) {
    co_return AdminError{
        ErrorCode::invalid_partitions,
        fmt::format("Topic currently has {} partitions, which is higher than the requested {}.", have,
                    grow.count)};
  }
  if (more == 0) {
    co_return AdminError{ErrorCode::invalid_partitions,
                         fmt::format("Topic already has {} partitions.", have)};
  }
  AssignResult added = extension(grow, assignment);
  if (!added.error.ok()) co_return added.error;
  if (validate_only) co_return AdminError{};
  for (const auto& [number, replicas] : added.partitions) assignment.partitions[number].replicas = replicas;
  std::vector<ZkOp> ops;
  ops.push_back(zk::set_op(zk::topic_path(grow.name), zk::encode_topic(assignment)));
  const auto written = co_await machines_.write(std::move(ops));
  if (!written.front().ok()) co_return AdminError{ErrorCode::unknown_server_error, ""};
  co_await on_topic_modified(grow.name);
  co_return AdminError{};
}

Task<TopicErrors> Controller::grow_topics(CreatePartitions request) {
  TopicErrors out;
  for (auto& topic : request.topics) {
    std::string name = topic.name;
    auto error = co_await grow_topic(std::move(topic), request.validate_only);
    out.topics.push_back({std::move(name), std::move(error)});
  }
  co_return out;
}

}  // namespace tandem::broker::controller
