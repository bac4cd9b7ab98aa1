// The judges of brokers: each is shown a history that is right and one that is broken.
#include <doctest/doctest.h>

#include "broker/zk/paths.h"
#include "tests/sim/brokers/stage.h"

using namespace tandem;
using namespace tandem::sim;
using namespace tandem::sim::brokers;
using broker::protocol::ErrorCode;
namespace zk = broker::zk;

namespace {

// What the judges say of the story as it should go, and as it must not.
template <class Story>
void must_reject(const char* rule, Story story, const std::string& topic = "t0") {
  for (const bool broken : {false, true}) {
    Stage stage(topic);
    story(stage, broken);
    INFO(stage.checker.violation().value_or("nothing"));
    CHECK(stage.violated() == std::string(broken ? rule : ""));
  }
}

}  // namespace

// ---- what is acknowledged and committed ------------------------------------------------------------------

TEST_CASE("K1 rejects what is acknowledged and is not what was committed there") {
  must_reject("K1", [](Stage& stage, bool broken) {
    stage.commit(2);
    stage.checker.on_acknowledged(stage.at, kProducer, 0, {0, broken ? 7 : 1});
  });
}

TEST_CASE("K1 rejects what is acknowledged beyond what was committed") {
  must_reject("K1", [](Stage& stage, bool broken) {
    stage.commit(2);
    stage.checker.on_acknowledged(stage.at, kProducer, broken ? 2 : 1, {1});
  });
}

TEST_CASE("K1 rejects a later leader that has less than was committed") {
  must_reject("K1", [](Stage& stage, bool broken) {
    stage.commit(2);
    if (broken) stage.broker(2).cut(1);
    stage.state({.leader = 2, .leader_epoch = 2, .isr = {2, 3}});
    stage.broker(2).become(2, 2, 0);
    stage.look(2);
  });
}

TEST_CASE("K2 rejects a watermark that goes back in a leader's epoch") {
  must_reject("K2", [](Stage& stage, bool broken) {
    stage.commit(3);
    stage.broker(1).store({.at = 3, .first = 3});
    stage.broker(1).become(1, 1, broken ? 2 : 3);
    stage.look(1);
  });
}

TEST_CASE("K2 rejects a consumer's record that is not committed") {
  must_reject("K2", [](Stage& stage, bool broken) {
    stage.commit(2);
    stage.checker.on_consumed(stage.at, 0, batch_of({.count = broken ? 3 : 2}), false);
  });
}

TEST_CASE("K2 rejects a consumer that is sent to another rack") {
  must_reject("K2", [](Stage& stage, bool broken) {
    stage.options.racks = 2;
    stage.checker.on_sent_to(stage.at, stage.options.rack_of(1), broken ? 2 : 3);
  });
}

TEST_CASE("K3 rejects a watermark behind the end of the log") {
  must_reject("K3", [](Stage& stage, bool broken) {
    stage.commit(2);
    stage.broker(1).become(1, 1, broken ? 3 : 2);
    stage.look(1);
  });
}

TEST_CASE("K3 rejects a watermark that passes a replica in sync") {
  must_reject("K3", [](Stage& stage, bool broken) {
    stage.commit(0);
    for (const int number : {1, 2}) stage.broker(number).store({.count = 2});
    stage.broker(3).store({.count = broken ? 1 : 2});
    stage.broker(1).become(1, 1, 2);
    stage.look(1);
  });
}

TEST_CASE("K3 rejects a follower's watermark above all that anybody has committed") {
  must_reject("K3", [](Stage& stage, bool broken) {
    stage.commit(2);
    stage.broker(2).store({.at = 2, .first = 2});
    stage.broker(2).become(1, 1, broken ? 3 : 2);
    stage.look(2);
  });
}

// ---- who is in sync and who leads ------------------------------------------------------------------------

TEST_CASE("K4 rejects a broker in sync that is no replica") {
  must_reject("K4", [](Stage& stage, bool broken) { stage.state({.isr = {1, broken ? 4 : 2}}); });
}

