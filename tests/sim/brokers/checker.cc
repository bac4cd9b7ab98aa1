#include "tests/sim/brokers/checker.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/group/types.h"
#include "broker/record/record.h"
#include "broker/zk/paths.h"

namespace tandem::sim::brokers {

namespace zk = broker::zk;
namespace record = broker::record;
using broker::replica::Role;

namespace {

constexpr std::uint64_t kReadBytes = 1 << 20;

template <class Ids>
bool holds(const Ids& ids, std::int32_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

Checker::Checker(const BrokerOptions& options, Tree& tree) : options_(options), tree_(tree) {
  tree_.on_change = [this](const TreeChange& change) { on_change(change); };
}

void Checker::violate(const std::string& invariant, const std::string& text) {
  if (!violation_) violation_ = invariant + ": " + text;
}

// ---- the tree
// ----------------------------------------------------------------------------------------------

void Checker::on_change(const TreeChange& change) {
  if (change.path == zk::kControllerEpochPath) {
    const std::int32_t epoch = static_cast<std::int32_t>(leading_number(change.data));
    if (epoch < controller_epoch_)
      violate("K5", fmt::format("the controller epoch went from {} to {}", controller_epoch_, epoch));
    controller_epoch_ = epoch;
    return;
  }
  const std::string prefix = std::string(zk::kTopicsPath) + "/";
  if (!change.path.starts_with(prefix)) return;
  const std::string rest = change.path.substr(prefix.size());
  const auto slash = rest.find('/');
  const std::string topic = rest.substr(0, slash);
  if (slash == std::string::npos) return on_topic(change, topic);
  if (!rest.ends_with("/state")) return;
  const auto number = rest.substr(slash + std::string_view("/partitions/").size());
  on_state(change, {topic, static_cast<std::int32_t>(leading_number(number))});
}

void Checker::on_topic(const TreeChange& change, const std::string& topic) {
  const auto assignment = change.gone ? base::Result<zk::TopicAssignment>(zk::TopicAssignment{})
                                      : zk::decode_topic(topic, change.data);
  if (!assignment) return violate("K4", fmt::format("{} cannot be read: {}", topic, change.data));
  if (change.gone) {
    if (is_checked(topic)) return violate("K12", fmt::format("{} is gone from the tree", topic));
    std::erase_if(partitions_, [&](const auto& each) { return each.first.topic == topic; });
    return;
  }
  for (const auto& [number, replicas] : assignment->partitions)
    partitions_[{topic, number}].replicas = replicas.replicas;
}

void Checker::on_state(const TreeChange& change, const TopicPartition& partition) {
  if (change.gone) {
    if (is_checked(partition.topic)) violate("K12", fmt::format("the state of {} is gone", partition.text()));
    return;
  }
  const auto state = zk::decode_state(partition, change.data, change.version);
  if (!state) return violate("K4", fmt::format("the state of {} cannot be read", partition.text()));
  Committed& known = partitions_[partition];
  if (trace) trace(0, fmt::format("{}: {}", partition.text(), change.data));
  const auto say = [&](const char* invariant, const char* what) {
    violate(invariant, fmt::format("{}: {}: {} by session {:#x}", partition.text(), what, change.data,
                                   static_cast<std::uint64_t>(change.session)));
  };
  for (const std::int32_t id : state->isr)
    // One that a new goal of a reassignment leaves out stays for as long as it takes to tell it.
    if (!holds(known.replicas, id) && !holds(known.state.isr, id))
      say("K4", "a broker in sync is no replica");
  if (state->leader >= 0 && !holds(state->isr, state->leader)) say("K4", "the leader is not in sync");
  if (state->isr.empty()) say("K4", "nobody is in sync");
  if (known.known && !change.made) {
    if (state->leader_epoch < known.state.leader_epoch) say("K5", "the leader epoch goes back");
    if (state->leader != known.state.leader && state->leader_epoch <= known.state.leader_epoch)
      say("K5", "another leader in the same epoch");
    if (state->controller_epoch < known.state.controller_epoch) say("K5", "an older controller wrote");
    if (state->leader >= 0 && !holds(known.state.isr, state->leader)) say("K4", "the leader was not in sync");
    for (const std::int32_t id : state->isr)
      if (!holds(known.state.isr, id) && state->leader != known.state.leader)
        say("K4", "a broker came in sync without a leader's word");
    if (state->leader != known.state.leader) ++leader_changes_;
    if (state->isr.size() != known.state.isr.size()) ++isr_changes_;
  }
  // Its leader may write it without the controller; it may have no registration just now.
  const bool of_leader = options_.old_protocol && known.known && state->leader == known.state.leader &&
                         state->leader_epoch == known.state.leader_epoch &&
                         state->controller_epoch == known.state.controller_epoch;
  if (!of_leader && state->controller_epoch != controller_epoch_)
    say("K13", "a controller of another epoch wrote");
  known.state = *state;
  known.known = true;
}

// ---- the brokers
// -------------------------------------------------------------------------------------------

void Checker::look_at(SimBroker& broker, const std::map<int, SimBroker*>& all) {
  if (!broker.serving() || violation_) return;
  const int number = broker.process().host();
  auto& seen = lives_[number];
  for (const auto& [partition, committed] : partitions_) {
    api::Replica* replica = broker.replicas().find(partition.topic, partition.partition);
    if (replica == nullptr || replica->log == nullptr) {
      seen.erase(partition);
      continue;
    }
    Seen& one = seen[partition];
    one.failed = replica->log->failed();
    if (one.failed) continue;
    look_at_replica(broker, *replica, one, all);
    if (violation_) return;
  }
}

void Checker::look_at_replica(SimBroker& looked_at, api::Replica& replica, Seen& seen,
                              const std::map<int, SimBroker*>& all) {
  const int broker = looked_at.process().host();
  const TopicPartition partition{replica.topic, replica.partition};
  const auto& core = replica.core;
  const std::int64_t mark = core.high_watermark();
  const std::int64_t end = replica.log->end_offset();
  if (core.role() == seen.role && core.leader_epoch() == seen.leader_epoch && mark == seen.high_watermark &&
      end == seen.end)
    return;
  if (trace)
    trace(broker, fmt::format("{}: {} of epoch {}, start {}, watermark {}, end {}", partition.text(),
                              core.is_leader() ? "leader" : "follower", core.leader_epoch(),
                              core.epoch_start(), mark, end));
  const auto say = [&](const char* invariant, const std::string& what) {
    violate(invariant, fmt::format("{} on broker {}: {} (epoch {}, high watermark {}, end {})",
                                   partition.text(), broker, what, core.leader_epoch(), mark, end));
  };
  if (mark > end) say("K3", "the high watermark is behind the end of the log");
  const bool led = core.is_leader() && seen.role == Role::leader && core.leader_epoch() == seen.leader_epoch;
  if (led && mark < seen.high_watermark) say("K2", fmt::format("the watermark was {}", seen.high_watermark));
  if (led && end < seen.end) say("K7", fmt::format("a leader's log ended at {}", seen.end));
  if (core.role() != Role::none && seen.role != Role::none && core.leader_epoch() < seen.leader_epoch)
    say("K5", fmt::format("the leader epoch was {}", seen.leader_epoch));
  if (end < seen.end) {
    ++truncations_;
    seen.verified = std::min(seen.verified, end);
  }
  if (is_checked(partition.topic)) {
    if (end < seen.high_watermark) say("K7", fmt::format("cut below its watermark {}", seen.high_watermark));
    Committed& committed = partitions_[partition];
    if (core.is_leader() && !led) on_new_leader(broker, replica, seen, committed);
    if (core.is_leader() && mark > seen.high_watermark && !violation_)
      on_leader_mark(broker, replica, committed, all);
    if (!violation_ && core.role() != Role::none && mark > seen.verified)
      verify(broker, replica, seen, mark, core.is_leader());
  }
  // What was there when it began to lead.
  const bool settled = core.is_leader() && mark >= core.epoch_start();
  if (seen.role != core.role() || seen.leader_epoch != core.leader_epoch() || seen.settled != settled)
    seen.since = looked_at.process().now();
  seen.settled = settled;
  seen.role = core.role();
  seen.leader_epoch = core.leader_epoch();
  seen.high_watermark = mark;
  seen.end = end;
}

// It has everything that earlier leaders have committed.
void Checker::on_new_leader(int broker, api::Replica& replica, Seen& seen, Committed& committed) {
  const TopicPartition partition{replica.topic, replica.partition};
  const std::int32_t epoch = replica.core.leader_epoch();
  const auto [at, fresh] = committed.leaders.emplace(epoch, broker);
  if (!fresh && at->second != broker)
    violate("K8", fmt::format("{}: brokers {} and {} lead in epoch {}", partition.text(), at->second, broker,
                              epoch));
  std::int64_t must = 0;
  while (must < static_cast<std::int64_t>(committed.records.size()) &&
         committed.in_epoch[static_cast<std::size_t>(must)] < epoch)
    ++must;
  if (replica.log->end_offset() < must)
    return violate("K1", fmt::format("{}: broker {} leads in epoch {} with {} records, {} are committed",
                                     partition.text(), broker, epoch, replica.log->end_offset(), must));
  // One that is told late may have read further: what a leader after it has committed.
  if (must > seen.verified) verify(broker, replica, seen, must, false);
}

// Whoever is in sync has what is committed, and as many as was asked for.
void Checker::on_leader_mark(int broker, api::Replica& replica, Committed& committed,
                             const std::map<int, SimBroker*>& all) {
  const TopicPartition partition{replica.topic, replica.partition};
  const std::int64_t mark = replica.core.high_watermark();
  if (!committed.known || committed.state.leader_epoch != replica.core.leader_epoch()) return;
  for (const std::int32_t id : committed.state.isr) {
    const auto at = all.find(id);
    // As in Kafka, one that a reassignment is about to remove is not waited for.
    if (at == all.end() || !at->second->serving() || !holds(replica.core.state().replicas, id)) continue;
    const api::Replica* other = at->second->replicas().find(partition.topic, partition.partition);
    if (other == nullptr || other->log->failed()) continue;
    if (other->log->end_offset() < mark)
      violate("K3", fmt::format("{}: broker {} passes {}, broker {} is in sync and ends at {}",
                                partition.text(), broker, mark, id, other->log->end_offset()));
  }
}

std::vector<std::pair<std::int64_t, Checker::Record>> Checker::records_of(std::string_view batches,
                                                                          bool of_groups) {
  std::vector<std::pair<std::int64_t, Record>> out;
  record::BatchCursor cursor(batches);
  while (cursor.next()) {
    record::RecordReader reader(cursor.batch());
    record::RecordView view;
    while (reader.next(view)) {
      Record one;
      one.leader_epoch = cursor.batch().leader_epoch();
      one.idempotent = cursor.batch().has_producer_id();
      const std::string value(view.value.value_or(""));
      const auto colon = value.find(':');
      if (colon != std::string::npos) {
        one.producer = static_cast<int>(leading_number(value));
        one.number = leading_number(std::string_view(value).substr(colon + 1));
      }
      if (of_groups) {
        const std::string key(view.key.value_or(""));
        one = Record{.leader_epoch = one.leader_epoch,
                     .stored = fmt::format("{}:{}{}", key.size(), key, view.value ? "=" + value : "")};
      }
      out.emplace_back(view.offset, one);
    }
  }
  return out;
}

std::vector<std::pair<std::int64_t, Checker::Record>> Checker::read(api::Replica& replica, std::int64_t from,
                                                                    std::int64_t end) {
  std::vector<std::pair<std::int64_t, Record>> out;
  while (from < end) {
    const auto range = replica.log->read(from, kReadBytes, end, true);
    if (!range || range->size == 0) break;
    std::string bytes(range->size, '\0');
    const auto got = range->file->pread(range->position, bytes);
    if (!got) break;
    bytes.resize(*got);
    std::int64_t next = from;
    for (auto& [offset, one] : records_of(bytes, replica.topic == kOffsetsName)) {
      if (offset < from || offset >= end) continue;
      next = offset + 1;
      out.emplace_back(offset, one);
    }
    if (next == from) break;
    from = next;
  }
  return out;
}

void Checker::verify(int broker, api::Replica& replica, Seen& seen, std::int64_t end, bool commits) {
  const TopicPartition partition{replica.topic, replica.partition};
  Committed& committed = partitions_[partition];
  std::int64_t expected = seen.verified;
  for (const auto& [offset, one] : read(replica, seen.verified, end)) {
    if (offset != expected)
      return violate("K9", fmt::format("{} on broker {}: offset {} follows {}", partition.text(), broker,
                                       offset, expected - 1));
    ++expected;
    const auto at = static_cast<std::size_t>(offset);
    if (at >= committed.records.size()) {
      if (!commits)
        return violate("K3", fmt::format("{} on broker {}: offset {} is below its watermark and nobody has "
                                         "committed it",
                                         partition.text(), broker, offset));
      add(partition, committed, one, replica.core.leader_epoch());
      if (violation_) return;
    } else if (committed.records[at] != one) {
      const Record& was = committed.records[at];
      return violate("K6",
                     fmt::format("{} on broker {}: offset {} is {}:{} of epoch {}, committed was {}:{} of "
                                 "epoch {}",
                                 partition.text(), broker, offset, one.producer, one.number, one.leader_epoch,
                                 was.producer, was.number, was.leader_epoch));
    }
  }
  if (expected != end)
    return violate("K9", fmt::format("{} on broker {}: nothing can be read at {}, below {}", partition.text(),
                                     broker, expected, end));
  seen.verified = end;
}

void Checker::add(const TopicPartition& partition, Committed& committed, const Record& record,
                  std::int32_t epoch) {
  if (!committed.records.empty() && committed.records.back().leader_epoch > record.leader_epoch)
    return violate("K5", fmt::format("{}: epoch {} follows {}", partition.text(), record.leader_epoch,
                                     committed.records.back().leader_epoch));
  committed.records.push_back(record);
  committed.in_epoch.push_back(epoch);
  if (!record.stored.empty()) return tell_groups(record.stored);
  if (!record.idempotent) return;
  const auto [last, first] = committed.last_numbers.emplace(record.producer, -1);
  if (record.number != last->second + 1)
    return violate(
        "P1", fmt::format("{}: {} of producer {} at offset {} follows {}", partition.text(), record.number,
                          record.producer, committed.records.size() - 1, last->second));
  last->second = record.number;
}

// "SIZE:KEY=VALUE", or "SIZE:KEY" where there is none.
void Checker::tell_groups(const std::string& stored) {
  const std::size_t colon = stored.find(':');
  const auto size = static_cast<std::size_t>(leading_number(stored));
  const std::string_view rest = std::string_view(stored).substr(colon + 1);
  std::optional<std::string_view> value;
  if (rest.size() > size) value = rest.substr(size + 1);
  groups_.on_record(rest.substr(0, size), value);
}

Office Checker::office(int broker, const std::string& group) const {
  const TopicPartition at{std::string(kOffsetsName), broker::group::partition_of(group, kOffsetsPartitions)};
  Office out;
  const auto life = lives_.find(broker);
  if (life == lives_.end()) return out;
  const auto seen = life->second.find(at);
  if (seen == life->second.end()) return out;
  out.here = !seen->second.failed;
  out.settled = seen->second.settled;
  out.leads = seen->second.role == Role::leader;
  out.epoch = seen->second.leader_epoch;
  out.since = seen->second.since;
  return out;
}

bool Checker::is_newest(const Office& office, const std::string& group) const {
  const auto at =
      partitions_.find({std::string(kOffsetsName), broker::group::partition_of(group, kOffsetsPartitions)});
  return at != partitions_.end() && at->second.known && at->second.state.leader_epoch == office.epoch;
}

// ---- the clients
// -------------------------------------------------------------------------------------------

void Checker::on_acknowledged(const TopicPartition& partition, int producer, std::int64_t base_offset,
                              const std::vector<std::int64_t>& numbers) {
  const Committed& committed = partitions_[partition];
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto at = static_cast<std::size_t>(base_offset) + i;
    if (base_offset < 0 || at >= committed.records.size())
      return violate("K1",
                     fmt::format("{}: {} of producer {} is acknowledged at {}, {} records are committed",
                                 partition.text(), numbers[i], producer, at, committed.records.size()));
    const Record& record = committed.records[at];
    if (record.producer != producer || record.number != numbers[i])
      return violate("K1",
                     fmt::format("{}: {} of producer {} is acknowledged at {}, where {} of {} is",
                                 partition.text(), numbers[i], producer, at, record.number, record.producer));
    ++acknowledged_;
  }
}

std::int64_t Checker::on_consumed(const TopicPartition& partition, std::int64_t from,
                                  std::string_view batches) {
  const Committed& committed = partitions_[partition];
  for (const auto& [offset, one] : records_of(batches)) {
    if (offset < from) continue;
    if (offset != from) {
      violate("K9", fmt::format("{}: a consumer at {} gets {}", partition.text(), from, offset));
      return from;
    }
    const auto at = static_cast<std::size_t>(offset);
    if (at >= committed.records.size() || committed.records[at] != one) {
      violate("K2", fmt::format("{}: a consumer gets {}:{} at {}, which is not committed", partition.text(),
                                one.producer, one.number, offset));
      return from;
    }
    ++from;
    ++consumed_;
  }
  return from;
}

std::uint64_t Checker::committed() const {
  std::uint64_t sum = 0;
  for (const auto& [partition, committed] : partitions_)
    if (partition.topic != kOffsetsName) sum += committed.records.size();
  return sum;
}

// ---- the end
// -----------------------------------------------------------------------------------------------

std::string Checker::unsettled(const std::map<int, SimBroker*>& all) {
  for (const auto& [partition, committed] : partitions_) {
    const zk::PartitionState& state = committed.state;
    const auto say = [&](const std::string& what) { return partition.text() + ": " + what; };
    if (!committed.known) return say("was never led");
    if (state.leader < 0) return say("is led by nobody");
    if (state.isr.size() != committed.replicas.size())
      return say(fmt::format("{} of {} are in sync", state.isr.size(), committed.replicas.size()));
    std::int64_t end = -1;
    for (const std::int32_t id : committed.replicas) {
      const auto at = all.find(id);
      api::Replica* replica = at == all.end() || !at->second->serving()
                                  ? nullptr
                                  : at->second->replicas().find(partition.topic, partition.partition);
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
    }
  }
  return "";
}

}  // namespace tandem::sim::brokers
