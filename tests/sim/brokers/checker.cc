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
constexpr std::int16_t kFirstEpoch = 0;
constexpr std::string_view kTopicSettings = "/config/topics/";

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
  if (change.path.starts_with(std::string(zk::kBrokerIdsPath) + "/")) return on_registration(change);
  if (change.path.starts_with(kTopicSettings))
    return on_topic_settings(change, change.path.substr(kTopicSettings.size()));
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
  for (const auto& [number, replicas] : assignment->partitions) {
    Committed& committed = partitions_[{topic, number}];
    if (committed.replicas != replicas.replicas) {
      committed.former = std::exchange(committed.replicas, replicas.replicas);
      committed.changed = tree_.now();
      committed.changed_in = committed.state.leader_epoch;
    }
    committed.removing = replicas.removing;
  }
}

// Without a controller in between a leader may not know yet whom a new goal leaves out. The controller, which
// raises the epoch when it takes that one out of the in-sync set, tells it so.
bool Checker::is_told_late(const Committed& known, const zk::PartitionState& state, std::int32_t id) const {
  return options_.old_protocol && holds(known.former, id) && state.leader_epoch == known.changed_in &&
         tree_.now() < known.changed + options_.session_timeout;
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
  const Say say = [&](const char* invariant, const std::string& what) {
    violate(invariant, fmt::format("{}: {}: {} by session {:#x}", partition.text(), what, change.data,
                                   static_cast<std::uint64_t>(change.session)));
  };
  for (const std::int32_t id : state->isr)
    // One that a new goal of a reassignment leaves out stays for as long as it takes to tell it.
    if (!holds(known.replicas, id) && !holds(known.state.isr, id) && !is_told_late(known, *state, id))
      say("K4", "a broker in sync is no replica");
  if (state->leader >= 0 && !holds(state->isr, state->leader)) say("K4", "the leader is not in sync");
  if (state->isr.empty()) say("K4", "nobody is in sync");
  if (known.known && !change.made) {
    if (state->leader_epoch < known.state.leader_epoch) say("K5", "the leader epoch goes back");
    if (state->leader != known.state.leader && state->leader_epoch <= known.state.leader_epoch)
      say("K5", "another leader in the same epoch");
    if (state->controller_epoch < known.state.controller_epoch) say("K5", "an older controller wrote");
    const bool unclean = state->leader >= 0 && !holds(known.state.isr, state->leader);
    if (unclean) on_unclean_election(partition, known, *state, say);
    for (const std::int32_t id : state->isr)
      if (!unclean && !holds(known.state.isr, id) && state->leader != known.state.leader)
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

void Checker::look_at(Watched& broker, const WatchedBrokers& all) {
  if (!broker.serving() || violation_) return;
  looked_at_ = &broker;
  const int number = broker.number();
  note_names(broker);
  auto& seen = lives_[number];
  for (const auto& [partition, committed] : partitions_) {
    api::Replica* replica = broker.find(partition);
    if (replica == nullptr || replica->log == nullptr) {
      seen.erase(partition);
      continue;
    }
    Seen& one = seen[partition];
    if (one.made == Instant{}) one.made = tree_.now();
    // What a leader commits and answers just before its log fails, in the same event, counts.
    const bool failed = replica->log->failed();
    const bool fails = failed && !std::exchange(one.failed, failed) && replica->core.is_leader() &&
                       replica->core.high_watermark() > one.high_watermark;
    if (!failed) one.failed = false;
    if (failed && !fails) continue;
    look_at_replica(broker, *replica, one, all);
    if (violation_) return;
  }
}

void Checker::look_at_replica(Watched& looked_at, api::Replica& replica, Seen& seen,
                              const WatchedBrokers& all) {
  const int broker = looked_at.number();
  const TopicPartition partition{replica.topic, replica.partition};
  const auto& core = replica.core;
  const std::int64_t mark = core.high_watermark();
  const std::int64_t end = replica.log->end_offset();
  if (core.role() == seen.role && core.leader_epoch() == seen.leader_epoch && mark == seen.high_watermark &&
      end == seen.end && replica.log->start_offset() == seen.start)
    return;
  if (trace)
    trace(broker, fmt::format("{}: {} of epoch {}, start {}, watermark {}, end {}", partition.text(),
                              core.is_leader() ? "leader" : "follower", core.leader_epoch(),
                              core.epoch_start(), mark, end));
  const Say say = [&](const char* invariant, const std::string& what) {
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
  if (is_checked(partition.topic)) look_at_content(looked_at, replica, seen, say, all);
  // What was there when it began to lead.
  const bool settled = core.is_leader() && mark >= core.epoch_start();
  if (seen.role != core.role() || seen.leader_epoch != core.leader_epoch() || seen.settled != settled)
    seen.since = tree_.now();
  if (!violation_ && !seen.failed) look_at_indexes(looked_at, replica, seen, say);
  seen.settled = settled;
  seen.role = core.role();
  seen.leader_epoch = core.leader_epoch();
  seen.high_watermark = mark;
  seen.end = end;
  seen.start = replica.log->start_offset();
  auto& reached = partitions_[partition].reached[broker];
  reached = std::max(reached, seen.start);
}

// What it has, compared with what was committed.
void Checker::look_at_content(Watched& looked_at, api::Replica& replica, Seen& seen, const Say& say,
                              const WatchedBrokers& all) {
  const int broker = looked_at.number();
  const auto& core = replica.core;
  const std::int64_t mark = core.high_watermark();
  const std::int64_t end = replica.log->end_offset();
  Committed& committed = partitions_[{replica.topic, replica.partition}];
  if (core.leader_epoch() < committed.lineage) return look_at_abandoned(replica, seen, committed);
  const bool grew = core.leader_epoch() == seen.leader_epoch && seen.end >= 0 && end > seen.end;
  if (seen.synced < committed.lineage && (core.is_leader() || grew)) seen.verified = 0;
  if (core.is_leader() || grew) seen.synced = core.leader_epoch();
  const bool led = core.is_leader() && seen.role == Role::leader && core.leader_epoch() == seen.leader_epoch;
  if (core.is_leader() && !committed.cut) cut(replica, committed);
  if (core.is_leader() && !led) cut_unsynced(broker, replica, committed);
  if (core.is_leader()) committed.firm = std::max(committed.firm, mark);
  // Until then it may have what an unclean election has given up.
  if (seen.synced < committed.lineage) return;
  if (end < seen.high_watermark) say("K7", fmt::format("cut below its watermark {}", seen.high_watermark));
  if (core.is_leader() && !led) on_new_leader(broker, replica, seen, committed);
  if (core.is_leader() && mark > seen.high_watermark && !violation_)
    on_leader_mark(broker, replica, committed, all);
  if (!violation_ && core.role() != Role::none && mark > seen.verified)
    verify(broker, replica, seen, mark, core.is_leader());
  if (!violation_) look_at_start(replica, seen, committed, say);
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
                             const WatchedBrokers& all) {
  const TopicPartition partition{replica.topic, replica.partition};
  const std::int64_t mark = replica.core.high_watermark();
  if (!committed.known || committed.state.leader_epoch != replica.core.leader_epoch()) return;
  for (const std::int32_t id : committed.state.isr) {
    const auto at = all.find(id);
    // As in Kafka, one that a reassignment is about to remove is not waited for.
    if (at == all.end() || !at->second->serving() || !holds(replica.core.state().replicas, id)) continue;
    const api::Replica* other = at->second->find(partition);
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
      one.producer_epoch = cursor.batch().producer_epoch();
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

Checker::Records Checker::read(api::Replica& replica, std::int64_t from, std::int64_t end) {
  if (replica.log->failed()) return read_files(replica, from, end);
  Records out;
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
  const std::int64_t from = std::max(seen.verified, replica.log->start_offset());
  std::int64_t expected = from;
  for (const auto& [offset, one] : read(replica, from, end)) {
    if (offset != expected)
      return violate("K9", fmt::format("{} on broker {}: offset {} follows {}", partition.text(), broker,
                                       offset, expected - 1));
    ++expected;
    const auto at = static_cast<std::size_t>(offset);
    if (at >= committed.records.size()) {
      // Its watermark may be of before an unclean election.
      if (!commits && committed.lineage >= 0) break;
      if (at > committed.records.size())
        return violate("K9", fmt::format("{} on broker {}: the log begins at {}, committed is up to {}",
                                         partition.text(), broker, offset, committed.records.size()));
      if (!commits)
        return violate("K3", fmt::format("{} on broker {}: offset {} is below its watermark and nobody has "
                                         "committed it",
                                         partition.text(), broker, offset));
      add(partition, committed, one, replica.core.leader_epoch());
      if (violation_) return;
    } else if (committed.records[at] != one && offset >= committed.asked_start) {
      // What is to be deleted may be there again after a crash, and was not compared with the leader's, whose
      // log began behind it.
      const Record& was = committed.records[at];
      return violate("K6",
                     fmt::format("{} on broker {}: offset {} is {}:{} of epoch {}, committed was {}:{} of "
                                 "epoch {}",
                                 partition.text(), broker, offset, one.producer, one.number, one.leader_epoch,
                                 was.producer, was.number, was.leader_epoch));
    }
  }
  if (committed.lineage >= 0 && !commits) end = std::min(end, expected);
  if (expected < end)
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
  auto& last = committed.last_numbers[record.producer];
  const auto offset = static_cast<std::int64_t>(committed.records.size()) - 1;
  // A broker that has none of its records any more does not know what it has said, and takes a batch again.
  const bool within = last.repeated >= 0 && record.number == last.repeated + 1;
  const bool forgotten = within || (last.offset < committed.asked_start && record.number <= last.number);
  if (record.producer_epoch < last.epoch && !forgotten)
    return violate(
        "P2", fmt::format("{}: {} of epoch {} of producer {} at offset {} follows epoch {}", partition.text(),
                          record.number, record.producer_epoch, record.producer, offset, last.epoch));
  // With a new epoch it may have given up what was under way.
  const bool anew = record.producer_epoch > std::max(last.epoch, kFirstEpoch) && record.number > last.number;
  if (record.number != last.number + 1 && !anew && !forgotten)
    return violate("P1", fmt::format("{}: {} of producer {} at offset {} follows {}", partition.text(),
                                     record.number, record.producer, offset, last.number));
  const std::int64_t repeated = record.number < last.number ? record.number : -1;
  last = {std::max(record.number, last.number), offset, std::max(record.producer_epoch, last.epoch),
          repeated};
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

}  // namespace tandem::sim::brokers
