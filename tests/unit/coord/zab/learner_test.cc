#include "coord/zab/learner.h"

#include "zab_bench.h"

namespace tandem::coord::zab::test {
namespace {

// A learner with id 1 whose leader is played by the test.
struct LearnerStage {
  explicit LearnerStage(LearnerStart start = {}, bool observer = false) {
    LearnerOptions options;
    options.self = ServerId(1);
    options.observer = observer;
    options.tick = kTick;
    learner = std::make_unique<Learner>(options, start, log, time.now);
  }
  Lines take() { return lines_of(learner->take_effects()); }
  void hear(PacketType type, Zxid zxid, jute::BufferView data = std::nullopt) {
    learner->on_packet(records::QuorumPacket{type, zxid, data, std::nullopt, 0}, time.now);
  }
  void propose(Zxid zxid) { hear(PacketType::proposal, zxid, payload_of(zxid)); }
  void commit(Zxid zxid) { hear(PacketType::commit, zxid); }
  void durable(Zxid zxid) { learner->on_durable(zxid, time.now); }

  // As far as ACKEPOCH, the accepted epoch being durable.
  void discover(std::int64_t epoch) {
    learner->on_connected(time.now);
    hear(PacketType::leader_info, make_zxid(epoch, 0), records::encode_i32(records::kProtocolVersion));
    learner->on_accepted_epoch_durable(epoch, time.now);
    take();
  }
  // In broadcast, with nothing to take over.
  void follow(std::int64_t epoch) {
    discover(epoch);
    hear(PacketType::diff, Zxid(0));
    hear(PacketType::new_leader, make_zxid(epoch, 0), "config");
    take();
    learner->on_current_epoch_durable(epoch, time.now);
    take();
    hear(PacketType::up_to_date, Zxid(-1));
    take();
    REQUIRE(learner->phase() == LearnerPhase::broadcast);
  }

