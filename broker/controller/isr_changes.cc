// Leaders that change their ISR: through AlterPartition, or (inter-broker protocol below 2.7-IV2) by writing
// the partition's state themselves and a notification beside it.
#include <algorithm>

#include "broker/controller/controller.h"
#include "broker/zk/admin.h"
#include "broker/zk/paths.h"

namespace tandem::broker::controller {
namespace {

using protocol::AlterPartitionRequest;
using protocol::AlterPartitionResponse;
using protocol::ErrorCode;
using zk::ZkOp;

Replicas asked_isr(const AlterPartitionRequest::PartitionData& asked) {
  if (asked.new_isr_with_epochs.empty()) return asked.new_isr;
  Replicas out;
  for (const auto& member : asked.new_isr_with_epochs) out.push_back(member.broker_id);
  return out;
}

bool same_members(Replicas a, Replicas b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

// The checks in Kafka's order, and one that it has not: a leader that has not heard yet where its partition
// is moved may ask for a replica that the reassignment has just left out, of a controller that took office
// meanwhile, in the same epochs. `done` means that the state is already what is asked for.
struct Verdict {
  ErrorCode error = ErrorCode::none;
  bool done = false;
};

Verdict judge(const ClusterState& cluster, const Partition& partition,
              const AlterPartitionRequest::PartitionData& asked, bool by_topic_id) {
  const PartitionState& known = *partition.leadership;
  const Replicas isr = asked_isr(asked);
  if (asked.partition_epoch > known.partition_epoch || asked.leader_epoch > known.leader_epoch) {
    return {ErrorCode::not_controller};
  }
  if (asked.leader_epoch < known.leader_epoch) return {ErrorCode::fenced_leader_epoch};
  const auto recovery = static_cast<zk::LeaderRecovery>(asked.leader_recovery_state);
  if (same_members(isr, known.isr) && recovery == known.recovery) return {ErrorCode::none, true};
  if (asked.partition_epoch < known.partition_epoch) return {ErrorCode::invalid_update_version};
  const bool recovering = recovery == zk::LeaderRecovery::recovering;
  if (recovering && (isr.size() > 1 || known.recovery == zk::LeaderRecovery::recovered)) {
    return {ErrorCode::invalid_request};
  }
  const auto has = [](const Replicas& all, auto broker) {
    return std::find(all.begin(), all.end(), broker) != all.end();
  };
  const bool eligible = std::all_of(isr.begin(), isr.end(), [&](auto broker) {
    return cluster.is_live(broker) && (has(known.isr, broker) || has(partition.assignment.replicas, broker));
  });
  if (!eligible) return {by_topic_id ? ErrorCode::ineligible_replica : ErrorCode::operation_not_attempted};
  return {};
}

void describe(const PartitionState& state, AlterPartitionResponse::PartitionData& out) {
  out.leader_id = state.leader;
  out.leader_epoch = state.leader_epoch;
  out.isr = state.isr;
  out.leader_recovery_state = static_cast<std::int8_t>(state.recovery);
  out.partition_epoch = state.partition_epoch;
}

}  // namespace

// What is to be written, and where its outcome belongs in the response.
struct Controller::IsrChange {
  TopicPartition partition;
  PartitionState state;
  std::size_t topic;
  std::size_t slot;
};

Task<AlterPartitionResponse> Controller::alter_partition(AlterPartitionRequest request) {
  AlterPartitionResponse response;
  if (!state_.brokers.contains(request.broker_id) ||
      request.broker_epoch != state_.broker_epoch(request.broker_id)) {
    response.error_code = ErrorCode::stale_broker_epoch;
    co_return response;
  }
  std::vector<IsrChange> changes;
  std::vector<TopicPartition> touched;
  for (const auto& topic : request.topics) {
    const bool by_id = !topic.topic_id.is_zero();
    const auto* found = by_id ? state_.name_of(topic.topic_id.bytes) : &topic.topic_name;
    if (found != nullptr && topic.partitions.empty()) continue;
    auto& answer = response.topics.emplace_back();
    answer.topic_id = topic.topic_id;
    answer.topic_name = found == nullptr ? "" : *found;
    for (const auto& asked : topic.partitions) {
      auto& result = answer.partitions.emplace_back();
      result.partition_index = asked.partition_index;
      const TopicPartition key{answer.topic_name, asked.partition_index};
      const Partition* known = state_.find(key);
      if (found == nullptr) {
        result.error_code = ErrorCode::unknown_topic_id;
      } else if (known == nullptr || !known->leadership) {
        result.error_code = ErrorCode::unknown_topic_or_partition;
      } else {
        touched.push_back(key);
        const Verdict verdict = judge(state_, *known, asked, by_id);
        result.error_code = verdict.error;
        if (verdict.done) describe(*known->leadership, result);
        if (verdict.done || verdict.error != ErrorCode::none) continue;
        PartitionState next = *known->leadership;
        next.isr = asked_isr(asked);
        next.recovery = static_cast<zk::LeaderRecovery>(asked.leader_recovery_state);
        next.controller_epoch = state_.epoch;
        changes.push_back({key, std::move(next), response.topics.size() - 1, answer.partitions.size() - 1});
      }
    }
  }
  co_await write_isrs(std::move(changes), response);
  machines_.update_metadata(state_.live_or_shutting_down(), touched);
  co_return response;
}

Task<void> Controller::write_isrs(std::vector<IsrChange> changes, AlterPartitionResponse& response) {
  std::vector<ZkOp> ops;
  for (const auto& change : changes) {
    ops.push_back(zk::set_op(zk::partition_state_path(change.partition), zk::encode_state(change.state),
                             change.state.partition_epoch));
  }
  const auto results = co_await machines_.write(std::move(ops));
  // A write whose answer was lost with the connection meets its own version when it is said again.
  std::vector<TopicPartition> conflicts;
  for (std::size_t i = 0; i < results.size(); ++i)
    if (results[i].code == zk::ZkCode::bad_version) conflicts.push_back(changes[i].partition);
  co_await read_states(std::move(conflicts));
  for (std::size_t i = 0; i < results.size(); ++i) {
    IsrChange& change = changes[i];
    auto& result = response.topics[change.topic].partitions[change.slot];
    auto& known = *state_.at(change.partition).leadership;
    const bool conflict = results[i].code == zk::ZkCode::bad_version;
    change.state.partition_epoch = conflict ? known.partition_epoch : results[i].stat.version;
    if (results[i].ok()) known = change.state;
    if (results[i].ok() || (conflict && known == change.state)) {
      describe(known, result);
    } else {
      result.error_code = conflict ? ErrorCode::invalid_update_version : ErrorCode::unknown_server_error;
    }
  }
}

Task<void> Controller::read_states(std::vector<TopicPartition> partitions) {
  std::vector<ZkOp> reads;
  for (const auto& partition : partitions) reads.push_back(zk::get_op(zk::partition_state_path(partition)));
  const auto found = co_await zk_.run(std::move(reads));
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto state = zk::decode_state(partitions[i], found[i].data, found[i].stat.version);
    if (found[i].ok() && state) state_.at(partitions[i]).leadership = *state;
  }
}

// A leader that has not heard yet where its partition was moved may take in again whom the move left out. As
// the last in sync that one, its log deleted, would keep everybody else from leading; Kafka's stays.
Task<void> Controller::expel_strangers(TopicPartition partition) {
  const Partition& known = state_.at(partition);
  if (!known.leadership) co_return;
  Replicas strangers = strangers_in(*known.leadership, known.assignment);
  if (strangers.empty()) co_return;
  co_await machines_.leave_isr(std::move(strangers), partition);
  co_await machines_.announce(partition);
}

Task<void> Controller::on_isr_notified() {
  const std::string root(zk::kIsrChangesPath);
  auto notes = co_await read_notifications(root);
  std::vector<TopicPartition> partitions;
  for (const auto& note : notes.found) {
    const auto named = zk::decode_partitions(root, note.data);
    if (!note.ok() || !named) continue;
    for (const auto& partition : *named) {
      if (state_.find(partition) != nullptr) partitions.push_back(partition);
    }
  }
  co_await read_states(partitions);
  for (const auto& partition : partitions) co_await expel_strangers(partition);
  if (!partitions.empty()) machines_.update_metadata(state_.live_or_shutting_down(), partitions);
  co_await finish_reassignments(std::move(partitions));
  co_await machines_.write(std::move(notes.removals));
}

}  // namespace tandem::broker::controller
