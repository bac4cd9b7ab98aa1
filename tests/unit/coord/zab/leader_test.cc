#include "coord/zab/leader.h"

#include "coord/zab/limits.h"

#include "zab_bench.h"

namespace tandem::coord::zab::test {
namespace {

// A leader with id 3 whose learners are played by the test.
struct LeaderStage {
  explicit LeaderStage(int count = 3, LeaderStart start = {}) : config(voters(count)) { restart(start); }

  void restart(LeaderStart start, LeaderOptions options = {}) {
    options.self = ServerId(3);
    options.tick = kTick;
    leader = std::make_unique<Leader>(options, start, config, log, time.now);
  }
  Lines take() { return lines_of(leader->take_effects()); }
  void say(LearnerId who, PacketType type, Zxid zxid, jute::BufferView data = std::nullopt) {
    leader->on_packet(who, records::QuorumPacket{type, zxid, data, std::nullopt, 0}, time.now);
  }
  LearnerId follower(int server, std::int64_t accepted_epoch) {
    const LearnerId id = leader->open_learner(time.now);
    say(id, PacketType::follower_info, make_zxid(accepted_epoch, 0), learner_info(server));
    return id;
  }
  void ack_epoch(LearnerId who, std::int32_t current_epoch, Zxid last) {
    say(who, PacketType::ack_epoch, last, records::encode_i32(current_epoch));
  }
  // Leads epoch `epoch` with server 1 in sync; everything is durable.
  LearnerId lead(std::int64_t epoch) {
    const LearnerId id = follower(1, epoch - 1);
    leader->on_accepted_epoch_durable(epoch, time.now);
    ack_epoch(id, static_cast<std::int32_t>(epoch - 1), last);
    leader->on_current_epoch_durable(epoch, time.now);
    say(id, PacketType::ack, make_zxid(epoch, 0));
    say(id, PacketType::ack, make_zxid(epoch, 0));
    take();
    REQUIRE(leader->phase() == LeaderPhase::broadcast);
    return id;
  }
  void pass(base::Duration by) {
    time.now += by;
    leader->on_deadline(time.now);
  }
  LearnerStatus learner(LearnerId id) {
    for (const LearnerStatus& each : leader->status().learners) {
      if (each.learner == id) return each;
    }
    return {};
  }

  Time time;
  quorum::QuorumConfig config;
  CommitLog log;
  Zxid last;
  std::unique_ptr<Leader> leader;
};

}  // namespace

TEST_CASE("a first ensemble agrees on epoch 1, synchronizes and starts") {
  LeaderStage s;
  CHECK(s.take().empty());
  const LearnerId one = s.follower(1, 0);
  CHECK(s.take() == Lines{"PersistAcceptedEpoch 1"});
  s.leader->on_accepted_epoch_durable(1, s.time.now);
  CHECK(s.take() == Lines{"Send to 1: LEADERINFO 0x100000000 65536"});
  s.ack_epoch(one, 0, Zxid(0));
  const auto effects = s.leader->take_effects();
  const Lines sync = lines_of(effects);
  REQUIRE(sync.size() == 2);
  CHECK(sync[0] == "PersistCurrentEpoch 1");
  CHECK(sync[1].starts_with("Send to 1: DIFF 0x0, NEWLEADER 0x100000000 ("));
  CHECK(std::get<SendToLearner>(effects[1]).bytes.find("version=100000000") != std::string::npos);

  s.say(one, PacketType::ack, make_zxid(1, 0));
  CHECK(s.take().empty());  // its own acknowledgement is not durable yet
  s.leader->on_current_epoch_durable(1, s.time.now);
  CHECK(s.take() == Lines{"StartLeading 0x100000000", "Send to 1: UPTODATE 0xffffffffffffffff"});
}

TEST_CASE("no LEADERINFO before the epoch is durable here") {
  LeaderStage s;
  const LearnerId one = s.follower(1, 4);
  const LearnerId two = s.follower(2, 7);
  CHECK(s.take() == Lines{"PersistAcceptedEpoch 5"});  // a quorum was there with the first
  CHECK(s.learner(one).state == LearnerState::epoch_wait);
  s.leader->on_accepted_epoch_durable(5, s.time.now);
  CHECK(s.take().size() == 2);
  CHECK(s.learner(two).state == LearnerState::epoch_ack);
}

TEST_CASE("the new epoch is above every one that was accepted") {
  LeaderStage s(5, {.accepted_epoch = 3, .current_epoch = 3, .last_zxid = make_zxid(3, 9)});
  s.follower(1, 6);
  CHECK(s.take().empty());  // two of five are no quorum
  s.follower(2, 4);
  CHECK(s.take() == Lines{"PersistAcceptedEpoch 7"});
}

TEST_CASE("a voter that accepted a later epoch is given one above it by a new election") {
  LeaderStage s;
  s.lead(1);
  s.follower(2, 1);
  CHECK(s.leader->phase() == LeaderPhase::broadcast);
  s.follower(2, 2);
  const Lines lines = s.take();
  REQUIRE(!lines.empty());
  CHECK(lines.back() == "StepDown: server 2 accepted epoch 2, this is 1");
}

TEST_CASE("a follower that is ahead of the leader ends leading") {
  LeaderStage s(3, {.accepted_epoch = 2, .current_epoch = 2, .last_zxid = make_zxid(2, 5)});
  const LearnerId one = s.follower(1, 2);
  s.leader->on_accepted_epoch_durable(3, s.time.now);
  s.take();
  s.ack_epoch(one, 2, make_zxid(2, 6));
  const Lines lines = s.take();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].starts_with("StepDown: server 1 is ahead of the leader"));
  CHECK(!s.leader->next_deadline());
}

