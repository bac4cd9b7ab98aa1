// What the Checker knows of unclean elections and of deleted records: K15, K16 of docs/simulation.md.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/zk/paths.h"
#include "tests/sim/brokers/checker.h"

namespace tandem::sim::brokers {

namespace zk = broker::zk;

namespace {

// What a controller was told may be under way for so long; a session more, where it slept.
constexpr Duration kControllerTime = std::chrono::seconds(5);
constexpr Duration kSettingTime = std::chrono::seconds(15);

template <class Ids>
bool contains(const Ids& ids, std::int32_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

// ---- unclean elections -----------------------------------------------------------------------------------

void Checker::on_registration(const TreeChange& change) {
  const auto number = static_cast<int>(leading_number(change.path.substr(change.path.rfind('/') + 1)));
  if (change.gone) {
    registered_.erase(number);
  } else {
    registered_.emplace(number, tree_.now());
  }
}

void Checker::on_topic_settings(const TreeChange& change, const std::string& topic) {
  Allowed& allowed = unclean_allowed_[topic];
  const bool now =
      !change.gone && change.data.find(R"("unclean.leader.election.enable":"true")") != std::string::npos;
  if (allowed.now && !now) allowed.up_to = tree_.now();
  allowed.now = now;
}

// It has been registered for as long as a controller may not know of it, and has the replica.
bool Checker::is_there(const TopicPartition& partition, std::int32_t broker) const {
  const auto since = registered_.find(broker);
  const auto life = lives_.find(broker);
  if (since == registered_.end() || life == lives_.end() || stopping_.contains(broker)) return false;
  const Duration late = options_.session_timeout + kControllerTime;
  const auto seen = life->second.find(partition);
  return seen != life->second.end() && !seen->second.failed && since->second + late < tree_.now() &&
         seen->second.made + late < tree_.now();
}

void Checker::on_unclean_election(const TopicPartition& partition, Committed& known,
                                  const zk::PartitionState& state, const Say& say) {
  if (!is_unclean(partition.topic)) return say("K4", "the leader was not in sync");
  const bool asked = known.asked_at != Instant{} && tree_.now() < known.asked_at + kSettingTime;
  const auto setting = unclean_allowed_.find(partition.topic);
  const bool allowed = setting != unclean_allowed_.end() &&
                       (setting->second.now || (setting->second.up_to != Instant{} &&
                                                tree_.now() < setting->second.up_to + kSettingTime));
  if (!asked && !allowed) say("K16", "a replica out of sync leads, which nobody has allowed");
  if (state.isr.size() != 1) say("K16", "others are in sync with a leader that was not");
  if (!options_.old_protocol && state.recovery != zk::LeaderRecovery::recovering)
    say("K16", "a leader that was not in sync is not said to be recovering");
  for (const std::int32_t id : known.state.isr)
    if (!asked && contains(known.replicas, id) && is_there(partition, id))
      say("K16", fmt::format("broker {} is in sync and there", id));
  ++unclean_elections_;
  known.lineage = state.leader_epoch;
  known.cut = false;
  known.chosen = state.leader;
  known.lost_power = false;
  known.firm = 0;
}

// The first who leads after it says what is left.
void Checker::cut(api::Replica& replica, Committed& committed) {
  auto kept = static_cast<std::size_t>(replica.log->start_offset());
  for (const auto& [offset, one] : read(replica, replica.log->start_offset(), replica.log->end_offset())) {
    if (kept >= committed.records.size() || static_cast<std::size_t>(offset) != kept ||
        committed.records[kept] != one)
      break;
    ++kept;
  }
  kept = std::min(std::max(kept, static_cast<std::size_t>(committed.firm)), committed.records.size());
  lost_ += committed.records.size() - kept;
  for (std::size_t at = kept; at < committed.records.size(); ++at)
    committed.abandoned.emplace(static_cast<std::int64_t>(at), committed.records[at]);
  committed.records.resize(kept);
  committed.in_epoch.resize(kept);
  committed.cut = true;
}

void Checker::on_crash(Watched& broker, Crash kind) {
  for (auto& [partition, committed] : partitions_) {
    if (committed.chosen != broker.number() || !committed.cut) continue;
    const api::Replica* replica = broker.serving() ? broker.find(partition) : nullptr;
    if (replica != nullptr && replica->log != nullptr && !replica->log->failed())
      committed.firm = std::max(committed.firm, replica->log->recovery_point());
    if (kind == Crash::power) committed.lost_power = true;
  }
}

// Who is elected out of sync may have read what was committed before and not have synced it. Until it has, or
// until a leader commits it again, nobody promises it: as the election may give up what its leader never had,
// so may this leader's loss of power what it had in memory only. It stays alone in sync, or with others who
// have synced all that its epoch began with, so that nobody else comes to lead with less. What is left is
// where all begin again, as after the election itself.
void Checker::cut_unsynced(int broker, api::Replica& replica, Committed& committed) {
  if (broker != committed.chosen || !std::exchange(committed.lost_power, false)) return;
  const std::size_t before = committed.records.size();
  cut(replica, committed);
  if (committed.records.size() < before) committed.lineage = replica.core.leader_epoch();
}

// A leader that does not know that it was deposed commits what is lost.
void Checker::look_at_abandoned(api::Replica& replica, const Seen& seen, Committed& committed) {
  if (!replica.core.is_leader()) return;
  const std::int64_t from = std::max(seen.high_watermark, replica.log->start_offset());
  for (const auto& [offset, one] : read(replica, from, replica.core.high_watermark()))
    committed.abandoned.emplace(offset, one);
}

// At the end, where all logs are equally long.
void Checker::compare(int broker, api::Replica& replica, const Committed& committed) {
  for (const auto& [offset, one] : read(replica, replica.log->start_offset(), replica.log->end_offset())) {
    const auto at = static_cast<std::size_t>(offset);
    if (at >= committed.records.size() || committed.records[at] != one)
      return violate("K6",
                     fmt::format("{}:{} on broker {}: offset {} is {}:{} of epoch {}, which is not what "
                                 "was committed there",
                                 replica.topic, replica.partition, broker, offset, one.producer, one.number,
                                 one.leader_epoch));
  }
}

// ---- deletions -------------------------------------------------------------------------------------------

std::int64_t Checker::somewhere_in(const TopicPartition& partition, base::Random& random) const {
  const auto at = partitions_.find(partition);
  const std::size_t size = at == partitions_.end() ? 0 : at->second.records.size();
  return static_cast<std::int64_t>(random.below(size + 1));
}

Checker::Deletion Checker::on_deletion_asked(const TopicPartition& partition, std::int64_t offset) {
  Committed& committed = partitions_[partition];
  if (offset < 0) ++committed.open_ended;
  committed.asked_start = std::max(committed.asked_start, offset);
  return {partition, offset, tree_.now(), committed.state.isr, committed.state.leader};
}

void Checker::on_deletion_answered(const Deletion& asked, broker::protocol::ErrorCode error,
                                   std::int64_t low_watermark) {
  Committed& committed = partitions_[asked.partition];
  if (asked.offset < 0) --committed.open_ended;
  if (error != broker::protocol::ErrorCode::none) return;
  if (low_watermark < asked.offset)
    violate("K15", fmt::format("{}: deleted up to {}, asked was for {}", asked.partition.text(),
                               low_watermark, asked.offset));
  for (const std::int32_t id : asked.isr) {
    const auto life = lives_.find(id);
    if (!contains(committed.state.isr, id) || life == lives_.end()) continue;
    // One that is about to be removed is not waited for, nor one that is dead and not out of the set yet.
    if (!contains(committed.replicas, id) || contains(committed.removing, id)) continue;
    const auto registered = registered_.find(id);
    if (registered == registered_.end() || registered->second >= asked.asked) continue;
    // The leader waits for those who are alive as far as a controller has told it, as in Kafka.
    const auto& named = named_[asked.leader];
    const auto since = named.find(id);
    if (id != asked.leader && (since == named.end() || since->second >= asked.asked)) continue;
    const auto seen = life->second.find(asked.partition);
    if (seen == life->second.end() || seen->second.failed || seen->second.made >= asked.asked) continue;
    // A crash may take it back until the next fetch.
    const auto reached = committed.reached.find(id);
    if (reached == committed.reached.end() || reached->second < low_watermark)
      violate("K15", fmt::format("{}: deleted up to {}, the log of broker {}, which is in sync, begins at {}",
                                 asked.partition.text(), low_watermark, id, seen->second.start));
  }
}

void Checker::note_names(const Watched& broker) {
  auto& named = named_[broker.number()];
  for (int id = 1; id <= options_.brokers; ++id) {
    if (broker.names(id)) {
      named.emplace(id, tree_.now());
    } else {
      named.erase(id);
    }
  }
}

void Checker::look_at_start(const api::Replica& replica, const Seen& seen, Committed& committed,
                            const Say& say) {
  const std::int64_t start = replica.log->start_offset();
  if (start > replica.core.high_watermark()) say("K15", fmt::format("it begins at {}", start));
  // An empty log goes back to where the batch begins in which the leader's log does.
  if (start < seen.start && seen.start < seen.end)
    say("K15", fmt::format("it begins at {}, it was {}", start, seen.start));
  if (start <= committed.asked_start) return;
  const auto size = static_cast<std::int64_t>(committed.records.size());
  if (committed.open_ended == 0 || start > size)
    say("K15", fmt::format("it begins at {}, deleted is up to {}", start, committed.asked_start));
  committed.asked_start = start;
}

std::uint64_t Checker::deleted() const {
  std::uint64_t sum = 0;
  for (const auto& [partition, committed] : partitions_)
    sum += static_cast<std::uint64_t>(committed.asked_start);
  return sum;
}

}  // namespace tandem::sim::brokers
