// The rules of groups: each is shown a history that is right and one that is broken.
#include "tests/sim/brokers/groups.h"

#include <doctest/doctest.h>

#include "broker/group/group_records.h"

using namespace tandem;
using namespace tandem::sim::brokers;
using broker::protocol::ErrorCode;
namespace group = broker::group;

namespace {

const GroupRules::Partition kAt{"t0", 0};
constexpr const char* kGroup = "g0";

// What a group did and what is in its log; the first rule that it breaks.
struct Played {
  std::string broken;
  GroupRules rules{[this](const std::string& invariant, const std::string&) {
    if (broken.empty()) broken = invariant;
  }};

  void write(const group::Record& record) { rules.on_record(record.key, record.value); }
  void begin(std::int32_t generation) {
    group::Group stored(kGroup);
    group::Group::Stored state;
    state.generation = generation;
    stored.restore(std::move(state));
    write(group::group_record(stored, {}));
  }
  void store(std::uint64_t attempt, std::int64_t offset) {
    write(group::commit_record(kGroup, {kAt.topic, kAt.partition},
                               {offset, -1, std::to_string(attempt), 0, std::nullopt}));
  }
  void commit(std::int32_t generation, std::int64_t offset) {
    const auto attempt = rules.on_commit(kGroup, generation, kAt, offset);
    store(attempt, offset);
    rules.on_commit_answered(attempt, ErrorCode::none);
  }
  void synced(std::int32_t generation, const std::string& member) {
    rules.on_synced(kGroup, generation, member, {kAt});
  }
};

// Once as it should be, and once with what breaks the rule.
void rules_must_reject(const char* rule, void (*story)(Played& played, bool broken)) {
  for (const bool broken : {false, true}) {
    Played played;
    story(played, broken);
    CHECK(played.broken == std::string(broken ? rule : ""));
  }
}

base::Instant seconds(int count) { return base::Instant(std::chrono::seconds(count)); }

}  // namespace

TEST_CASE("G1 rejects a commit that is acknowledged and not in the log") {
  rules_must_reject("G1", [](Played& played, bool broken) {
    const auto attempt = played.rules.on_commit(kGroup, 1, kAt, 5);
    if (!broken) played.store(attempt, 5);
    played.rules.on_commit_answered(attempt, ErrorCode::none);
  });
}

TEST_CASE("G1 rejects a coordinator that tells an older commit than one that was acknowledged") {
  rules_must_reject("G1", [](Played& played, bool broken) {
    played.commit(1, 5);
    played.commit(1, 9);
    const auto at_least = played.rules.acknowledged_up_to(kGroup, kAt);
    played.rules.on_fetched(kGroup, kAt, at_least, broken ? 5 : 9, broken ? "1" : "2");
  });
}

TEST_CASE("G1 rejects a coordinator that has forgotten a commit, or tells one that nobody made") {
  for (const std::int64_t offset : {9, 5, -1}) {
    Played played;
    played.commit(1, 9);
    played.rules.on_fetched(kGroup, kAt, played.rules.acknowledged_up_to(kGroup, kAt), offset,
                            offset == 5 ? "77" : "1");
    CHECK(played.broken == std::string(offset == 9 ? "" : "G1"));
  }
}

TEST_CASE("G1 rejects commits that are acknowledged and go back") {
  rules_must_reject("G1", [](Played& played, bool broken) {
    played.commit(1, 5);
    played.commit(1, broken ? 4 : 5);
  });
}

TEST_CASE("G2 rejects a partition that two members have in one generation") {
  rules_must_reject("G2", [](Played& played, bool broken) {
    played.begin(1);
    played.synced(1, "a");
    if (!broken) played.begin(2);
    played.synced(broken ? 1 : 2, "b");
  });
}

TEST_CASE("G2 rejects an assignment of a generation that is not in the log") {
  rules_must_reject("G2", [](Played& played, bool broken) {
    if (!broken) played.begin(1);
    played.synced(1, "a");
  });
}

TEST_CASE("G2 rejects generations that go back in the log") {
  rules_must_reject("G2", [](Played& played, bool broken) {
    played.begin(2);
    played.begin(broken ? 1 : 3);
  });
}

TEST_CASE("G3 rejects a commit of an old generation that is acknowledged") {
  rules_must_reject("G3", [](Played& played, bool broken) {
    played.begin(2);
    played.synced(2, "a");
    const auto attempt = played.rules.on_commit(kGroup, 1, kAt, 5);
    played.rules.on_commit_answered(attempt, broken ? ErrorCode::none : ErrorCode::illegal_generation);
  });
}

TEST_CASE("G3 rejects a commit of an old generation behind a newer one in the log") {
  rules_must_reject("G3", [](Played& played, bool broken) {
    played.begin(1);
    const auto attempt = played.rules.on_commit(kGroup, 1, kAt, 5);
    if (broken) played.begin(2);
    played.store(attempt, 5);
  });
}

TEST_CASE("G4 rejects who answers for a group that it does not lead") {
  rules_must_reject("G4", [](Played& played, bool broken) {
    const Office office{.here = true, .leads = false, .settled = false, .epoch = 3, .since = seconds(1)};
    played.rules.on_answer(kGroup, 1, broken ? ErrorCode::none : ErrorCode::not_coordinator, office, office,
                           seconds(5));
  });
}

TEST_CASE("G4 rejects who has led a group for long and refuses it, and forgives who has not") {
  const Office leads{.here = true, .leads = true, .settled = true, .epoch = 3, .since = seconds(1)};
  Office unsettled = leads;
  unsettled.settled = false;
  const auto refused = [](const Office& before, const Office& after, base::Instant sent) {
    Played played;
    played.rules.on_answer(kGroup, 1, ErrorCode::not_coordinator, before, after, sent);
    return played.broken;
  };
  CHECK(refused(leads, leads, seconds(12)) == "G4");
  CHECK(refused(leads, leads, seconds(10)) == "");
  CHECK(refused(unsettled, unsettled, seconds(12)) == "");
  CHECK(refused(leads, unsettled, seconds(12)) == "");
}
