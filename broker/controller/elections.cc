// Elections asked for by ElectLeaders or through the tree, or due by the balance of the cluster; and blocks
// of producer ids.
#include <fmt/core.h>

#include <algorithm>

#include "broker/controller/controller.h"
#include "broker/zk/admin.h"
#include "broker/zk/controller.h"
#include "broker/zk/paths.h"

namespace tandem::broker::controller {
namespace {

using protocol::ErrorCode;
using zk::ZkOp;

constexpr std::int8_t kUncleanElection = 1;  // the types of ElectLeaders: preferred is 0

}  // namespace

Task<void> Controller::on_preferred_asked() {
  const std::string path(zk::kPreferredElectionPath);
  std::vector<ZkOp> ops;
  ops.push_back(zk::exists_op(path, true));
  ops.push_back(zk::get_op(path));
  const auto found = co_await zk_.run(std::move(ops));
  if (!found[1].ok()) co_return;
  const auto asked = zk::decode_partitions(path, found[1].data);
  std::vector<TopicPartition> partitions;
  if (asked) {
    for (const auto& partition : *asked) {
      const Partition* known = state_.find(partition);
      if (known == nullptr || !known->leadership || known->assignment.replicas.empty()) continue;
      if (state_.deleting.contains(partition.topic)) continue;
      if (known->leadership->leader != known->assignment.replicas.front()) partitions.push_back(partition);
    }
  } else {
    effects_.emplace_back(Note{asked.error().context});
  }
  co_await machines_.bring_online(std::move(partitions), Election::preferred);
  std::vector<ZkOp> removal;
  removal.push_back(zk::remove_op(path));
  co_await machines_.write(std::move(removal));
}

// Why a partition asked for by ElectLeaders needs no election, or cannot have one; `none`: it is to be tried.
AdminError Controller::election_fault(const TopicPartition& key, bool unclean) const {
  const Partition* known = state_.find(key);
  if (known == nullptr || !known->leadership || known->assignment.replicas.empty())
    return {ErrorCode::unknown_topic_or_partition, "The partition does not exist."};
  if (state_.deleting.contains(key.topic))
    return {ErrorCode::invalid_topic_exception, "The topic is being deleted"};
  const auto leader = known->leadership->leader;
  const bool needed = unclean ? leader == zk::kNoLeader || !state_.is_live(leader)
                              : leader != known->assignment.replicas.front();
  if (needed) return {};
  return {ErrorCode::election_not_needed, std::string(protocol::sentence_of(ErrorCode::election_not_needed))};
}

Task<protocol::ElectLeadersResponse> Controller::elect_leaders(protocol::ElectLeadersRequest request) {
  const bool unclean = request.election_type == kUncleanElection;
  std::map<TopicPartition, AdminError> outcome;
  std::vector<TopicPartition> partitions;
  if (request.topic_partitions) {
    for (const auto& topic : *request.topic_partitions) {
      for (const auto number : topic.partitions) {
        const TopicPartition key{topic.topic, number};
        const auto [at, added] = outcome.emplace(key, election_fault(key, unclean));
        if (added && at->second.ok()) partitions.push_back(key);
      }
    }
  }
  const auto election = unclean ? Election::unclean : Election::preferred;
  const auto failures = co_await machines_.bring_online(partitions, election);
  for (const auto& [key, error] : failures) {
    const bool nobody = error.code == ErrorCode::preferred_leader_not_available ||
                        error.code == ErrorCode::eligible_leaders_not_available;
    outcome[key] = error;
    if (!nobody) continue;
    outcome[key].message =
        fmt::format("Failed to elect leader for partition {} under strategy {}", key.text(),
                    unclean ? "OfflinePartitionLeaderElectionStrategy(true)"
                            : "PreferredReplicaPartitionLeaderElectionStrategy");
  }
  protocol::ElectLeadersResponse response;
  for (const auto& [key, error] : outcome) {
    auto& topics = response.replica_election_results;
    if (topics.empty() || topics.back().topic != key.topic) topics.emplace_back().topic = key.topic;
    auto& result = topics.back().partition_result.emplace_back();
    result.partition_id = key.partition;
    result.error_code = error.code;
    if (!error.ok()) result.error_message = error.message;
  }
  co_return response;
}

// A broker that leads too few of the partitions that prefer it gets those back whose other conditions allow
// it.
Task<void> Controller::rebalance() {
  std::map<std::int32_t, std::vector<TopicPartition>> preferred;
  for (const auto& key : state_.partitions_with_leadership()) {
    const auto& assigned = state_.at(key).assignment.replicas;
    if (!assigned.empty() && !state_.deleting.contains(key.topic)) preferred[assigned.front()].push_back(key);
  }
  for (auto& [broker, partitions] : preferred) {
    if (!state_.is_live(broker)) continue;
    std::vector<TopicPartition> strayed;
    for (const auto& key : partitions) {
      if (state_.at(key).leadership->leader != broker) strayed.push_back(key);
    }
    const bool unbalanced =
        strayed.size() * 100 > partitions.size() * static_cast<std::size_t>(options_.imbalance_percent);
    if (!unbalanced) continue;
    std::erase_if(strayed, [&, id = broker](const TopicPartition& key) {
      const Partition& partition = state_.at(key);
      const auto& isr = partition.leadership->isr;
      return partition.assignment.reassigning() || std::find(isr.begin(), isr.end(), id) == isr.end() ||
             !state_.is_online(id, key);
    });
    co_await machines_.bring_online(std::move(strayed), Election::preferred);
  }
}

Task<protocol::AllocateProducerIdsResponse> Controller::allocate_ids(
    protocol::AllocateProducerIdsRequest request) {
  protocol::AllocateProducerIdsResponse response;
  const auto broker = request.broker_id;
  if (!state_.brokers.contains(broker)) {
    response.error_code = ErrorCode::broker_id_not_registered;
    co_return response;
  }
  if (request.broker_epoch != state_.broker_epoch(broker)) {
    response.error_code = ErrorCode::stale_broker_epoch;
    co_return response;
  }
  const std::string path(zk::kProducerIdBlockPath);
  for (int round = 0; round < kConflictRoundsMax; ++round) {
    const auto found = co_await zk_.run(zk::get_op(path));
    zk::ProducerIdBlock block{broker, 0, zk::kProducerIdBlockSize - 1};
    if (!found.front().data.empty()) {
      const auto last = zk::decode_producer_ids(found.front().data);
      if (!last) {
        effects_.emplace_back(Note{last.error().context});
        break;
      }
      block.first = last->last + 1;
      block.last = last->last + zk::kProducerIdBlockSize;
    }
    const auto written =
        co_await zk_.run(zk::set_op(path, zk::encode_producer_ids(block), found.front().stat.version));
    if (!written.front().ok()) continue;
    response.producer_id_start = block.first;
    response.producer_id_len = static_cast<std::int32_t>(zk::kProducerIdBlockSize);
    co_return response;
  }
  response.error_code = ErrorCode::unknown_server_error;
  co_return response;
}

}  // namespace tandem::broker::controller
