#include "coord/zab/heartbeat.h"

#include "zab_bench.h"

namespace tandem::coord::zab::test {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSilence{600};
constexpr milliseconds kBeat = kSilence / kBeatsInSilence;

std::string info_with(std::int64_t server, std::int32_t silence_ms) {
  std::string info = learner_info(server);
  records::put_extension(info, {.silence_ms = silence_ms, .challenge = 0});
  return info;
}

// A leader with id 3 of three voters; the test plays the others.
struct Leading {
  explicit Leading(milliseconds silence = kSilence) {
    LeaderOptions options;
    options.self = ServerId(3);
    options.tick = kTick;
    options.silence_max = silence;
    leader = std::make_unique<Leader>(options, LeaderStart{}, config, log, time.now);
  }
  void say(LearnerId who, PacketType type, Zxid zxid, jute::BufferView data = std::nullopt) {
    leader->on_packet(who, records::QuorumPacket{type, zxid, data, std::nullopt, 0}, time.now);
  }
  Lines take() { return lines_of(leader->take_effects()); }
  // Broadcast, with server 1 in sync.
  LearnerId lead(const std::string& info) {
    const LearnerId id = leader->open_learner(time.now);
    say(id, PacketType::follower_info, Zxid(0), info);
    leader->on_accepted_epoch_durable(1, time.now);
    info_line = take().back();
    say(id, PacketType::ack_epoch, Zxid(0), records::encode_i32(0));
    leader->on_current_epoch_durable(1, time.now);
    say(id, PacketType::ack, make_zxid(1, 0));
    say(id, PacketType::ack, make_zxid(1, 0));
    take();
    REQUIRE(leader->phase() == LeaderPhase::broadcast);
    return id;
  }
  // Lets time pass as a loop that is not stopped does: every deadline is kept.
  void pass(base::Duration by) {
    const base::Instant end = time.now + by;
    while (leader->next_deadline() && *leader->next_deadline() <= end) {
      time.now = std::max(time.now, *leader->next_deadline());
      leader->on_deadline(time.now);
    }
    time.now = end;
  }

  Time time;
  quorum::QuorumConfig config = voters(3);
  CommitLog log;
  std::string info_line;
  std::unique_ptr<Leader> leader;
};

struct Following {
  explicit Following(milliseconds silence = kSilence) {
    LearnerOptions options;
    options.self = ServerId(1);
    options.tick = kTick;
    options.silence_max = silence;
    learner = std::make_unique<Learner>(options, LearnerStart{}, log, time.now);
  }
  void hear(PacketType type, Zxid zxid, jute::BufferView data = std::nullopt) {
    learner->on_packet(records::QuorumPacket{type, zxid, data, std::nullopt, 0}, time.now);
  }
  Lines take() { return lines_of(learner->take_effects()); }
  void follow(std::int32_t silence_ms) {
    learner->on_connected(time.now);
    std::string info = records::encode_i32(records::kProtocolVersion);
    if (silence_ms != 0) records::put_extension(info, {.silence_ms = silence_ms, .challenge = 0});
    hear(PacketType::leader_info, make_zxid(1, 0), info);
    learner->on_accepted_epoch_durable(1, time.now);
    hear(PacketType::diff, Zxid(0));
    hear(PacketType::new_leader, make_zxid(1, 0), "config");
    take();
    learner->on_current_epoch_durable(1, time.now);
    take();
    hear(PacketType::up_to_date, Zxid(-1));
    take();
    REQUIRE(learner->phase() == LearnerPhase::broadcast);
  }
  void pass(base::Duration by) {
    const base::Instant end = time.now + by;
    while (learner->next_deadline() && *learner->next_deadline() <= end) {
      time.now = std::max(time.now, *learner->next_deadline());
      learner->on_deadline(time.now);
    }
    time.now = end;
  }

  Time time;
  CommitLog log;
  std::unique_ptr<Learner> learner;
};

const std::string kGivenUp = "Abandon: nothing was heard from the leader for too long in phase broadcast";

}  // namespace

TEST_CASE("a learner that knows no heartbeats is not told of them") {
  Leading apache;
  apache.lead(learner_info(1));
  CHECK(apache.info_line == "Send to 1: LEADERINFO 0x100000000 65536");
  apache.pass(kTick * 2);
  CHECK(apache.leader->phase() == LeaderPhase::broadcast);  // syncLimit holds
  const Lines said = apache.take();
  CHECK(std::none_of(said.begin(), said.end(), [](const std::string& line) {
    return line.find("0xffffffffffffffff") != std::string::npos;
  }));
}

TEST_CASE("the longer of the two silences is agreed on") {
  Leading s;
  const LearnerId id = s.leader->open_learner(s.time.now);
  s.say(id, PacketType::follower_info, Zxid(0), info_with(1, 900));
  s.leader->on_accepted_epoch_durable(1, s.time.now);
  const auto effects = s.leader->take_effects();
  records::QuorumPacketDecoder decoder(1000);
  decoder.feed(std::get<SendToLearner>(effects.back()).bytes);
  const auto packet = decoder.next();
  REQUIRE(packet.has_value());
  CHECK(records::decode_extension((*packet)->data, records::kEpochBytes).silence_ms == 900);
}

