// What the Checker knows of log directories: L2 of docs/simulation.md, and what a log that has failed held.
#include <fmt/format.h>

#include <algorithm>

#include "broker/log/file_names.h"
#include "tests/sim/brokers/checker.h"

namespace tandem::sim::brokers {

namespace zk = broker::zk;
namespace blog = broker::log;

// As they lie on the disk: the log itself does not answer any more.
Checker::Records Checker::read_files(const api::Replica& replica, std::int64_t from, std::int64_t end) const {
  Records out;
  const auto files = looked_at_->disk().list(replica.log->dir());
  if (!files) return out;
  for (const auto& file : *files) {  // in the order of their names, which is that of their offsets
    const auto name = blog::parse_segment_file(file.name);
    if (!name || name->suffix != blog::kLogSuffix) continue;
    const auto bytes = fs::read_file(looked_at_->disk(), fs::join(replica.log->dir(), file.name));
    if (!bytes) continue;
    for (auto& [offset, one] : records_of(*bytes, replica.topic == kOffsetsName))
      if (offset >= from && offset < end) out.emplace_back(offset, one);
  }
  return out;
}

bool Checker::is_in_sync(const TopicPartition& partition, int broker) const {
  const auto at = partitions_.find(partition);
  if (at == partitions_.end()) return false;
  const auto& isr = at->second.state.isr;
  return std::find(isr.begin(), isr.end(), broker) != isr.end();
}

std::string Checker::unserved(const WatchedBrokers& all) {
  for (const auto& [partition, committed] : partitions_) {
    if (!is_checked(partition.topic)) continue;
    if (const auto what = unserved(partition, committed, all); !what.empty())
      return partition.text() + ": " + what;
  }
  return "";
}

// Who is in sync by a replica that works leads, and nobody is in sync by one that has failed. Where all of
// those in sync have failed, nobody may lead.
std::string Checker::unserved(const TopicPartition& partition, const Committed& committed,
                              const WatchedBrokers& all) const {
  std::map<std::int32_t, api::Replica*> working;
  for (const std::int32_t id : committed.replicas) {
    const auto at = all.find(id);
    api::Replica* const replica =
        at == all.end() || !at->second->serving() ? nullptr : at->second->find(partition);
    if (replica != nullptr && !replica->log->failed()) working[id] = replica;
  }
  const zk::PartitionState& state = committed.state;
  const bool servable =
      std::any_of(state.isr.begin(), state.isr.end(), [&](std::int32_t id) { return working.contains(id); });
  if (!servable) return "";
  const auto leader = working.find(state.leader);
  if (leader == working.end()) return fmt::format("{} leads, whose replica does not work", state.leader);
  for (const std::int32_t id : state.isr)
    if (!working.contains(id)) return fmt::format("broker {} is in sync, its replica does not work", id);
  for (const auto& [id, replica] : working)
    if (!is_in_sync(partition, id)) return fmt::format("broker {} is not in sync, its replica works", id);
  const auto& core = leader->second->core;
  if (!core.is_leader() || core.leader_epoch() != state.leader_epoch)
    return fmt::format("broker {} does not know that it leads", state.leader);
  const bool enough = state.isr.size() >= static_cast<std::size_t>(options_.min_insync);
  if (enough && core.high_watermark() != leader->second->log->end_offset())
    return fmt::format("watermark {} of {}", core.high_watermark(), leader->second->log->end_offset());
  return "";
}

}  // namespace tandem::sim::brokers