TEST_CASE("an epoch acknowledged with -1 does not count, but the learner is synchronized later") {
  LeaderStage s(5);
  const LearnerId one = s.follower(1, 0);
  const LearnerId two = s.follower(2, 0);
  s.leader->on_accepted_epoch_durable(1, s.time.now);
  s.take();
  s.ack_epoch(one, -1, Zxid(0));
  s.ack_epoch(two, 0, Zxid(0));
  CHECK(s.take().empty());
  const LearnerId four = s.follower(4, 0);
  s.ack_epoch(four, 0, Zxid(0));
  CHECK(s.take().front() == "PersistCurrentEpoch 1");
  CHECK(s.learner(one).state == LearnerState::synchronizing);
}

TEST_CASE("observers and strangers count nowhere") {
  LeaderStage s(5);
  const LearnerId observer = s.leader->open_learner(s.time.now);
  s.say(observer, PacketType::observer_info, Zxid(0), learner_info(1));
  const LearnerId stranger = s.follower(17, 0);
  CHECK(s.take().empty());
  s.follower(2, 0);
  CHECK(s.take().empty());
  CHECK(s.learner(observer).observer);
  CHECK(s.learner(stranger).state == LearnerState::epoch_wait);
}

TEST_CASE("the first packet must introduce a server that is not this one and knows no later configuration") {
  LeaderStage s;
  const LearnerId one = s.leader->open_learner(s.time.now);
  s.say(one, PacketType::ack, Zxid(0));
  CHECK(s.take().front().starts_with("CloseLearner 1: ACK"));
  s.follower(3, 0);
  CHECK(s.take() == Lines{"CloseLearner 2: learner has this server's own id"});
  const LearnerId later = s.leader->open_learner(s.time.now);
  s.say(later, PacketType::follower_info, Zxid(0), learner_info(1, 0x100000000));
  CHECK(s.take() == Lines{"CloseLearner 3: learner knows a later configuration"});
}

