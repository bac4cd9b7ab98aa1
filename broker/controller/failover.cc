// What a newly elected controller does, in this order: features, watches, old notifications, the whole state
// of the cluster, deletions under way, the live brokers told to everybody, replicas, partitions,
// reassignments, deletions, elections asked for, and the timer of the rebalancing. Reads are pipelined: their
// number decides how long a failover takes.
#include <fmt/core.h>

#include <charconv>

#include "broker/controller/controller.h"
#include "broker/controller/registration.h"
#include "broker/zk/controller.h"
#include "broker/zk/paths.h"

namespace tandem::broker::controller {
namespace {

using zk::ZkOp;

constexpr base::milliseconds kFirstRebalance{5000};

}  // namespace

Task<void> Controller::fail_over() {
  co_await set_up_features();
  std::vector<ZkOp> watches;
  watches.push_back(zk::exists_op(std::string(zk::kPreferredElectionPath), true));
  watches.push_back(zk::exists_op(std::string(zk::kReassignPath), true));
  co_await zk_.run(std::move(watches));
  co_await drop_notifications(std::string(zk::kLogDirEventsPath));
  co_await drop_notifications(std::string(zk::kIsrChangesPath));
  co_await load_brokers();
  for (const auto& [id, broker] : state_.brokers) connect(id);  // who refuses is known before anybody is told
  co_await load_topics();
  auto left = co_await load_states();
  count_out_seen();
  co_await load_deletions();
  machines_.update_metadata(state_.live_or_shutting_down(), {});
  {
    const StateMachines::JustRead just_read(machines_);
    co_await replace_leaders(std::move(left));
    co_await machines_.start_replicas();
    machines_.start_partitions();
    co_await machines_.bring_pending_online();
  }
  co_await on_reassignment_asked();
  co_await resume_reassignments({});
  co_await deletion_.resume();
  co_await on_preferred_asked();
  if (options_.auto_rebalance) rebalance_at_ = now_ + kFirstRebalance;
}

Task<void> Controller::set_up_features() {
  zk::FeatureNode wanted;
  wanted.version = options_.protocol.feature_node_version();
  const std::string path(zk::kFeaturePath);
  const auto found = co_await zk_.run(zk::get_op(path));
  if (!found.front().ok()) {
    co_await zk_.run(zk::create_op(path, zk::encode_feature(wanted)));
    co_return;
  }
  const auto current = zk::decode_feature(found.front().data);
  if (!current) {
    effects_.emplace_back(Note{current.error().context});
    co_return;
  }
  if (current->enabled) wanted.features = current->features;
  if (wanted == *current) co_return;
  co_await zk_.run(zk::set_op(path, zk::encode_feature(wanted)));
}

Task<void> Controller::drop_notifications(std::string root) {
  const auto list = co_await zk_.run(zk::children_op(root, true));
  std::vector<ZkOp> ops;
  for (const auto& child : list.front().children) ops.push_back(zk::remove_op(root + "/" + child));
  co_await machines_.write(std::move(ops));
}

void Controller::connect(std::int32_t broker) {
  const auto& live = state_.brokers.at(broker);
  const auto* endpoint = live.registration.endpoint(options_.control_listener);
  if (endpoint == nullptr) {
    effects_.emplace_back(
        Note{fmt::format("broker {} has no listener {}", broker, options_.control_listener)});
    return;
  }
  effects_.emplace_back(Connect{broker, *endpoint});
  watch(broker);
}

Task<std::map<std::int32_t, LiveBroker>> Controller::read_brokers() {
  const auto list = co_await zk_.run(zk::children_op(std::string(zk::kBrokerIdsPath), true));
  std::vector<ZkOp> ops;
  std::vector<std::int32_t> ids;
  for (const auto& name : list.front().children) {
    std::int32_t id = -1;
    const auto [end, fault] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (fault != std::errc() || end != name.data() + name.size()) continue;
    ids.push_back(id);
    ops.push_back(zk::get_op(zk::broker_path(id), true));
  }
  const auto results = co_await zk_.run(std::move(ops));
  std::map<std::int32_t, LiveBroker> out;
  std::map<std::int32_t, std::int64_t> suspects;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i].ok()) continue;  // gone meanwhile: the watch of the children tells
    const auto suspected = state_.suspects.find(ids[i]);
    if (suspected != state_.suspects.end() && suspected->second == results[i].stat.czxid) {
      suspects.insert(*suspected);
      continue;
    }
    const auto broker = zk::decode_broker(ids[i], results[i].data);
    if (broker) {
      out.emplace(ids[i], LiveBroker{*broker, results[i].stat.czxid});
    } else {
      effects_.emplace_back(Note{broker.error().context});
    }
  }
  for (const auto& [id, epoch] : state_.suspects) {
    if (!suspects.contains(id)) effects_.emplace_back(UnwatchBroker{id});
  }
  state_.suspects = std::move(suspects);
  co_return out;
}

