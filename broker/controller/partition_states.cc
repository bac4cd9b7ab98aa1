// The partitions' half of StateMachines.
#include <fmt/format.h>

#include <algorithm>

#include "broker/controller/state_machines.h"
#include "broker/zk/configs.h"
#include "broker/zk/paths.h"

namespace tandem::broker::controller {
namespace {

using protocol::ErrorCode;
using zk::ZkCode;
using zk::ZkOp;

constexpr std::size_t kNamesMax = 10;  // of partitions in a line of the log

}  // namespace

Task<std::vector<zk::ZkResult>> StateMachines::write_groups(std::vector<std::vector<ZkOp>> groups) {
  std::vector<ZkOp> ops;
  for (auto& group : groups) {
    std::vector<ZkOp> parts;
    parts.push_back(zk::check_op(std::string(zk::kControllerEpochPath), state_.epoch_version));
    for (auto& op : group) parts.push_back(std::move(op));
    ops.push_back(zk::multi_op(std::move(parts)));
  }
  auto results = co_await zk_.run(std::move(ops));
  std::vector<zk::ZkResult> out;
  for (auto& result : results) {
    zk::ZkResult last;
    if (!result.parts.empty()) last = std::move(result.parts.back());
    last.code = result.code;
    out.push_back(std::move(last));
  }
  co_return out;
}

Task<std::vector<zk::ZkResult>> StateMachines::write(std::vector<ZkOp> ops) {
  std::vector<std::vector<ZkOp>> groups;
  for (auto& op : ops) {
    groups.emplace_back();
    groups.back().push_back(std::move(op));
  }
  auto results = co_await write_groups(std::move(groups));
  co_return results;
}

void StateMachines::send() {
  for (auto& request : batch_.flush()) effects_.emplace_back(std::move(request));
}

void StateMachines::update_metadata(const std::vector<std::int32_t>& brokers,
                                    const std::vector<TopicPartition>& partitions) {
  batch_.update_metadata(brokers, partitions);
  send();
}

void StateMachines::mark(std::vector<TopicPartition> partitions, PartitionPhase phase) {
  for (const auto& partition : partitions) {
    Partition& known = state_.at(partition);
    if (may_become(known.phase, phase)) {
      known.phase = phase;
    } else {
      note(fmt::format("partition {} cannot go from {} to {}", partition.text(), to_string(known.phase),
                       to_string(phase)));
    }
  }
}

void StateMachines::start_partitions() {
  for (auto& [name, topic] : state_.topics) {
    for (auto& [number, partition] : topic.partitions) {
      if (!partition.leadership) {
        partition.phase = PartitionPhase::new_partition;
      } else {
        const bool led = state_.is_online(partition.leadership->leader, {name, number});
        partition.phase = led ? PartitionPhase::online : PartitionPhase::offline;
      }
    }
  }
}

Replicas StateMachines::online_replicas(const TopicPartition& partition) const {
  Replicas out;
  for (const auto broker : state_.find(partition)->assignment.replicas) {
    if (state_.is_online(broker, partition)) out.push_back(broker);
  }
  return out;
}

Replicas StateMachines::replicas_there(const TopicPartition& partition) const {
  Replicas out;
  for (const auto broker : state_.find(partition)->assignment.replicas) {
    if (state_.is_there(broker, partition)) out.push_back(broker);
  }
  return out;
}

Task<void> StateMachines::bring_pending_online(std::string topic) {
  std::vector<TopicPartition> pending;
  for (auto& partition : state_.partitions_in({PartitionPhase::new_partition, PartitionPhase::offline})) {
    if (!topic.empty() && partition.topic != topic) continue;
    if (!state_.deleting.contains(partition.topic)) pending.push_back(std::move(partition));
  }
  co_await bring_online(std::move(pending), Election::offline);
}

Task<std::map<TopicPartition, AdminError>> StateMachines::bring_online(std::vector<TopicPartition> partitions,
                                                                       Election election) {
  std::vector<TopicPartition> fresh;
  std::vector<TopicPartition> led;
  for (auto& partition : partitions) {
    const auto phase = state_.at(partition).phase;
    if (!may_become(phase, PartitionPhase::online)) {
      note(fmt::format("partition {} cannot go from {} to OnlinePartition", partition.text(),
                       to_string(phase)));
      continue;
    }
    (phase == PartitionPhase::new_partition ? fresh : led).push_back(std::move(partition));
  }
  Failures failures = co_await create_states(std::move(fresh));
  Failures lost = co_await elect_leaders(std::move(led), election);
  failures.merge(lost);
  note_failures(failures);
  send();
  co_return failures;
}

// One line for all that failed alike: a broker that is away may leave thousands of partitions without a
// leader.
void StateMachines::note_failures(const Failures& failures) {
  struct Alike {
    std::vector<std::string> names;
    std::size_t count = 0;
  };
  std::map<std::pair<bool, std::string_view>, Alike> outcomes;
  for (const auto& [partition, error] : failures) {
    const bool led_on = error.code == ErrorCode::preferred_leader_not_available;
    Alike& alike = outcomes[{led_on, error.message}];
    if (++alike.count <= kNamesMax) alike.names.push_back(partition.text());
  }
  for (const auto& [outcome, alike] : outcomes) {
    const auto& [led_on, message] = outcome;
    if (alike.count == 1) {
      note(fmt::format("partition {} {}: {}", alike.names.front(),
                       led_on ? "keeps its leader" : "stays without a leader", message));
    } else {
      note(fmt::format("{} partitions {} ({}{}): {}", alike.count,
                       led_on ? "keep their leaders" : "stay without a leader", fmt::join(alike.names, ", "),
                       alike.count > kNamesMax ? ", ..." : "", message));
    }
  }
}

// Parents and state of each partition in one multi would fail as a whole when a parent exists, so the
// parents go first, as Kafka writes them.
Task<StateMachines::Failures> StateMachines::create_states(std::vector<TopicPartition> partitions) {
  Failures failures;
  std::vector<Attempt> attempts;
  std::set<std::string> topics;
  std::vector<ZkOp> parents;
  std::vector<ZkOp> children;
  std::vector<ZkOp> states;
  for (const auto& partition : partitions) {
    const auto state = first_state(online_replicas(partition), state_.epoch);
    if (!state) {
      failures[partition] = {ErrorCode::leader_not_available, "no assigned replica is alive"};
      continue;
    }
    attempts.push_back({partition, *state});
    if (topics.insert(partition.topic).second) {
      parents.push_back(zk::create_empty_op(zk::topic_partitions_path(partition.topic)));
    }
    children.push_back(zk::create_empty_op(zk::partition_path(partition)));
    states.push_back(zk::create_op(zk::partition_state_path(partition), zk::encode_state(*state)));
  }
  co_await write(std::move(parents));
  co_await write(std::move(children));
  const auto results = co_await write(std::move(states));
  std::vector<TopicPartition> there;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& partition = attempts[i].partition;
    // It was created, and the answer was lost with the connection. Kafka's controller tries for ever.
    if (results[i].code == zk::ZkCode::node_exists) {
      state_.at(partition).phase = PartitionPhase::offline;
      there.push_back(partition);
      continue;
    }
    if (!results[i].ok()) {
      failures[partition] = {
          ErrorCode::unknown_server_error,
          fmt::format("its state could not be created (code {})", static_cast<int>(results[i].code))};
      continue;
    }
    Partition& known = state_.at(partition);
    known.leadership = attempts[i].current;
    known.phase = PartitionPhase::online;
    batch_.leader_and_isr(known.leadership->isr, partition, true);
  }
  if (there.empty()) co_return failures;
  Failures lost = co_await elect_leaders(std::move(there), Election::offline);
  failures.merge(lost);
  co_return failures;
}