TEST_CASE("a proposal is committed when leader and one follower of three have it durable, in order") {
  LeaderStage s;
  const LearnerId one = s.lead(1);
  s.leader->propose(batch_of(make_zxid(1, 1), 3), s.time.now);
  CHECK(s.take() == Lines{"Persist 0x100000001..0x100000003",
                          "Send to 1: PROPOSAL 0x100000001 (36 bytes), PROPOSAL 0x100000002 (36 bytes), "
                          "PROPOSAL 0x100000003 (36 bytes)"});
  s.say(one, PacketType::ack, make_zxid(1, 1));
  s.say(one, PacketType::ack, make_zxid(1, 2));
  CHECK(s.take().empty());
  s.leader->on_durable(make_zxid(1, 3), s.time.now);
  CHECK(s.take() == Lines{"Commit 0x100000002", "Send to 1: COMMIT 0x100000001, COMMIT 0x100000002"});
  s.say(one, PacketType::ack, make_zxid(1, 3));
  CHECK(s.take() == Lines{"Commit 0x100000003", "Send to 1: COMMIT 0x100000003"});
  CHECK(s.log.size() == 3);
}

TEST_CASE("two followers commit without the leader's own disk") {
  LeaderStage s;
  const LearnerId one = s.lead(1);
  const LearnerId two = s.follower(2, 0);
  s.ack_epoch(two, 0, Zxid(0));
  s.say(two, PacketType::ack, make_zxid(1, 0));
  s.take();
  s.leader->propose(batch_of(make_zxid(1, 1)), s.time.now);
  s.take();
  s.say(one, PacketType::ack, make_zxid(1, 1));
  s.say(two, PacketType::ack, make_zxid(1, 1));
  CHECK(s.take().front() == "Commit 0x100000001");
}

TEST_CASE(
    "acknowledgements that overtake the one of NEWLEADER, as those of Apache 3.8 do, count once it comes") {
  LeaderStage s;
  const LearnerId one = s.lead(1);
  s.leader->on_closed(one, s.time.now);
  s.leader->propose(batch_of(make_zxid(1, 1)), s.time.now);
  const LearnerId two = s.follower(2, 0);
  s.ack_epoch(two, 0, Zxid(0));
  s.take();
  s.say(two, PacketType::ack, make_zxid(1, 1));
  s.leader->on_durable(make_zxid(1, 1), s.time.now);
  CHECK(s.take().empty());  // neither a commit nor the end of the connection
  s.say(two, PacketType::ack, make_zxid(1, 0));
  const Lines lines = s.take();
  REQUIRE(!lines.empty());
  CHECK(lines[0] == "Commit 0x100000001");
  CHECK(s.learner(two).acked == make_zxid(1, 1));
}

TEST_CASE("an acknowledgement of what was never proposed does not count") {
  LeaderStage s;
  const LearnerId one = s.lead(1);
  s.say(one, PacketType::ack, make_zxid(1, 9));
  s.leader->propose(batch_of(make_zxid(1, 1)), s.time.now);
  s.leader->on_durable(make_zxid(1, 1), s.time.now);
  for (const std::string& line : s.take()) CHECK(!line.starts_with("Commit"));
}

TEST_CASE("what a learner that comes later lacks, what is on its way and NEWLEADER go out in one piece") {
  LeaderStage s;
  const LearnerId one = s.lead(1);
  s.leader->propose(batch_of(make_zxid(1, 1), 2), s.time.now);
  s.leader->on_durable(make_zxid(1, 2), s.time.now);
  s.say(one, PacketType::ack, make_zxid(1, 1));
  s.take();
  const LearnerId two = s.follower(2, 0);
  s.ack_epoch(two, 0, Zxid(0));
  // Nothing tells that the log reaches back to a server without anything.
  CHECK(s.take() == Lines{"ReadLog for 2: 0x0..0x100000001", "Send to 2: LEADERINFO 0x100000000 65536"});
  s.leader->on_log_chunk(two, LogChunk{.available = false, .last = true, .txns = {}}, s.time.now);
  const Lines lines = s.take();
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == "Send to 2: SNAP 0x100000001");
  CHECK(lines[1] == "SendSnapshot to 2: 0x100000001");
  CHECK(lines[2].starts_with("Send to 2: PROPOSAL 0x100000002 (36 bytes), NEWLEADER 0x100000000"));
  s.leader->propose(batch_of(make_zxid(1, 3)), s.time.now);
  CHECK(s.take().back() == "Send to 2: PROPOSAL 0x100000003 (36 bytes)");
}