TEST_CASE("a leader that hears no quorum steps down within the silence") {
  Leading s;
  s.lead(info_with(1, 600));
  s.pass(kSilence - milliseconds(1));
  CHECK(s.leader->phase() == LeaderPhase::broadcast);
  s.pass(kBeat);
  CHECK(s.take().back() == "StepDown: no quorum of followers is heard");
}

TEST_CASE("a leader that loses its last follower's connection steps down at the next beat") {
  Leading s;
  const LearnerId id = s.lead(info_with(1, 600));
  s.leader->on_closed(id, s.time.now);
  s.pass(kBeat);
  CHECK(s.leader->phase() == LeaderPhase::over);
}

TEST_CASE("a leader says something at every beat and heartbeats keep it leading") {
  Leading s;
  const LearnerId id = s.lead(info_with(1, 600));
  s.pass(kBeat);
  s.take();
  for (int i = 0; i < 50; ++i) {
    s.pass(kBeat);
    CHECK(s.take().size() == 1);
    s.say(id, PacketType::ping, kHeartbeat);
  }
  CHECK(s.leader->phase() == LeaderPhase::broadcast);
}

TEST_CASE("an observer that was promised heartbeats gets them where no voter exchanges any") {
  Leading s;
  s.lead(learner_info(1));  // an Apache server
  const LearnerId observer = s.leader->open_learner(s.time.now);
  s.say(observer, PacketType::observer_info, Zxid(0), info_with(9, 600));
  s.say(observer, PacketType::ack_epoch, Zxid(0), records::encode_i32(0));
  s.say(observer, PacketType::ack, make_zxid(1, 0));
  s.take();
  s.pass(kBeat);
  s.pass(kBeat);
  const Lines said = s.take();
  CHECK(std::any_of(said.begin(), said.end(), [](const std::string& line) {
    return line.starts_with("Send to 2: PING 0xffffffffffffffff");
  }));
  // The voters' silence is still judged by syncLimit.
  s.pass(kSilence * 2);
  CHECK(s.leader->phase() == LeaderPhase::broadcast);
}

TEST_CASE("a heartbeat of a learner confirms no round") {
  Leading s;
  const LearnerId id = s.lead(info_with(1, 600));
  s.leader->confirm(7, s.time.now);
  s.take();
  s.say(id, PacketType::ping, kHeartbeat);
  CHECK(s.take().empty());
  s.say(id, PacketType::ping, make_zxid(1, 0));
  CHECK(s.take() == Lines{"Confirmed 7"});
}

TEST_CASE("a leader that was stopped itself gives its followers a whole silence more") {
  Leading s;
  const LearnerId id = s.lead(info_with(1, 600));
  s.time.now += kSilence * 3;
  s.leader->on_deadline(s.time.now);
  CHECK(s.leader->phase() == LeaderPhase::broadcast);
  s.say(id, PacketType::ping, kHeartbeat);
  s.pass(kSilence / 2);
  CHECK(s.leader->phase() == LeaderPhase::broadcast);
}

TEST_CASE("a follower gives up a silent leader, and says that it was silent") {
  Following s;
  s.follow(600);
  s.pass(kSilence - milliseconds(1));
  CHECK(s.learner->phase() == LearnerPhase::broadcast);
  s.pass(milliseconds(2));
  const auto effects = s.learner->take_effects();
  CHECK(printed(effects.back()) == kGivenUp);
  CHECK(std::get<Abandon>(effects.back()).silent);
}

TEST_CASE("a leader without heartbeats has syncLimit ticks") {
  Following s;
  s.follow(0);
  s.pass(kTick * 5 - milliseconds(1));
  CHECK(s.take().empty());  // and none are sent to it
  s.pass(milliseconds(2));
  CHECK(s.take() == Lines{kGivenUp});
}

TEST_CASE("a follower whose own loop stood still does not blame the leader") {
  Following s;
  s.follow(600);
  s.pass(kBeat * 2);
  s.time.now += kSilence * 4;
  s.learner->on_deadline(s.time.now);
  CHECK(s.learner->phase() == LearnerPhase::broadcast);
  s.pass(kSilence + milliseconds(1));
  CHECK(s.learner->phase() == LearnerPhase::over);
}

TEST_CASE("part of a packet is no silence, a heartbeat is not answered") {
  Following s;
  s.follow(600);
  for (int i = 0; i < 10; ++i) {
    s.pass(kSilence / 2);
    s.learner->on_progress(s.time.now);
  }
  CHECK(s.learner->phase() == LearnerPhase::broadcast);
  s.take();
  s.hear(PacketType::ping, kHeartbeat);
  CHECK(s.take().empty());
}

TEST_CASE("a follower is heard at every beat") {
  Following s;
  s.follow(600);
  s.pass(kBeat);
  CHECK(s.take() == Lines{"Send: PING 0xffffffffffffffff"});
}

}  // namespace tandem::coord::zab::test