Task<StateMachines::Failures> StateMachines::elect_leaders(std::vector<TopicPartition> partitions,
                                                           Election election) {
  Failures failures;
  for (int round = 0; !partitions.empty() && round < kConflictRoundsMax; ++round) {
    partitions = co_await elect_once(std::move(partitions), election, failures);
  }
  for (const auto& partition : partitions) {
    failures[partition] = {ErrorCode::unknown_server_error, "its state keeps changing in the tree"};
  }
  co_return failures;
}

// What may be written anew: nothing that a later controller wrote.
void StateMachines::attempt(const TopicPartition& partition, const PartitionState& state,
                            std::vector<Attempt>& out, Failures& failures) const {
  if (state.controller_epoch <= state_.epoch) {
    out.push_back({partition, state});
    return;
  }
  failures[partition] = {ErrorCode::not_controller,
                         fmt::format("its state was written by controller epoch {}", state.controller_epoch)};
}

Task<std::vector<StateMachines::Attempt>> StateMachines::read_states(std::vector<TopicPartition> partitions,
                                                                     Failures& failures) {
  std::vector<Attempt> out;
  std::vector<TopicPartition> unread;
  for (auto& partition : partitions) {
    const Partition* known = state_.find(partition);
    const bool in_memory = just_read_ && known != nullptr && known->leadership;
    if (in_memory && !changed_since_.contains(partition)) {
      attempt(partition, *known->leadership, out, failures);
    } else {
      unread.push_back(std::move(partition));
    }
  }
  std::vector<ZkOp> reads;
  for (const auto& partition : unread) reads.push_back(zk::get_op(zk::partition_state_path(partition)));
  const auto results = co_await zk_.run(std::move(reads));
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& partition = unread[i];
    changed_since_.erase(partition);
    if (!results[i].ok()) {
      failures[partition] = {ErrorCode::unknown_server_error, "its state is not in the tree"};
      continue;
    }
    const auto state = zk::decode_state(partition, results[i].data, results[i].stat.version);
    if (state) {
      attempt(partition, *state, out, failures);
    } else {
      failures[partition] = {ErrorCode::unknown_server_error, state.error().context};
    }
  }
  co_return out;
}