TEST_CASE("an observer is informed of what is committed, and acknowledges nothing") {
  LeaderStage s;
  const LearnerId one = s.lead(1);
  const LearnerId observer = s.leader->open_learner(s.time.now);
  s.say(observer, PacketType::observer_info, Zxid(0), learner_info(9));
  s.ack_epoch(observer, 0, Zxid(0));
  CHECK(s.take().front().find("DIFF 0x0, NEWLEADER") != std::string::npos);
  s.say(observer, PacketType::ack, make_zxid(1, 0));
  CHECK(s.take() == Lines{"Send to 2: UPTODATE 0xffffffffffffffff"});
  s.leader->propose(batch_of(make_zxid(1, 1)), s.time.now);
  s.say(observer, PacketType::ack, make_zxid(1, 1));
  s.leader->on_durable(make_zxid(1, 1), s.time.now);
  s.take();
  s.say(one, PacketType::ack, make_zxid(1, 1));
  CHECK(s.take() == Lines{"Commit 0x100000001", "Send to 1: COMMIT 0x100000001",
                          "Send to 2: INFORM 0x100000001 (36 bytes)"});
}

TEST_CASE("a log that has a hole is not sent: first a snapshot, later a closed connection and a snapshot") {
  LeaderStage s(3, {.accepted_epoch = 1, .current_epoch = 1, .last_zxid = make_zxid(1, 50)});
  s.last = make_zxid(1, 50);
  s.log.add(txn_of(make_zxid(1, 50)));
  s.lead(2);
  LearnerId two = s.follower(2, 1);
  s.ack_epoch(two, 1, make_zxid(1, 10));
  s.take();
  s.leader->on_log_chunk(two, LogChunk{.txns = {txn_of(make_zxid(1, 10)), txn_of(make_zxid(1, 12))}},
                         s.time.now);
  Lines lines = s.take();
  CHECK(lines[0].starts_with("Send to 2: DIFF"));
  CHECK(lines[1].starts_with("CloseLearner 2: the log has a hole"));
  CHECK(s.leader->snapshot_next() == std::set<ServerId>{ServerId(2)});
  two = s.follower(2, 1);
  s.ack_epoch(two, 1, make_zxid(1, 10));
  lines = s.take();
  CHECK(lines[1] == "SendSnapshot to 3: 0x200000000");
}

TEST_CASE("whom the log failed in a term before gets a snapshot at once") {
  LeaderStage s(3, {.accepted_epoch = 1,
                    .current_epoch = 1,
                    .last_zxid = make_zxid(1, 50),
                    .snapshot_next = {ServerId(2)}});
  s.last = make_zxid(1, 50);
  s.log.add(txn_of(make_zxid(1, 50)));
  s.lead(2);
  s.ack_epoch(s.follower(2, 1), 1, make_zxid(1, 10));
  CHECK(s.take()[1] == "SendSnapshot to 2: 0x200000000");
  CHECK(s.leader->snapshot_next().empty());
}

TEST_CASE("a long DIFF comes from the log in chunks, then from memory") {
  LeaderStage s(3, {.accepted_epoch = 1, .current_epoch = 1, .last_zxid = make_zxid(1, 50)});
  s.last = make_zxid(1, 50);
  s.log.add(txn_of(make_zxid(1, 50)));
  s.lead(2);
  const LearnerId two = s.follower(2, 1);
  s.ack_epoch(two, 1, make_zxid(1, 47));
  CHECK(s.take().front() == "ReadLog for 2: 0x10000002f..0x100000032");
  s.leader->on_log_chunk(two, LogChunk{.txns = {txn_of(make_zxid(1, 47)), txn_of(make_zxid(1, 48))}},
                         s.time.now);
  CHECK(s.take() ==
        Lines{"Send to 2: DIFF 0x100000032, PROPOSAL 0x100000030 (36 bytes), COMMIT 0x100000030"});
  s.leader->on_log_chunk(two, LogChunk{.last = true, .txns = {txn_of(make_zxid(1, 49))}}, s.time.now);
  CHECK(s.take().front().starts_with(
      "Send to 2: PROPOSAL 0x100000031 (36 bytes), COMMIT 0x100000031, PROPOSAL 0x100000032 (36 bytes), "
      "COMMIT 0x100000032, NEWLEADER 0x200000000"));
}