TEST_CASE("K4 rejects a leader that is not in sync, and an in-sync set of nobody") {
  must_reject("K4", [](Stage& stage, bool broken) {
    stage.state({.leader = broken ? 3 : 1, .isr = {1, 2}});
  });
  must_reject("K4", [](Stage& stage, bool broken) {
    stage.state({.leader = -1, .isr = broken ? std::vector<std::int32_t>{} : std::vector<std::int32_t>{1}});
  });
}

TEST_CASE("K4 rejects a new leader that was not in sync") {
  must_reject("K4", [](Stage& stage, bool broken) {
    stage.state({.isr = {1, 2}});
    const int next = broken ? 3 : 2;
    stage.state({.leader = next, .leader_epoch = 2, .isr = {next}});
  });
}

TEST_CASE("K4 rejects a broker that comes in sync without a leader's word") {
  must_reject("K4", [](Stage& stage, bool broken) {
    stage.state({.isr = {1, 2}});
    stage.state({.leader = broken ? 2 : 1, .leader_epoch = 2, .isr = {1, 2, 3}});
  });
}

TEST_CASE("K5 rejects leader epochs that go back, and another leader in the same epoch") {
  must_reject("K5", [](Stage& stage, bool broken) {
    stage.state({.leader_epoch = 2});
    stage.state({.leader_epoch = broken ? 1 : 2});
  });
  must_reject("K5", [](Stage& stage, bool broken) {
    stage.state({});
    stage.state({.leader = 2, .leader_epoch = broken ? 1 : 2});
  });
}

TEST_CASE("K5 rejects a controller epoch that goes back, and what an older controller writes") {
  must_reject("K5", [](Stage& stage, bool broken) {
    stage.change(std::string(zk::kControllerEpochPath), broken ? "0" : "2");
  });
  must_reject("K5", [](Stage& stage, bool broken) {
    stage.change(std::string(zk::kControllerEpochPath), "2");
    stage.state({.controller_epoch = 2});
    stage.state({.leader_epoch = 2, .controller_epoch = broken ? 1 : 2});
  });
}

TEST_CASE("K5 rejects a replica that goes back to an older epoch, and an older epoch behind a newer one") {
  must_reject("K5", [](Stage& stage, bool broken) {
    stage.commit(2);
    stage.broker(2).become(1, 2, 0);
    stage.look(2);
    stage.broker(2).become(3, broken ? 1 : 3, 0);
    stage.look(2);
  });
  must_reject("K5", [](Stage& stage, bool broken) {
    stage.state({.leader_epoch = 2});
    for (int number = 1; number <= 3; ++number) {
      stage.broker(number).store({.leader_epoch = 2});
      stage.broker(number).store({.at = 1, .first = 1, .leader_epoch = broken ? 1 : 2});
    }
    stage.broker(1).become(1, 2, 2);
    stage.look(1);
  });
}

TEST_CASE("K8 rejects two leaders of one epoch") {
  must_reject("K8", [](Stage& stage, bool broken) {
    stage.commit(2);
    stage.broker(2).become(2, broken ? 1 : 2, 0);
    stage.look(2);
  });
}

TEST_CASE("K12 rejects a topic, or the state of a partition, that vanishes") {
  must_reject("K12", [](Stage& stage, bool broken) {
    stage.state({});
    if (broken) stage.change(zk::partition_state_path(stage.at), "", true);
  });
  must_reject("K12", [](Stage& stage, bool broken) {
    stage.change(zk::topic_path(broken ? stage.at.topic : "churned"), "", true);
  });
}

TEST_CASE("K13 rejects what a controller writes that is not the one of the tree") {
  must_reject("K13", [](Stage& stage, bool broken) { stage.state({.controller_epoch = broken ? 2 : 1}); });
}

// ---- logs ------------------------------------------------------------------------------------------------

TEST_CASE("K6 rejects a replica with another record below its watermark") {
  must_reject("K6", [](Stage& stage, bool broken) {
    stage.commit(2);
    stage.broker(2).cut(1);
    stage.broker(2).store({.at = 1, .first = 1, .leader_epoch = broken ? 2 : 1});
    stage.broker(2).become(1, 1, 2);
    stage.look(2);
  });
}

