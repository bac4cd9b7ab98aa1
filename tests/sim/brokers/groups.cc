#include "tests/sim/brokers/groups.h"

#include <fmt/format.h>

#include "broker/group/group_records.h"
#include "tests/sim/brokers/process.h"

namespace tandem::sim::brokers {

namespace group = broker::group;
using broker::protocol::ErrorCode;

namespace {

constexpr base::Duration kLoadTime = std::chrono::seconds(10);  // with slow disks

// Whether it spoke as the coordinator that it says it is.
bool served(ErrorCode error) {
  return error == ErrorCode::none || error == ErrorCode::illegal_generation ||
         error == ErrorCode::unknown_member_id || error == ErrorCode::rebalance_in_progress ||
         error == ErrorCode::member_id_required;
}

}  // namespace

std::optional<std::uint64_t> GroupRules::attempt_of(const std::string& metadata) const {
  const std::int64_t number = leading_number(metadata);
  if (number < 0 || !attempts_.contains(static_cast<std::uint64_t>(number))) return std::nullopt;
  return static_cast<std::uint64_t>(number);
}

std::string GroupRules::text(const Attempt& attempt) const {
  return fmt::format("{}: commit of {} for {} in generation {}", attempt.group, attempt.offset,
                     attempt.at.text(), attempt.generation);
}

std::uint64_t GroupRules::on_commit(const std::string& name, std::int32_t generation, const Partition& at,
                                    std::int64_t offset) {
  Attempt attempt;
  attempt.group = name;
  attempt.generation = generation;
  attempt.at = at;
  attempt.offset = offset;
  attempt.newest = groups_[name].synced;
  attempt.known = groups_[name].places[at].offset;
  attempts_[++last_attempt_] = std::move(attempt);
  return last_attempt_;
}

void GroupRules::on_commit_answered(std::uint64_t number, ErrorCode error) {
  Attempt& attempt = attempts_.at(number);
  if (error != ErrorCode::none) {
    if (error == ErrorCode::illegal_generation || error == ErrorCode::unknown_member_id) ++refused_;
    return;
  }
  if (attempt.generation < attempt.newest)
    return violate_(
        "G3", fmt::format("{} is acknowledged, generation {} had begun", text(attempt), attempt.newest));
  if (attempt.place < 0)
    return violate_("G1", text(attempt) + " is acknowledged and not committed in the log");
  if (attempt.offset < attempt.known)
    return violate_("G1", fmt::format("{} is acknowledged behind {}", text(attempt), attempt.known));
  Place& place = groups_[attempt.group].places[attempt.at];
  place.offset = std::max(place.offset, attempt.offset);
  place.newest = std::max(place.newest, number);
  place.acknowledged = std::max(place.acknowledged, attempt.place);
  ++committed_;
}

std::int64_t GroupRules::acknowledged_up_to(const std::string& name, const Partition& at) const {
  const auto state = groups_.find(name);
  if (state == groups_.end()) return -1;
  const auto place = state->second.places.find(at);
  return place == state->second.places.end() ? -1 : place->second.acknowledged;
}

void GroupRules::on_fetched(const std::string& name, const Partition& at, std::int64_t at_least,
                            std::int64_t offset, const std::string& metadata) {
  const auto say = [&](const std::string& what) {
    violate_("G1", fmt::format("{}: fetch of {} gives {}: {}", name, at.text(), offset, what));
  };
  if (offset < 0) {
    if (at_least >= 0) say(fmt::format("commit {} was acknowledged", at_least));
    return;
  }
  const auto number = attempt_of(metadata);
  if (!number) return say("nobody committed it");
  const Attempt& attempt = attempts_.at(*number);
  if (attempt.group != name || attempt.at != at || attempt.offset != offset)
    return say("it is another one's: " + text(attempt));
  if (attempt.place < 0) return say("it is not committed in the log");
  if (attempt.place < at_least)
    say(fmt::format("commit {} was acknowledged, this is commit {}", at_least, attempt.place));
}

void GroupRules::on_synced(const std::string& name, std::int32_t generation, const std::string& member,
                           const std::vector<Partition>& owned) {
  State& state = groups_[name];
  if (generation > state.stored)
    return violate_("G2", fmt::format("{}: {} is of generation {}, generation {} is the last in the log",
                                      name, member, generation, state.stored));
  if (generation > state.synced) {
    state.synced = generation;
    ++generations_;
  }
  auto& owners = state.owners[generation];
  for (const Partition& at : owned) {
    const auto [owner, first] = owners.emplace(at, member);
    if (!first && owner->second != member)
      violate_("G2", fmt::format("{}: {} is of {} and of {} in generation {}", name, at.text(), owner->second,
                                 member, generation));
  }
}

void GroupRules::on_answer(const std::string& name, int broker, ErrorCode error, const Office& before,
                           const Office& after, base::Instant sent) {
  if (!before.here || before != after) return;
  if (!before.leads && served(error))
    violate_("G4", fmt::format("{}: broker {} answers {} and does not lead its partition", name, broker,
                               to_string(error)));
  const bool denies = error == ErrorCode::not_coordinator || error == ErrorCode::coordinator_load_in_progress;
  if (before.settled && denies && before.since + kLoadTime < sent)
    violate_("G4", fmt::format("{}: broker {} answers {} and has led its partition for long", name, broker,
                               to_string(error)));
}

void GroupRules::on_record(std::string_view key, std::optional<std::string_view> value) {
  const auto stored = group::read_record(key, value);
  if (!stored) return violate_("G1", "a record cannot be read: " + stored.error().context);
  if (const auto* one = std::get_if<group::StoredGroup>(&*stored)) {
    State& state = groups_[one->group];
    if (one->value && one->value->generation < state.stored)
      violate_("G2", fmt::format("{}: generation {} is stored behind {}", one->group, one->value->generation,
                                 state.stored));
    if (one->value) state.stored = one->value->generation;
    return;
  }
  const auto* commit = std::get_if<group::StoredCommit>(&*stored);
  if (commit == nullptr || !commit->value) return;
  const auto number = attempt_of(commit->value->metadata);
  if (!number) return violate_("G1", commit->group + ": a commit is stored that nobody made");
  Attempt& attempt = attempts_.at(*number);
  State& state = groups_[attempt.group];
  if (attempt.generation < state.stored)
    return violate_("G3", fmt::format("{} is stored behind generation {}", text(attempt), state.stored));
  Place& place = state.places[attempt.at];
  attempt.place = place.count++;
  // Its member, which asks for one at a time, had given it up: the broker came to it late, and it counts.
  if (*number < place.newest) place.offset = attempt.offset;
}

}  // namespace tandem::sim::brokers