Task<bool> StateMachines::refresh(TopicPartition partition) {
  std::vector<TopicPartition> one;
  one.push_back(partition);
  Failures failures;
  const auto found = co_await read_states(std::move(one), failures);
  if (!found.empty()) state_.at(partition).leadership = found.front().current;
  co_return !found.empty();
}

Task<bool> StateMachines::announce(TopicPartition partition) {
  std::vector<TopicPartition> left;
  left.push_back(partition);
  std::vector<TopicPartition> written;
  Failures failures;
  for (int round = 0; !left.empty() && round < kConflictRoundsMax; ++round) {
    auto next = co_await read_states(std::move(left), failures);
    for (auto& attempt : next) {
      ++attempt.current.leader_epoch;
      attempt.current.controller_epoch = state_.epoch;
    }
    left = co_await write_states(std::move(next), written, failures);
  }
  if (written.empty()) {
    note(fmt::format("the replicas of {} are not told of its reassignment: its state cannot be written",
                     partition.text()));
    co_return false;
  }
  const ReplicaAssignment& assignment = state_.at(partition).assignment;
  batch_.leader_and_isr(assignment.origin(), partition, false);
  batch_.leader_and_isr(assignment.adding, partition, true);
  send();
  co_return true;
}

ElectionInput StateMachines::election_input(const Attempt& attempt) const {
  ElectionInput input;
  input.assigned = state_.find(attempt.partition)->assignment.replicas;
  input.current = attempt.current;
  input.recovery_states = options_.recovery_states;
  for (const auto broker : input.assigned) {
    if (state_.shutting_down.contains(broker)) input.shutting_down.insert(broker);
    if (state_.is_online(broker, attempt.partition)) input.online.push_back(broker);
  }
  return input;
}