TEST_CASE("K7 rejects a leader that cuts its log, and a follower that cuts below its watermark") {
  must_reject("K7", [](Stage& stage, bool broken) {
    stage.commit(2);
    stage.broker(1).store({.at = 2, .first = 2});
    stage.look(1);
    if (broken) stage.broker(1).cut(2);
    stage.look(1);
  });
  must_reject("K7", [](Stage& stage, bool broken) {
    stage.commit(3);
    stage.broker(2).become(1, 1, 2);
    stage.look(2);
    stage.broker(2).cut(broken ? 1 : 2);
    stage.broker(2).become(1, 1, broken ? 1 : 2);
    stage.look(2);
  });
}

TEST_CASE("K9 rejects offsets with a hole, in a log and for a consumer") {
  must_reject("K9", [](Stage& stage, bool broken) {
    stage.commit(0);
    for (int number = 1; number <= 3; ++number) {
      stage.broker(number).store({});
      stage.broker(number).store({.at = broken ? 2 : 1, .first = 1});
    }
    stage.broker(1).become(1, 1, broken ? 3 : 2);
    stage.look(1);
  });
  must_reject("K9", [](Stage& stage, bool broken) {
    stage.commit(3);
    const std::int64_t next = broken ? 2 : 1;
    stage.checker.on_consumed(stage.at, 1, batch_of({.at = next, .first = next}), false);
  });
}

TEST_CASE("K10 rejects an entry of an index that is not of the batch it points to") {
  constexpr std::uint64_t kLastOfPosition = 7;
  constexpr std::uint64_t kLastOfTime = 7;
  constexpr std::uint64_t kLastOfOffset = 11;
  const std::vector<std::pair<const char*, std::uint64_t>> places = {
      {".index", kLastOfPosition}, {".timeindex", kLastOfTime}, {".timeindex", kLastOfOffset}};
  for (const auto& [suffix, byte] : places) {
    must_reject("K10", [suffix = suffix, byte = byte](Stage& stage, bool broken) {
      stage.commit(0);
      for (int i = 0; i < 40; ++i) stage.broker(1).store({.at = i, .first = i});
      CHECK(stage.broker(1).log().segment_count() > 2);
      stage.look(1);
      CHECK(stage.violated() == "");
      if (broken) stage.broker(1).spoil(std::string("00000000000000000000") + suffix, byte);
      stage.checker.on_end(1);  // a start looks at them all
      stage.look(1);
    });
  }
}

// ---- producers -------------------------------------------------------------------------------------------

TEST_CASE("P1 rejects numbers of an idempotent producer that do not follow one another") {
  for (const std::int64_t wrong : {1, 3}) {
    must_reject("P1", [wrong](Stage& stage, bool broken) {
      stage.commit(2);
      for (int number = 1; number <= 3; ++number)
        stage.broker(number).store({.at = 2, .first = broken ? wrong : 2});
      stage.broker(1).become(1, 1, 3);
      stage.look(1);
    });
  }
}

TEST_CASE("P1 takes a batch that is said again behind its deletion as a whole only") {
  must_reject("P1", [](Stage& stage, bool broken) {
    stage.commit(3);
    stage.checker.on_deletion_asked(stage.at, 3);
    for (int number = 1; number <= 3; ++number)
      for (std::int64_t again = 0; again < 2; ++again)
        stage.broker(number).store({.at = 3 + again, .first = broken ? 2 * again : 1 + again});
    stage.broker(1).become(1, 1, 5);
    stage.look(1);
  });
}

TEST_CASE("P1 takes numbers that were given up for what they are with a new epoch only") {
  must_reject("P1", [](Stage& stage, bool broken) {
    stage.commit(2);
    for (int number = 1; number <= 3; ++number)
      stage.broker(number).store({.at = 2, .first = 4, .epoch = std::int16_t(broken ? 0 : 1)});
    stage.broker(1).become(1, 1, 3);
    stage.look(1);
  });
}

