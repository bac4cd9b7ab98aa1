#include "coord/zab/leader.h"

#include <algorithm>

#include "zab_bench.h"

namespace tandem::coord::zab::test {
namespace {

// A follower that has applied two transactions of epoch 3 and serves observers, played by the test.
struct Serving {
  explicit Serving(Zxid last = make_zxid(3, 2), LeaderOptions options = {}) {
    options.self = ServerId(2);
    options.tick = kTick;
    options.observer_master = true;
    for (std::int64_t i = 1; i <= 2; ++i) log.add(txn_of(make_zxid(3, static_cast<std::uint32_t>(i))));
    core = std::make_unique<Leader>(options, LeaderStart{3, 3, last, {}}, config, log, time.now);
  }
  Lines take() { return lines_of(core->take_effects()); }
  void say(LearnerId who, PacketType type, Zxid zxid, jute::BufferView data = std::nullopt) {
    core->on_packet(who, records::QuorumPacket{type, zxid, data, std::nullopt, 0}, time.now);
  }
  // As far as LEADERINFO.
  LearnerId introduce(PacketType type, std::int64_t server = 7) {
    const LearnerId id = core->open_learner(time.now);
    say(id, type, make_zxid(2, 0), learner_info(server));
    return id;
  }
  LearnerId observer(Zxid last) {
    const LearnerId id = introduce(PacketType::observer_info);
    CHECK(take() == Lines{"Send to 1: LEADERINFO 0x300000000 65536"});
    say(id, PacketType::ack_epoch, last, records::encode_i32(2));
    return id;
  }
  void commit(Zxid zxid) {
    log.add(txn_of(zxid));
    core->inform(log.txns().back());
  }

  Time time;
  quorum::QuorumConfig config = voters(3);
  CommitLog log;
  std::unique_ptr<Leader> core;
};

}  // namespace

TEST_CASE("a follower brings an observer up to date and informs it of what is committed") {
  Serving s;
  const LearnerId id = s.introduce(PacketType::observer_info);
  CHECK(s.take() == Lines{"Send to 1: LEADERINFO 0x300000000 65536"});
  s.say(id, PacketType::ack_epoch, make_zxid(3, 1), records::encode_i32(3));
  const Lines sync = s.take();
  REQUIRE(sync.size() == 1);
  CHECK(sync[0].starts_with("Send to 1: DIFF 0x300000002, PROPOSAL 0x300000002"));
  CHECK(sync[0].find("COMMIT 0x300000002, NEWLEADER 0x300000000") != std::string::npos);
  s.commit(make_zxid(3, 3));  // meanwhile
  CHECK(s.take()[0].starts_with("Send to 1: INFORM 0x300000003"));
  s.say(id, PacketType::ack, make_zxid(3, 0));
  CHECK(s.take() == Lines{"Send to 1: UPTODATE 0xffffffffffffffff"});
  s.commit(make_zxid(3, 4));
  CHECK(s.take()[0].starts_with("Send to 1: INFORM 0x300000004"));
  CHECK(s.core->status().synced_observers == 1);
}

TEST_CASE("an observer that is ahead of the follower is cut back to what it has") {
  Serving s;
  s.observer(make_zxid(3, 5));
  const Lines lines = s.take();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("TRUNC 0x300000002, NEWLEADER") != std::string::npos);
}

TEST_CASE("an observer without a history gets the follower's tree") {
  Serving s;
  s.observer(Zxid(0));
  const Lines lines = s.take();
  CHECK(std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return line.starts_with("ReadLog for 1") || line.starts_with("SendSnapshot to 1");
  }));
}

TEST_CASE("observers beyond what may be brought up to date at once have to come again") {
  LeaderOptions options;
  options.diffs_max = 1;
  Serving s(make_zxid(3, 2), options);
  const LearnerId first = s.observer(make_zxid(3, 2));
  s.take();
  s.say(s.introduce(PacketType::observer_info, 8), PacketType::ack_epoch, make_zxid(3, 2),
        records::encode_i32(2));
  CHECK(s.take().back() ==
        "CloseLearner 2: as many observers are being brought up to date as may be at once");
  s.say(first, PacketType::ack, make_zxid(3, 0));
  s.say(s.introduce(PacketType::observer_info, 8), PacketType::ack_epoch, make_zxid(3, 2),
        records::encode_i32(2));
  CHECK(s.take().back().find("NEWLEADER") != std::string::npos);
}

TEST_CASE("who wants to follow is sent away from an observer master") {
  Serving s;
  s.introduce(PacketType::follower_info);
  CHECK(s.take() == Lines{"CloseLearner 1: only observers are served here, followers connect to the leader"});
}

TEST_CASE("an observer master asks for no quorum, and drops who is silent") {
  Serving s;
  s.observer(make_zxid(3, 2));
  s.take();
  for (int i = 0; i < 40; ++i) {
    s.time.now += kTick / 2;
    s.core->on_deadline(s.time.now);
  }
  CHECK(s.core->phase() == LeaderPhase::broadcast);
  CHECK(s.core->status().learners.empty());
}

TEST_CASE("what an observer asks for and touches is handed to the follower") {
  Serving s;
  const LearnerId id = s.observer(make_zxid(3, 2));
  s.say(id, PacketType::ack, make_zxid(3, 0));
  s.take();
  std::string packet;
  records::put_request(packet, {jute::SessionId(0x77), 5, jute::OpCode::sync, "body"}, {});
  records::put_ping(packet, make_zxid(3, 2), {{jute::SessionId(0x77), 4000}});
  records::put_revalidate(packet, {jute::SessionId(0x78), 4000});
  records::QuorumPacketDecoder decoder(1000);
  decoder.feed(packet);
  for (auto each = decoder.next(); each && *each; each = decoder.next())
    s.core->on_packet(id, **each, s.time.now);
  CHECK(s.take() == Lines{"LearnerRequest from 1: session=0x77 cxid=5 sync", "LearnerTouches from 1: 1",
                          "LearnerRevalidate from 1: session=0x78"});
  s.core->answer_sync(id);
  s.core->revalidated(id, jute::SessionId(0x78), true, make_zxid(3, 2));
  CHECK(s.take().size() == 1);
}

TEST_CASE("an observer hears that it has a session behind what the leader had proposed before") {
  Serving s;
  const LearnerId id = s.observer(make_zxid(3, 2));
  s.say(id, PacketType::ack, make_zxid(3, 0));
  s.take();
  s.core->revalidated(id, jute::SessionId(0x78), true, make_zxid(3, 4));
  s.commit(make_zxid(3, 3));
  s.core->revalidated(id, jute::SessionId(0x79), true, make_zxid(3, 3));
  const Lines before = s.take();
  REQUIRE(before.size() == 1);
  CHECK(before[0].find("REVALIDATE") == std::string::npos);
  s.commit(make_zxid(3, 4));
  const Lines lines = s.take();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].starts_with("Send to 1: INFORM 0x300000004"));
  CHECK(
      lines[0].ends_with("REVALIDATE 0xffffffffffffffff (9 bytes), REVALIDATE 0xffffffffffffffff (9 bytes)"));
}

}  // namespace tandem::coord::zab::test