  Time time;
  CommitLog log;
  std::unique_ptr<Learner> learner;
};

}  // namespace

TEST_CASE("a follower introduces itself and promises an epoch only when the promise is durable") {
  LearnerStage s({.accepted_epoch = 3, .current_epoch = 2, .last_zxid = make_zxid(2, 9)});
  s.learner->on_connected(s.time.now);
  CHECK(s.take() == Lines{"Send: FOLLOWERINFO 0x300000000 (36 bytes)"});
  s.hear(PacketType::leader_info, make_zxid(4, 0), records::encode_i32(records::kProtocolVersion));
  CHECK(s.take() == Lines{"PersistAcceptedEpoch 4"});
  CHECK(!s.learner->reading());
  s.learner->on_accepted_epoch_durable(4, s.time.now);
  CHECK(s.take() == Lines{"Send: ACKEPOCH 0x200000009 2"});
  CHECK(s.learner->reading());
}

TEST_CASE("a leader gets its challenge back with ACKEPOCH, one that gave none gets Apache's packet") {
  const auto acknowledged = [](const records::Extension& asked) {
    LearnerStage s;
    s.learner->on_connected(s.time.now);
    std::string info = records::encode_i32(records::kProtocolVersion);
    if (asked.challenge != 0) records::put_extension(info, asked);
    s.hear(PacketType::leader_info, make_zxid(1, 0), info);
    s.learner->on_accepted_epoch_durable(1, s.time.now);
    records::QuorumPacketDecoder decoder(1000);
    decoder.feed(std::get<SendToLeader>(s.learner->take_effects().back()).bytes);
    decoder.next();  // FOLLOWERINFO
    return std::string(*(*decoder.next())->data);
  };
  CHECK(acknowledged({}) == records::encode_i32(0));
  const std::string answer = acknowledged({600, 77});
  CHECK(records::decode_extension(answer, records::kEpochBytes) == records::Extension{0, 77});
}

TEST_CASE("an epoch that was promised before is acknowledged with -1, a lower one refused") {
  LearnerStage same({.accepted_epoch = 4, .current_epoch = 2, .last_zxid = make_zxid(2, 9)});
  same.learner->on_connected(same.time.now);
  same.take();
  same.hear(PacketType::leader_info, make_zxid(4, 0), records::encode_i32(records::kProtocolVersion));
  CHECK(same.take() == Lines{"Send: ACKEPOCH 0x200000009 -1"});

  LearnerStage lower({.accepted_epoch = 4, .current_epoch = 4, .last_zxid = make_zxid(4, 9)});
  lower.learner->on_connected(lower.time.now);
  lower.take();
  lower.hear(PacketType::leader_info, make_zxid(3, 0), records::encode_i32(records::kProtocolVersion));
  CHECK(lower.take() == Lines{"Abandon: the leader's epoch 3 is lower than 4, which was accepted"});
}

TEST_CASE("history durable, then the epoch durable, then NEWLEADER acknowledged, then proposals one by one") {
  LearnerStage s({.accepted_epoch = 1, .current_epoch = 1, .last_zxid = make_zxid(1, 2)});
  s.discover(2);
  s.hear(PacketType::diff, make_zxid(1, 4));
  s.propose(make_zxid(1, 3));
  s.commit(make_zxid(1, 3));
  s.propose(make_zxid(1, 4));
  s.commit(make_zxid(1, 4));
  s.propose(make_zxid(2, 1));  // on its way, not committed
  s.hear(PacketType::new_leader, make_zxid(2, 0), "config");
  CHECK(s.take() == Lines{"Persist 0x100000003..0x200000001"});
  s.durable(make_zxid(1, 4));
  CHECK(s.take() == Lines{"Apply 0x100000003..0x100000004"});  // all of the history has to be durable
  s.durable(make_zxid(2, 1));
  CHECK(s.take() == Lines{"PersistCurrentEpoch 2"});
  s.learner->on_current_epoch_durable(2, s.time.now);
  CHECK(s.take() == Lines{"Send: ACK 0x200000000, ACK 0x200000001"});
  s.hear(PacketType::up_to_date, Zxid(-1));
  CHECK(s.take() == Lines{"StartFollowing 0x200000000", "Send: ACK 0x200000000"});
  s.commit(make_zxid(2, 1));
  CHECK(s.take() == Lines{"Apply 0x200000001"});
  CHECK(s.log.size() == 3);
}

TEST_CASE("a commit that comes right after NEWLEADER finds its proposal") {
  LearnerStage s;
  s.discover(1);
  s.hear(PacketType::diff, Zxid(0));
  s.propose(make_zxid(1, 1));
  s.hear(PacketType::new_leader, make_zxid(1, 0), "config");
  s.commit(make_zxid(1, 1));
  s.durable(make_zxid(1, 1));
  CHECK(s.take() == Lines{"Persist 0x100000001", "Apply 0x100000001", "PersistCurrentEpoch 1"});
  s.learner->on_current_epoch_durable(1, s.time.now);
  CHECK(s.take() == Lines{"Send: ACK 0x100000000, ACK 0x100000001"});
}

TEST_CASE("UPTODATE before NEWLEADER is acknowledged ends following") {
  LearnerStage s;
  s.discover(1);
  s.hear(PacketType::diff, Zxid(0));
  s.hear(PacketType::new_leader, make_zxid(1, 0), "config");
  s.hear(PacketType::up_to_date, Zxid(-1));
  CHECK(s.take().back() == "Abandon: UPTODATE before NEWLEADER was acknowledged");
}

TEST_CASE(
    "no acknowledgement before the disk has it, and nothing is applied that is not committed and durable") {
  LearnerStage s;
  s.follow(1);
  s.propose(make_zxid(1, 1));
  s.propose(make_zxid(1, 2));
  CHECK(s.take() == Lines{"Persist 0x100000001..0x100000002"});
  s.commit(make_zxid(1, 1));
  CHECK(s.take().empty());
  s.durable(make_zxid(1, 2));
  CHECK(s.take() == Lines{"Apply 0x100000001", "Send: ACK 0x100000001, ACK 0x100000002"});
  CHECK(s.learner->unapplied().size() == 1);
  s.commit(make_zxid(1, 2));
  CHECK(s.take() == Lines{"Apply 0x100000002"});
}

TEST_CASE("a hole in the proposals ends following, within an epoch and at the start of one") {
  LearnerStage within;
  within.follow(1);
  within.propose(make_zxid(1, 1));
  within.propose(make_zxid(1, 3));
  CHECK(within.take().back() ==
        "Abandon: PROPOSAL 0x100000003 follows 0x100000001, those between are missing");

  LearnerStage start({.accepted_epoch = 1, .current_epoch = 1, .last_zxid = make_zxid(1, 2)});
  start.discover(3);
  start.hear(PacketType::diff, make_zxid(2, 2));
  start.propose(make_zxid(2, 2));
  CHECK(start.take().back().starts_with("Abandon: PROPOSAL 0x200000002"));
}

TEST_CASE("a commit out of order ends following") {
  LearnerStage s;
  s.follow(1);
  s.propose(make_zxid(1, 1));
  s.propose(make_zxid(1, 2));
  s.commit(make_zxid(1, 2));
  CHECK(s.take().back() == "Abandon: COMMIT 0x100000002 is not the next one (0x100000001)");
  LearnerStage none;
  none.follow(1);
  none.commit(make_zxid(1, 1));
  CHECK(none.take().back() == "Abandon: COMMIT 0x100000001 is not the next one (nothing is proposed)");
}

TEST_CASE("a proposal whose header names another transaction, or that has none, ends following") {
  for (const std::string& payload : {payload_of(make_zxid(1, 2)), std::string("short"), std::string()}) {
    LearnerStage s;
    s.follow(1);
    s.hear(PacketType::proposal, make_zxid(1, 1), payload);
    CHECK(s.take().back() == "Abandon: PROPOSAL 0x100000001 holds another transaction");
  }
}

TEST_CASE("TRUNC cuts before what comes behind it, and forgets what may have been cut") {
  LearnerStage s({.accepted_epoch = 1, .current_epoch = 1, .last_zxid = make_zxid(1, 9)});
  s.log.add(txn_of(make_zxid(1, 9)));
  s.discover(2);
  s.hear(PacketType::trunc, make_zxid(1, 5));
  CHECK(s.take().empty());
  s.propose(make_zxid(1, 6));
  CHECK(s.take() == Lines{"Truncate 0x100000005"});
  CHECK(!s.learner->reading());
  CHECK(!s.learner->next_deadline());
  s.learner->on_truncated(make_zxid(1, 5), s.time.now);
  CHECK(s.log.empty());
  s.commit(make_zxid(1, 6));
  CHECK(s.take() == Lines{"Persist 0x100000006"});
}

TEST_CASE("TRUNC and nothing else: NEWLEADER is answered behind the cut") {
  LearnerStage s({.accepted_epoch = 1, .current_epoch = 1, .last_zxid = make_zxid(1, 9)});
  s.discover(2);
  s.hear(PacketType::trunc, make_zxid(1, 5));
  s.hear(PacketType::ping, make_zxid(2, 0));
  CHECK(s.take().empty());
  s.hear(PacketType::new_leader, make_zxid(2, 0), "config");
  CHECK(s.take() == Lines{"Truncate 0x100000005"});
  s.learner->on_truncated(make_zxid(1, 5), s.time.now);
  CHECK(s.take() == Lines{"PersistCurrentEpoch 2"});
}

TEST_CASE("nothing is cut for a leader whose own log has a hole behind it") {
  LearnerStage s({.accepted_epoch = 1, .current_epoch = 1, .last_zxid = make_zxid(1, 9)});
  s.discover(2);
  s.hear(PacketType::trunc, make_zxid(1, 5));
  s.propose(make_zxid(1, 12));
  const Lines said = s.take();
  REQUIRE(said.size() == 1);
  CHECK(said[0].starts_with("Abandon: asked to cut the log at 0x100000005, but PROPOSAL"));
}

TEST_CASE("a log that could not be cut exactly where the leader asks does not go on with what follows") {
  LearnerStage s({.accepted_epoch = 1, .current_epoch = 1, .last_zxid = make_zxid(1, 9)});
  s.discover(2);
  s.hear(PacketType::trunc, make_zxid(1, 5));
  s.propose(make_zxid(1, 6));
  CHECK(s.take() == Lines{"Truncate 0x100000005"});
  s.learner->on_truncated(make_zxid(1, 4), s.time.now);
  CHECK(s.take().back() == "Abandon: asked to cut the log at 0x100000005, it now ends at 0x100000004");
}

TEST_CASE("a snapshot is installed first; proposals that it holds already are passed over") {
  LearnerStage s({.accepted_epoch = 1, .current_epoch = 1, .last_zxid = make_zxid(1, 2)});
  s.discover(2);
  s.hear(PacketType::snap, make_zxid(1, 90));
  CHECK(s.take() == Lines{"InstallSnapshot 0x10000005a"});
  s.learner->on_snapshot_installed(make_zxid(1, 90), s.time.now);
  for (const std::uint32_t counter : {89, 90, 91}) {
    s.propose(make_zxid(1, counter));
    s.commit(make_zxid(1, counter));
  }
  s.hear(PacketType::new_leader, make_zxid(2, 0), "config");
  CHECK(s.take() == Lines{"Persist 0x10000005b"});
}

TEST_CASE("a follower of the epoch it stands for already does not write it again") {
  LearnerStage s({.accepted_epoch = 2, .current_epoch = 2, .last_zxid = make_zxid(2, 2)});
  s.learner->on_connected(s.time.now);
  s.hear(PacketType::leader_info, make_zxid(2, 0), records::encode_i32(records::kProtocolVersion));
  s.hear(PacketType::diff, make_zxid(2, 2));
  s.hear(PacketType::new_leader, make_zxid(2, 0), "config");
  CHECK(s.take() ==
        Lines{"Send: FOLLOWERINFO 0x200000000 (36 bytes), ACKEPOCH 0x200000002 -1, ACK 0x200000000"});
}

TEST_CASE("an observer logs and applies what it is informed of, and acknowledges no proposal") {
  LearnerStage s({}, true);
  s.learner->on_connected(s.time.now);
  CHECK(s.take() == Lines{"Send: OBSERVERINFO 0x0 (36 bytes)"});
  s.hear(PacketType::leader_info, make_zxid(1, 0), records::encode_i32(records::kProtocolVersion));
  s.learner->on_accepted_epoch_durable(1, s.time.now);
  s.hear(PacketType::diff, make_zxid(1, 1));
  s.propose(make_zxid(1, 1));
  s.commit(make_zxid(1, 1));
  s.hear(PacketType::new_leader, make_zxid(1, 0), "config");
  s.take();
  s.durable(make_zxid(1, 1));
  s.take();
  s.learner->on_current_epoch_durable(1, s.time.now);
  s.hear(PacketType::inform, make_zxid(1, 2), payload_of(make_zxid(1, 2)));  // before UPTODATE
  CHECK(s.take() == Lines{"Persist 0x100000002", "Send: ACK 0x100000000"});
  s.hear(PacketType::up_to_date, Zxid(-1));
  s.take();
  const std::string with_leader = std::string(8, '\1') + payload_of(make_zxid(1, 3));
  s.hear(PacketType::inform_and_activate, make_zxid(1, 3), with_leader);
  CHECK(s.take() == Lines{"Persist 0x100000003"});
  s.durable(make_zxid(1, 3));
  CHECK(s.take() == Lines{"Apply 0x100000002..0x100000003"});
}

TEST_CASE("pings are not answered before UPTODATE, and with the touched sessions from then on") {
  LearnerStage s;
  s.discover(1);
  s.hear(PacketType::diff, Zxid(0));
  s.hear(PacketType::ping, make_zxid(1, 0));
  CHECK(s.take().empty());
  LearnerStage t;
  t.follow(1);
  t.hear(PacketType::ping, make_zxid(1, 0));
  CHECK(t.take() == Lines{"PingAsked 0x100000000"});
  t.learner->answer_ping(make_zxid(1, 0), {{jute::SessionId(5), 4000}});
  CHECK(t.take() == Lines{"Send: PING 0x100000000 (12 bytes)"});
}

TEST_CASE("a sync is done when everything committed before its answer is applied") {
  LearnerStage s;
  s.follow(1);
  s.learner->forward({jute::SessionId(5), 1, jute::OpCode::sync, "/"}, {});
  CHECK(s.take() == Lines{"Send: REQUEST 0xffffffffffffffff session=0x5 cxid=1 sync"});
  s.propose(make_zxid(1, 1));
  s.commit(make_zxid(1, 1));
  s.hear(PacketType::sync, Zxid(0));
  CHECK(s.take() == Lines{"Persist 0x100000001"});
  s.durable(make_zxid(1, 1));
  CHECK(s.take() == Lines{"Apply 0x100000001", "Synced", "Send: ACK 0x100000001"});
}

TEST_CASE("what was committed behind a sync's answer is applied behind it, however late the disk is") {
  LearnerStage s;
  s.follow(1);
  s.propose(make_zxid(1, 1));
  s.commit(make_zxid(1, 1));
  s.hear(PacketType::sync, Zxid(0));
  s.hear(PacketType::sync, Zxid(0));
  s.propose(make_zxid(1, 2));
  s.commit(make_zxid(1, 2));
  s.hear(PacketType::sync, Zxid(0));
  s.take();
  s.durable(make_zxid(1, 2));
  CHECK(s.take() == Lines{"Apply 0x100000001", "Synced", "Synced", "Apply 0x100000002", "Synced",
                          "Send: ACK 0x100000001, ACK 0x100000002"});
}

TEST_CASE("sessions are revalidated by the leader") {
  LearnerStage s;
  s.follow(1);
  s.learner->revalidate({jute::SessionId(5), 4000});
  CHECK(s.take() == Lines{"Send: REVALIDATE 0xffffffffffffffff (12 bytes)"});
  s.hear(PacketType::revalidate, Zxid(-1), std::string("\0\0\0\0\0\0\0\5\1", 9));
  CHECK(s.take() == Lines{"Revalidated session=0x5 true"});
}

TEST_CASE(
    "a silent leader is abandoned after initLimit ticks before NEWLEADER, after syncLimit ticks later") {
  LearnerStage early;
  early.discover(1);
  CHECK(*early.learner->next_deadline() == early.time.now + kTick * 10);
  LearnerStage late;
  late.follow(1);
  CHECK(*late.learner->next_deadline() == late.time.now + kTick * 5);
  late.time.now += kTick * 5;
  late.learner->on_deadline(late.time.now);
  CHECK(late.take().back() == "Abandon: nothing was heard from the leader for too long in phase broadcast");
  CHECK(late.learner->phase() == LearnerPhase::over);
}

TEST_CASE("a disk that cannot keep up stops the reading, not the following") {
  LearnerStage s;
  s.follow(1);
  Zxid zxid = make_zxid(1, 1);
  const std::string large(1 << 20, 'x');
  while (s.learner->reading()) {
    s.hear(PacketType::proposal, zxid, payload_of(zxid) + large);
    zxid = zxid.next();
  }
  s.take();
  CHECK(s.learner->status().last_queued.value - make_zxid(1, 0).value == 64);
  CHECK(!s.learner->next_deadline());
  s.durable(make_zxid(1, 1));
  CHECK(!s.learner->reading());  // the batch is durable as a whole
  s.durable(s.learner->status().last_queued);
  CHECK(s.learner->reading());
}

TEST_CASE("a connection that ends before the leader said anything is opened again for a moment") {
  LearnerStage s;
  s.learner->on_connected(s.time.now);
  s.take();
  s.learner->on_disconnected("reset", s.time.now);
  CHECK(s.take().empty());
  REQUIRE(s.learner->next_deadline().has_value());
  s.time.now = *s.learner->next_deadline();
  s.learner->on_deadline(s.time.now);
  CHECK(s.take() == Lines{"Reconnect"});
  s.learner->on_connected(s.time.now);
  CHECK(s.take() == Lines{"Send: FOLLOWERINFO 0x0 (36 bytes)"});
  s.time.now += std::chrono::seconds(1);
  s.learner->on_disconnected("reset", s.time.now);
  CHECK(s.take() == Lines{"Abandon: reset"});
}

TEST_CASE("a connection that ends behind LEADERINFO is not opened again") {
  LearnerStage s;
  s.discover(1);
  s.learner->on_disconnected("reset", s.time.now);
  CHECK(s.take() == Lines{"Abandon: reset"});
}

}  // namespace tandem::coord::zab::test