TEST_CASE("P1 rejects a leader that does not know, or takes anew, what a producer says again") {
  for (const auto error : {ErrorCode::none, ErrorCode::out_of_order_sequence_number}) {
    must_reject("P1", [error](Stage& stage, bool broken) {
      stage.commit(2);
      stage.wait(milliseconds(1));
      const auto late = error == ErrorCode::none || broken ? Duration{} : milliseconds(1);
      const Checker::Repetition said{stage.at, 1, Instant(std::chrono::seconds(1) + milliseconds(1) - late),
                                     0};
      stage.checker.on_repeated(said, error, error == ErrorCode::none && broken ? 2 : 0);
    });
  }
}

TEST_CASE("P2 rejects a batch of an epoch that its producer has left") {
  must_reject("P2", [](Stage& stage, bool broken) {
    stage.commit(2);
    for (int number = 1; number <= 3; ++number) {
      stage.broker(number).store({.at = 2, .first = 2, .epoch = 1});
      stage.broker(number).store({.at = 3, .first = 3, .epoch = std::int16_t(broken ? 0 : 1)});
    }
    stage.broker(1).become(1, 1, 4);
    stage.look(1);
  });
}

TEST_CASE("P2 rejects a batch of an old epoch that is acknowledged") {
  must_reject("P2", [](Stage& stage, bool broken) {
    stage.commit(2);
    stage.checker.on_left_epoch(stage.at, 1, broken ? ErrorCode::none : ErrorCode::invalid_producer_epoch);
  });
}

// ---- deletions -------------------------------------------------------------------------------------------

TEST_CASE("K15 rejects a log that begins where nobody asked for") {
  must_reject("K15", [](Stage& stage, bool broken) {
    stage.commit(3);
    stage.checker.on_deletion_asked(stage.at, broken ? 1 : 2);
    stage.broker(1).begin_at(2);
    stage.look(1);
  });
}

TEST_CASE("K15 rejects a consumer that is told to begin where nobody has deleted up to") {
  must_reject("K15", [](Stage& stage, bool broken) {
    stage.commit(3);
    stage.checker.on_deletion_asked(stage.at, 2);
    CHECK(stage.checker.on_reset(stage.at, 0, broken ? 3 : 2) == (broken ? 3 : 2));
  });
}

TEST_CASE("K15 rejects a deletion that is acknowledged before all in sync have done it") {
  must_reject("K15", [](Stage& stage, bool broken) {
    stage.commit(3);
    for (int number = 1; number <= 3; ++number) stage.change(zk::broker_path(number), "{}");
    stage.look(1);
    stage.wait(milliseconds(1));
    const auto asked = stage.checker.on_deletion_asked(stage.at, 2);
    for (int number = 1; number <= 3; ++number) {
      stage.broker(number).become(1, 1, 3);
      if (number < 3 || !broken) stage.broker(number).begin_at(2);
      stage.look(number);
    }
    stage.checker.on_deletion_answered(asked, ErrorCode::none, 2);
  });
}

TEST_CASE("K15 lets a leader not wait for one of whom nobody has told it") {
  must_reject("K15", [](Stage& stage, bool broken) {
    stage.commit(3);
    for (int number = 1; number <= 3; ++number) stage.change(zk::broker_path(number), "{}");
    if (!broken) stage.broker(1).unknown = {3};
    stage.look(1);
    stage.wait(milliseconds(1));
    const auto asked = stage.checker.on_deletion_asked(stage.at, 2);
    stage.broker(1).unknown.clear();
    for (int number = 1; number <= 3; ++number) {
      stage.broker(number).become(1, 1, 3);
      if (number < 3) stage.broker(number).begin_at(2);
      stage.look(number);
    }
    stage.checker.on_deletion_answered(asked, ErrorCode::none, 2);
  });
}

TEST_CASE("K15 rejects a deletion that is acknowledged for less than was asked") {
  must_reject("K15", [](Stage& stage, bool broken) {
    stage.commit(3);
    stage.checker.on_deletion_answered(stage.checker.on_deletion_asked(stage.at, 2), ErrorCode::none,
                                       broken ? 1 : 2);
  });
}

// ---- unclean elections -----------------------------------------------------------------------------------

