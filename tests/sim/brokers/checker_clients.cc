#include <fmt/format.h>

#include <algorithm>

#include "broker/zk/topics.h"
#include "tests/sim/brokers/checker.h"

namespace tandem::sim::brokers {

namespace zk = broker::zk;

// ---- the clients
// -------------------------------------------------------------------------------------------

bool Checker::was_committed(const Committed& committed, std::int64_t at, int producer, std::int64_t number) {
  const auto is_it = [&](const Record& record) {
    return record.producer == producer && record.number == number;
  };
  if (at < 0) return false;
  if (at < static_cast<std::int64_t>(committed.records.size()) &&
      is_it(committed.records[static_cast<std::size_t>(at)]))
    return true;
  const auto [begin, end] = committed.abandoned.equal_range(at);
  return std::any_of(begin, end, [&](const auto& each) { return is_it(each.second); });
}

void Checker::on_acknowledged(const TopicPartition& partition, int producer, std::int64_t base_offset,
                              const std::vector<std::int64_t>& numbers) {
  const Committed& committed = partitions_[partition];
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::int64_t at = base_offset + static_cast<std::int64_t>(i);
    if (base_offset >= 0 && was_committed(committed, at, producer, numbers[i])) {
      ++acknowledged_;
      continue;
    }
    const auto size = static_cast<std::int64_t>(committed.records.size());
    const Record there = at >= 0 && at < size ? committed.records[static_cast<std::size_t>(at)] : Record{};
    return violate(
        "K1", fmt::format("{}: {} of producer {} is acknowledged at {}, {} records are committed, "
                          "there is {} of {}",
                          partition.text(), numbers[i], producer, at, size, there.number, there.producer));
  }
}

// Who has led since before it was first sent has it in memory, with the four behind it.
void Checker::on_repeated(const Repetition& said, broker::protocol::ErrorCode error, std::int64_t offset) {
  using broker::protocol::ErrorCode;
  ++repeated_;
  const auto say = [&](const std::string& what) {
    violate("P1", fmt::format("{}: broker {} {} a batch that it has acknowledged at {}",
                              said.partition.text(), said.broker, what, said.offset));
  };
  // Who has none of its records any more takes it for new.
  if (said.offset < partitions_[said.partition].asked_start) return;
  if (error == ErrorCode::none && offset != said.offset) say(fmt::format("takes anew, at {},", offset));
  if (error != ErrorCode::out_of_order_sequence_number && error != ErrorCode::duplicate_sequence_number &&
      error != ErrorCode::unknown_producer_id)
    return;
  const auto life = lives_.find(said.broker);
  if (life == lives_.end()) return;
  const auto seen = life->second.find(said.partition);
  if (seen == life->second.end() || seen->second.failed) return;
  if (seen->second.role == broker::replica::Role::leader && seen->second.since < said.first_sent)
    say("does not know");
}

void Checker::on_left_epoch(const TopicPartition& partition, std::int64_t newer,
                            broker::protocol::ErrorCode error) {
  if (error == broker::protocol::ErrorCode::invalid_producer_epoch) ++fenced_;
  // Who has none of its records any more does not know of the new one.
  if (error != broker::protocol::ErrorCode::none || newer < partitions_[partition].asked_start) return;
  violate("P2",
          fmt::format("{}: a batch of an epoch that was left is acknowledged behind one of the next at {}",
                      partition.text(), newer));
}

std::int64_t Checker::on_consumed(const TopicPartition& partition, std::int64_t from,
                                  std::string_view batches, bool at_follower) {
  const Committed& committed = partitions_[partition];
  for (const auto& [offset, one] : records_of(batches)) {
    if (offset < from) continue;
    if (offset != from) {
      violate("K9", fmt::format("{}: a consumer at {} gets {}", partition.text(), from, offset));
      return from;
    }
    if (!was_committed(committed, offset, one.producer, one.number)) {
      violate("K2", fmt::format("{}: a consumer gets {}:{} at {}, which is not committed", partition.text(),
                                one.producer, one.number, offset));
      return from;
    }
    ++from;
    ++consumed_;
    if (at_follower) ++consumed_from_followers_;
  }
  return from;
}

// Only what somebody asked to delete is passed over.
std::int64_t Checker::on_reset(const TopicPartition& partition, std::int64_t from, std::int64_t start) {
  if (start <= from) return is_unclean(partition.topic) ? start : from;
  const Committed& committed = partitions_[partition];
  if (start > committed.asked_start)
    violate("K15", fmt::format("{}: a consumer at {} is told to begin at {}, deleted is up to {}",
                               partition.text(), from, start, committed.asked_start));
  return start;
}

// By one that may have been deposed: it names a replica in the consumer's rack.
void Checker::on_sent_to(const TopicPartition& partition, const std::string& rack, int broker) {
  if (rack.empty() || options_.rack_of(broker) != rack)
    violate("K2", fmt::format("{}: a consumer in rack \"{}\" is sent to broker {} in rack \"{}\"",
                              partition.text(), rack, broker, options_.rack_of(broker)));
}

std::uint64_t Checker::committed() const {
  std::uint64_t sum = 0;
  for (const auto& [partition, committed] : partitions_)
    if (partition.topic != kOffsetsName) sum += committed.records.size();
  return sum;
}

// ---- the end
// -----------------------------------------------------------------------------------------------

std::string Checker::unsettled(const WatchedBrokers& all) {
  for (const auto& [partition, committed] : partitions_) {
    const zk::PartitionState& state = committed.state;
    const auto say = [&](const std::string& what) { return partition.text() + ": " + what; };
    if (!committed.known) return say("was never led");
    if (state.leader < 0) return say("is led by nobody");
    if (state.isr.size() != committed.replicas.size())
      return say(fmt::format("{} of {} are in sync", state.isr.size(), committed.replicas.size()));
    if (state.recovery != zk::LeaderRecovery::recovered) return say("is said to be recovering");
    std::int64_t end = -1;
    for (const std::int32_t id : committed.replicas) {
      const auto at = all.find(id);
      api::Replica* replica =
          at == all.end() || !at->second->serving() ? nullptr : at->second->find(partition);
      if (replica == nullptr) return say(fmt::format("is not on broker {}", id));
      if (replica->log->failed()) return say(fmt::format("its log failed on broker {}", id));
      if (replica->core.leader() != state.leader || replica->core.leader_epoch() != state.leader_epoch)
        return say(fmt::format("broker {} believes in leader {} of epoch {}, it is {} of {}", id,
                               replica->core.leader(), replica->core.leader_epoch(), state.leader,
                               state.leader_epoch));
      const std::int64_t own_end = replica->log->end_offset();
      if (end >= 0 && own_end != end) return say("the logs do not end alike");
      end = own_end;
      if (replica->core.high_watermark() != end)
        return say(
            fmt::format("broker {} lags, watermark {} of {}", id, replica->core.high_watermark(), end));
      if (committed.lineage >= 0) compare(id, *replica, committed);
    }
    for (const auto& [id, broker] : all) {
      const auto& replicas = committed.replicas;
      if (std::find(replicas.begin(), replicas.end(), id) != replicas.end() || !broker->serving()) continue;
      api::Replica* replica = broker->find(partition);
      if (replica != nullptr && !replica->log->failed() &&
          replica->core.role() != broker::replica::Role::none)
        return say(fmt::format("broker {} takes part in it in epoch {}, and has none of its replicas", id,
                               replica->core.leader_epoch()));
    }
  }
  return "";
}

}  // namespace tandem::sim::brokers