Task<void> Controller::load_brokers() { state_.brokers = co_await read_brokers(); }

Task<void> Controller::load_topics() {
  const auto list = co_await zk_.run(zk::children_op(std::string(zk::kTopicsPath), true));
  std::vector<TopicPartition> partitions;
  co_await read_topics(list.front().children, partitions);
  for (const auto& partition : partitions) {
    if (state_.at(partition).assignment.reassigning()) state_.reassigning.insert(partition);
  }
}

// Its leader has registered anew since the state was written: the process that led is gone, as one whose
// death a controller has seen. What it had and a power cut took may be on other replicas, so it must not go
// on in that epoch, where it would write other records under the same offsets. Nobody else has those of a
// partition with one replica.
bool Controller::has_left(const Partition& partition, std::int64_t written) const {
  return partition.assignment.replicas.size() > 1 &&
         state_.broker_epoch(partition.leadership->leader) > written;
}

// Before anybody is told who leads in the epoch that is over.
Task<void> Controller::replace_leaders(std::vector<TopicPartition> partitions) {
  std::erase_if(partitions,
                [this](const auto& partition) { return state_.deleting.contains(partition.topic); });
  for (const auto& partition : partitions) state_.at(partition).phase = PartitionPhase::offline;
  co_await machines_.bring_online(std::move(partitions), Election::offline);
}

// Gives the partitions whose leaders have left.
Task<std::vector<TopicPartition>> Controller::load_states() {
  std::vector<TopicPartition> left;
  const auto partitions = state_.partitions();
  std::vector<ZkOp> ops;
  for (const auto& partition : partitions) ops.push_back(zk::get_op(zk::partition_state_path(partition)));
  const auto results = co_await zk_.run(std::move(ops));
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i].ok()) continue;
    const auto state = zk::decode_state(partitions[i], results[i].data, results[i].stat.version);
    if (state) {
      Partition& partition = state_.at(partitions[i]);
      partition.leadership = *state;
      if (has_left(partition, results[i].stat.mzxid)) left.push_back(partitions[i]);
    } else {
      effects_.emplace_back(Note{state.error().context});
    }
  }
  co_return left;
}

Task<void> Controller::load_deletions() {
  const auto list = co_await zk_.run(zk::children_op(std::string(zk::kDeleteTopicsPath), true));
  std::set<std::string> topics;
  std::set<std::string> gone;
  std::set<std::string> ineligible;
  for (const auto& name : list.front().children) (state_.topics.contains(name) ? topics : gone).insert(name);
  for (const auto& topic : topics) {
    if (state_.is_reassigning(topic)) ineligible.insert(topic);
    for (const auto& replica : state_.replicas_of(topic)) {
      if (!state_.is_online(replica.broker, replica.partition)) ineligible.insert(topic);
    }
  }
  co_await deletion_.forget_requests(std::move(gone));
  co_await deletion_.init(std::move(topics), std::move(ineligible));
}

}  // namespace tandem::broker::controller