namespace {

// Broker 3 leads, which was not in sync.
struct Unclean {
  bool allowed = true;
  bool others = false;  // are said to be in sync with it
  bool recovering = true;
  bool there = false;  // one that is in sync
  int records = 1;     // committed before
};

void elect(Stage& stage, const Unclean& how) {
  if (how.allowed) stage.change("/config/topics/u0", R"({"unclean.leader.election.enable":"true"})");
  stage.commit(how.records);
  stage.state({.isr = {1, 2}});
  if (how.there) stage.change(zk::broker_path(1), "{}");
  stage.wait(std::chrono::minutes(1));
  Stage::State state{.leader = 3, .leader_epoch = 2, .isr = {3}, .recovering = how.recovering};
  if (how.others) state.isr = {2, 3};
  stage.state(state);
}

}  // namespace

TEST_CASE("K16 rejects an unclean election that nobody has allowed") {
  must_reject(
      "K16", [](Stage& stage, bool broken) { elect(stage, {.allowed = !broken}); }, "u0");
}

TEST_CASE("K16 rejects a leader out of sync with others in sync, or not said to be recovering") {
  must_reject(
      "K16", [](Stage& stage, bool broken) { elect(stage, {.others = broken}); }, "u0");
  must_reject(
      "K16", [](Stage& stage, bool broken) { elect(stage, {.recovering = !broken}); }, "u0");
}

TEST_CASE("K16 rejects a leader out of sync while somebody in sync is there") {
  must_reject(
      "K16", [](Stage& stage, bool broken) { elect(stage, {.there = broken}); }, "u0");
}

TEST_CASE("K6 rejects, after an unclean election, what its leader has not") {
  must_reject(
      "K6",
      [](Stage& stage, bool broken) {
        elect(stage, {});
        stage.broker(3).store({.at = 1, .first = 1, .leader_epoch = 2});
        stage.broker(3).become(3, 2, 2);
        stage.look(3);
        for (const int number : {1, 2}) {
          stage.broker(number).become(3, 2, 0);
          stage.look(number);
          stage.broker(number).store({.at = 1, .first = broken ? 9 : 1, .leader_epoch = 2});
          stage.broker(number).become(3, 2, 2);
          stage.look(number);
        }
      },
      "u0");
}

namespace {

// What broker 3 leads with is what was committed before, three records; and what becomes of it.
struct Crashed {
  int synced = 1;
  int committed = 1;  // in its epoch
  Crash kind = Crash::power;
  int next = 3;  // who leads then
  int left = 1;  // with so many
};

void crash(Stage& stage, const Crashed& how) {
  elect(stage, {.records = 3});
  StagedBroker& leader = stage.broker(3);
  leader.cut(how.synced);
  leader.sync();
  for (int at = how.synced; at < 3; ++at) leader.store({.at = at, .first = at});
  leader.become(3, 2, how.committed);
  stage.look(3);
  stage.broker(1).become(3, 2, 3);  // with the watermark of before
  stage.look(1);
  stage.broker(1).store({.at = 3, .first = 3, .leader_epoch = 2});
  stage.look(1);
  stage.state({.leader = 3, .leader_epoch = 2, .isr = {2, 3}, .recovering = true});
  stage.checker.on_crash(leader, how.kind);
  stage.checker.on_end(3);
  stage.state({.leader = how.next, .leader_epoch = 3, .isr = {how.next}, .recovering = true});
  stage.broker(how.next).cut(how.left);
  stage.broker(how.next).become(how.next, 3, how.left);
  stage.look(how.next);
}

}  // namespace

TEST_CASE("K1 rejects that a leader elected out of sync comes back with less but by a loss of power") {
  must_reject(
      "K1", [](Stage& stage, bool broken) { crash(stage, {.kind = broken ? Crash::kill : Crash::power}); },
      "u0");
}

TEST_CASE("K1 rejects that a leader elected out of sync loses power and what it had synced") {
  must_reject(
      "K1", [](Stage& stage, bool broken) { crash(stage, {.synced = broken ? 2 : 1}); }, "u0");
}

TEST_CASE("K1 rejects that a leader elected out of sync loses power and what it has committed") {
  must_reject(
      "K1", [](Stage& stage, bool broken) { crash(stage, {.committed = broken ? 2 : 1}); }, "u0");
}