TEST_CASE("a server that connects again replaces its older connection") {
  LeaderStage s;
  s.lead(1);
  s.follower(1, 1);
  CHECK(s.take() ==
        Lines{"CloseLearner 1: the server has connected again", "Send to 2: LEADERINFO 0x100000000 65536"});
}

TEST_CASE("an epoch is acknowledged on the connection that asked for it, by learners that can say so") {
  LeaderStage s;
  std::string info = learner_info(1);
  records::put_extension(info, {.silence_ms = 0, .challenge = 1});
  const auto introduce = [&s, &info] {
    const LearnerId id = s.leader->open_learner(s.time.now);
    s.say(id, PacketType::follower_info, Zxid(0), info);
    return id;
  };
  const auto challenged = [&s] {
    records::QuorumPacketDecoder decoder(1000);
    decoder.feed(std::get<SendToLearner>(s.leader->take_effects().back()).bytes);
    return records::decode_extension((*decoder.next())->data, records::kEpochBytes);
  };
  const auto answer = [](std::int64_t challenge) {
    std::string data = records::encode_i32(0);
    records::put_extension(data, {.silence_ms = 0, .challenge = challenge});
    return data;
  };
  const LearnerId older = introduce();
  s.leader->on_accepted_epoch_durable(1, s.time.now);
  const records::Extension asked = challenged();
  CHECK(asked.silence_ms == 0);
  REQUIRE(asked.challenge != 0);
  s.leader->on_closed(older, s.time.now);

  const LearnerId again = introduce();
  const records::Extension asked_again = challenged();
  CHECK(asked_again != asked);
  s.say(again, PacketType::ack_epoch, Zxid(0), answer(asked.challenge));
  CHECK(s.take() == Lines{"CloseLearner 2: ACKEPOCH answers another connection"});

  const LearnerId silent = introduce();
  s.take();
  s.ack_epoch(silent, 0, Zxid(0));
  CHECK(s.take() == Lines{"CloseLearner 3: ACKEPOCH answers another connection"});

  const LearnerId last = introduce();
  s.say(last, PacketType::ack_epoch, Zxid(0), answer(challenged().challenge));
  CHECK(s.take().front() == "PersistCurrentEpoch 1");
}

TEST_CASE("learners hear a ping twice in a tick; one that is silent for syncLimit ticks is dropped") {
  LeaderStage s(5);
  const LearnerId one = s.follower(1, 0);
  const LearnerId two = s.follower(2, 0);
  s.leader->on_accepted_epoch_durable(1, s.time.now);
  for (const LearnerId id : {one, two}) s.ack_epoch(id, 0, Zxid(0));
  s.leader->on_current_epoch_durable(1, s.time.now);
  for (const LearnerId id : {one, two}) s.say(id, PacketType::ack, make_zxid(1, 0));
  s.take();
  s.pass(kTick / 2);
  CHECK(s.take() == Lines{"Send to 1: PING 0x100000000", "Send to 2: PING 0x100000000"});
  Lines lines;
  for (int i = 0; i < 12 && lines.empty(); ++i) {
    s.say(one, PacketType::ping, make_zxid(1, 0));
    s.pass(kTick / 2);
    for (std::string& line : s.take()) {
      if (line.starts_with("CloseLearner") || line.starts_with("StepDown")) lines.push_back(line);
    }
  }
  REQUIRE(!lines.empty());
  CHECK(lines.front() == "CloseLearner 2: nothing was heard from it for too long");
}