// A suspect may be back at once, or may not be dead: no record is given up before its session is over.
bool StateMachines::waits_for_suspect(const PartitionState& state) const {
  return std::any_of(state.isr.begin(), state.isr.end(),
                     [this](auto broker) { return state_.suspects.contains(broker); });
}

// Only a topic none of whose in-sync replicas lives asks for its own setting.
Task<std::map<std::string, bool>> StateMachines::unclean_topics(std::vector<Attempt> attempts) {
  std::map<std::string, bool> out;
  for (const auto& attempt : attempts) {
    if (!elect(Election::offline, election_input(attempt))) {
      out.emplace(attempt.partition.topic, options_.unclean_default);
    }
  }
  std::vector<ZkOp> reads;
  for (const auto& [topic, unclean] : out)
    reads.push_back(zk::get_op(zk::config_path(zk::kTopicConfigs, topic)));
  const auto results = co_await zk_.run(std::move(reads));
  std::size_t i = 0;
  for (auto& [topic, unclean] : out) {
    const auto& result = results[i++];
    const auto config = zk::decode_config(topic, result.ok() ? result.data : "");
    if (!config) continue;
    for (const auto& [key, value] : *config) {
      if (key == "unclean.leader.election.enable") unclean = value == "true";
    }
  }
  co_return out;
}

Task<std::vector<TopicPartition>> StateMachines::elect_once(std::vector<TopicPartition> partitions,
                                                            Election election, Failures& failures) {
  const auto attempts = co_await read_states(std::move(partitions), failures);
  std::map<std::string, bool> unclean;
  if (election == Election::offline) unclean = co_await unclean_topics(attempts);
  std::vector<Attempt> next;
  for (const auto& attempt : attempts) {
    ElectionInput input = election_input(attempt);
    const auto allowed = unclean.find(attempt.partition.topic);
    input.unclean = allowed != unclean.end() && allowed->second && !waits_for_suspect(attempt.current);
    auto state = elect(election, input);
    if (!state && election == Election::preferred) {
      failures[attempt.partition] = {ErrorCode::preferred_leader_not_available,
                                     "the preferred one is not alive or not in the ISR"};
      continue;
    }
    if (!state) {
      failures[attempt.partition] = {ErrorCode::eligible_leaders_not_available, "no replica may lead"};
      continue;
    }
    state->controller_epoch = state_.epoch;
    next.push_back({attempt.partition, std::move(*state)});
  }
  std::vector<TopicPartition> written;
  auto again = co_await write_states(std::move(next), written, failures);
  for (const auto& partition : written) {
    state_.at(partition).phase = PartitionPhase::online;
    // Who shuts down is told that it leads no more: it refuses at once what others have taken over.
    const bool all = election == Election::controlled_shutdown;
    batch_.leader_and_isr(all ? replicas_there(partition) : online_replicas(partition), partition, false);
  }
  co_return again;
}

// Conditional on the version that was read; gives those that another writer has changed meanwhile.
Task<std::vector<TopicPartition>> StateMachines::write_states(std::vector<Attempt> next,
                                                              std::vector<TopicPartition>& written,
                                                              Failures& failures) {
  std::vector<ZkOp> ops;
  for (const auto& attempt : next) {
    ops.push_back(zk::set_op(zk::partition_state_path(attempt.partition), zk::encode_state(attempt.current),
                             attempt.current.partition_epoch));
  }
  const auto results = co_await write(std::move(ops));
  std::vector<TopicPartition> again;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& partition = next[i].partition;
    if (results[i].ok()) {
      PartitionState state = next[i].current;
      state.partition_epoch = results[i].stat.version;
      state_.at(partition).leadership = state;
      written.push_back(partition);
    } else if (results[i].code == ZkCode::bad_version) {
      if (just_read_) changed_since_.insert(partition);
      again.push_back(partition);
    } else {
      failures[partition] = {
          ErrorCode::unknown_server_error,
          fmt::format("its state could not be written (code {})", static_cast<int>(results[i].code))};
    }
  }
  co_return again;
}

}  // namespace tandem::broker::controller