TEST_CASE("K1 rejects that another one has less where a leader elected out of sync has lost power") {
  must_reject(
      "K1", [](Stage& stage, bool broken) { crash(stage, {.next = broken ? 2 : 3}); }, "u0");
}

TEST_CASE("K1 rejects that a leader elected out of sync loses again what it commits behind a loss of power") {
  must_reject(
      "K1",
      [](Stage& stage, bool broken) {
        crash(stage, {});
        for (const int number : {3, 1}) {
          stage.broker(number).cut(1);
          stage.broker(number).store({.at = 1, .first = 7, .leader_epoch = 3, .idempotent = false});
          stage.broker(number).become(3, 3, 2);
          stage.look(number);
        }
        stage.checker.on_crash(stage.broker(3), Crash::power);
        stage.checker.on_end(3);
        if (broken) stage.broker(3).cut(1);
        stage.state({.leader = 3, .leader_epoch = 4, .isr = {3}, .recovering = true});
        stage.broker(3).become(3, 4, broken ? 1 : 2);
        stage.look(3);
      },
      "u0");
}

// ---- the end ---------------------------------------------------------------------------------------------

TEST_CASE("a partition is settled when all replicas are in sync, equal, and know their leader") {
  const auto said = [](auto change) {
    Stage stage;
    stage.commit(2);
    for (int number = 1; number <= 3; ++number) stage.broker(number).become(1, 1, 2);
    change(stage);
    return stage.unsettled();
  };
  CHECK(said([](Stage&) {}) == "");
  CHECK(said([](Stage& stage) { stage.state({.isr = {1, 2}}); }) == "t0-0: 2 of 3 are in sync");
  CHECK(said([](Stage& stage) { stage.state({.leader = -1}); }) == "t0-0: is led by nobody");
  CHECK(said([](Stage& stage) {
          stage.assign({1, 2});
          stage.state({.isr = {1, 2}});
        }) == "t0-0: broker 3 takes part in it in epoch 1, and has none of its replicas");
  CHECK(said([](Stage& stage) { stage.broker(3).become(2, 1, 2); }) ==
        "t0-0: broker 3 believes in leader 2 of epoch 1, it is 1 of 1");
  CHECK(said([](Stage& stage) { stage.broker(3).store({.at = 2, .first = 2}); }) ==
        "t0-0: the logs do not end alike");
  CHECK(said([](Stage& stage) { stage.broker(2).become(1, 1, 1); }) ==
        "t0-0: broker 2 lags, watermark 1 of 2");
  CHECK(said([](Stage& stage) { stage.broker(2).log().fail(base::make_error(base::Errc::io, "")); }) ==
        "t0-0: its log failed on broker 2");
}

TEST_CASE("L2: who is in sync by a replica that works leads, and nobody is by one that has failed") {
  Stage stage;
  stage.commit(3);
  for (const int number : {2, 3}) stage.broker(number).become(1, 1, 3);
  CHECK(stage.unserved().empty());
  const auto fail = [&](int number) {
    stage.broker(number).log().fail(base::make_error(base::Errc::io, "its directory is offline"));
  };
  const auto led_by = [&](int leader, const std::vector<std::int32_t>& isr, std::int32_t epoch) {
    stage.state({.leader = leader, .leader_epoch = epoch, .isr = isr});
    for (const int number : isr) stage.broker(number).become(leader, epoch, 3);
    return stage.unserved();
  };
  fail(1);
  CHECK(stage.unserved() == "t0-0: 1 leads, whose replica does not work");
  CHECK(led_by(2, {1, 2, 3}, 2) == "t0-0: broker 1 is in sync, its replica does not work");
  CHECK(led_by(2, {2}, 3) == "t0-0: broker 3 is not in sync, its replica works");
  CHECK(led_by(2, {2, 3}, 4).empty());
  stage.state({.leader = 3, .leader_epoch = 5, .isr = {2, 3}});
  CHECK(stage.unserved() == "t0-0: broker 3 does not know that it leads");
  fail(2);
  fail(3);
  CHECK(stage.unserved().empty());  // nobody can lead
}