TEST_CASE("a leader without a quorum of followers steps down at the next tick") {
  LeaderStage s;
  const LearnerId one = s.lead(1);
  s.leader->on_closed(one, s.time.now);
  s.pass(kTick / 2);
  s.pass(kTick / 2);
  CHECK(s.take() == Lines{"StepDown: no quorum of followers is in sync"});
  s.leader->propose(batch_of(make_zxid(1, 1)), s.time.now);
  CHECK(s.take().empty());
}

TEST_CASE(
    "a follower that does not acknowledge proposals within syncLimit is dropped though it answers pings") {
  LeaderStage s;
  const LearnerId one = s.lead(1);
  s.leader->propose(batch_of(make_zxid(1, 1)), s.time.now);
  Lines closed;
  for (int i = 0; i < 12 && closed.empty(); ++i) {
    s.say(one, PacketType::ping, make_zxid(1, 1));
    s.pass(kTick / 2);
    for (std::string& line : s.take()) {
      if (line.starts_with("CloseLearner")) closed.push_back(line);
    }
  }
  CHECK(closed == Lines{"CloseLearner 1: it does not acknowledge proposals"});
}

TEST_CASE("discovery without a quorum ends after initLimit ticks") {
  LeaderStage s;
  for (int i = 0; i < 25; ++i) s.pass(kTick / 2);
  const Lines lines = s.take();
  REQUIRE(!lines.empty());
  CHECK(lines.back() == "StepDown: no quorum within 10 ticks in phase discovery");
}

TEST_CASE("the last number of an epoch is not used") {
  LeaderStage s;
  s.lead(1);
  s.leader->propose(batch_of(make_zxid(1, 1), 1), s.time.now);
  s.take();
  auto batch = std::make_shared<TxnBatch>(*batch_of(make_zxid(1, 2)));
  batch->last = make_zxid(1, 0xffffffff);
  s.leader->propose(batch, s.time.now);
  const Lines lines = s.take();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].starts_with("StepDown: the 32 bits"));
}

TEST_CASE("a leader that was stopped for longer than its followers wait answers nothing any more") {
  LeaderStage s;
  const LearnerId one = s.lead(1);
  s.leader->propose(batch_of(make_zxid(1, 1)), s.time.now);
  s.leader->on_durable(make_zxid(1, 1), s.time.now);
  s.take();
  s.time.now += kTick * 7;
  s.say(one, PacketType::ack, make_zxid(1, 1));
  CHECK(s.take() == Lines{"StepDown: this server was stopped for longer than its followers wait"});
}

TEST_CASE(
    "a synchronization is confirmed by a round of pings that began after it, once all before is committed") {
  LeaderStage s;
  const LearnerId one = s.lead(1);
  s.pass(kTick / 2);
  s.take();
  s.leader->propose(batch_of(make_zxid(1, 1)), s.time.now);
  s.leader->confirm(7, s.time.now);
  CHECK(s.take().back() == "Send to 1: PROPOSAL 0x100000001 (36 bytes), PING 0x100000001");
  s.leader->confirm(8, s.time.now);
  CHECK(s.take().empty());                        // one round at a time
  s.say(one, PacketType::ping, make_zxid(1, 0));  // this one began before
  CHECK(s.take().empty());
  s.say(one, PacketType::ping, make_zxid(1, 1));
  CHECK(s.take() == Lines{"Send to 1: PING 0x100000001"});  // for the second
  s.leader->on_durable(make_zxid(1, 1), s.time.now);
  s.say(one, PacketType::ack, make_zxid(1, 1));
  CHECK(s.take() == Lines{"Commit 0x100000001", "Confirmed 7", "Send to 1: COMMIT 0x100000001"});
  s.say(one, PacketType::ping, make_zxid(1, 1));
  CHECK(s.take() == Lines{"Confirmed 8"});
}

TEST_CASE("learners' requests, touches and revalidations go up, answers go down") {
  LeaderStage s;
  const LearnerId one = s.lead(1);
  std::string bytes;
  records::put_request(bytes, {jute::SessionId(5), 8, jute::OpCode::create, "body"}, {{"ip", "127.0.0.1"}});
  records::put_ping(bytes, make_zxid(1, 0), {{jute::SessionId(5), 4000}});
  records::put_revalidate(bytes, {jute::SessionId(6), 6000});
  records::QuorumPacketDecoder decoder(1000);
  decoder.feed(bytes);
  while (const auto packet = *decoder.next()) s.leader->on_packet(one, *packet, s.time.now);
  const auto effects = s.leader->take_effects();
  CHECK(lines_of(effects) == Lines{"LearnerRequest from 1: session=0x5 cxid=8 create",
                                   "LearnerTouches from 1: 1", "LearnerRevalidate from 1: session=0x6"});
  CHECK(std::get<LearnerRequest>(effects[0]).body == "body");
  CHECK(std::get<LearnerRequest>(effects[0]).ids == std::vector<jute::Id>{{"ip", "127.0.0.1"}});
  s.leader->revalidated(one, jute::SessionId(6), true, make_zxid(1, 7));  // a follower has had it proposed
  s.leader->answer_sync(one);
  CHECK(s.take() == Lines{"Send to 1: REVALIDATE 0xffffffffffffffff (9 bytes), SYNC 0x0"});
}

TEST_CASE("a single voter leads alone") {
  LeaderStage s;
  quorum::ServerSpec spec;
  spec.id = ServerId(3);
  spec.addresses.push_back({"127.0.0.1", 2003, 3003});
  s.config = quorum::QuorumConfig::of({spec});
  s.restart({});
  CHECK(s.take() == Lines{"PersistAcceptedEpoch 1"});
  s.leader->on_accepted_epoch_durable(1, s.time.now);
  CHECK(s.take() == Lines{"PersistCurrentEpoch 1"});
  s.leader->on_current_epoch_durable(1, s.time.now);
  CHECK(s.take() == Lines{"StartLeading 0x100000000"});
  s.leader->propose(batch_of(make_zxid(1, 1)), s.time.now);
  s.leader->on_durable(make_zxid(1, 1), s.time.now);
  s.leader->confirm(1, s.time.now);
  CHECK(s.take() == Lines{"Persist 0x100000001", "Commit 0x100000001", "Confirmed 1"});
}

TEST_CASE("connections that say nothing make room for one that may") {
  LeaderStage s;
  s.lead(1);
  for (std::size_t i = 1; i < kLearnersMax; ++i) s.leader->open_learner(s.time.now);
  s.take();
  const LearnerId two = s.follower(2, 1);
  const auto effects = s.leader->take_effects();
  REQUIRE(effects.size() == 2);
  CHECK(std::get<CloseLearner>(effects[0]).stranger);
  CHECK(s.learner(two).state == LearnerState::epoch_ack);
  CHECK(s.leader->describe(two) == "follower 2");
}

TEST_CASE("observers that nobody announced have their own bound, members do not") {
  LeaderStage s;
  s.lead(1);
  for (std::size_t i = 0; i < kUnknownLearnersMax; ++i) s.follower(static_cast<int>(100 + i), 1);
  s.take();
  const LearnerId one_more = s.follower(99, 1);
  CHECK(s.take().back().starts_with("CloseLearner"));
  CHECK(s.learner(one_more).learner != one_more);
  const LearnerId two = s.follower(2, 1);
  CHECK(s.learner(two).state == LearnerState::epoch_ack);
}

TEST_CASE("a silent stranger does not live longer by sending bytes") {
  LeaderStage s;
  s.lead(1);
  const LearnerId stranger = s.leader->open_learner(s.time.now);
  const std::size_t before = s.leader->status().learners.size();
  s.time.now += kTick * 9;
  s.leader->on_progress(stranger, s.time.now);
  s.leader->on_deadline(s.time.now);
  s.time.now += kTick * 2;
  s.leader->on_progress(stranger, s.time.now);
  s.leader->on_deadline(s.time.now);
  CHECK(s.leader->status().learners.size() < before);
}

}  // namespace tandem::coord::zab::test
