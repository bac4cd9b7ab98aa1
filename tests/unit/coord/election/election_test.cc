#include "coord/election/election.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "votes.h"

namespace tandem::coord::election {

using quorum::ServerSet;

namespace {

Instant at_ms(std::int64_t ms) { return Instant(milliseconds(ms)); }

QuorumConfig servers(int voters, int observers = 0, const std::string& more = {}) {
  std::string text;
  for (int id = 1; id <= voters + observers; ++id)
    text += fmt::format("server.{}=h{}:1:2{}\n", id, id, id > voters ? ":observer" : "");
  return *QuorumConfig::parse(text + more);
}

Options options(std::int64_t self) {
  Options options;
  options.self = ServerId(self);
  return options;
}

// One server and what the others tell it.
struct One {
  Election core;
  std::int64_t now = 0;

  One(std::int64_t self, QuorumConfig config) : core(options(self), std::move(config)) {}

  void look(std::int64_t zxid, std::int64_t epoch, Ballot ballot = Ballot::any) {
    core.look(Zxid(zxid), epoch, at_ms(now), ballot);
  }
  void hear(std::int64_t from, const Vote& given) {
    core.on_notification(ServerId(from), Notification{given, {}}, at_ms(now));
  }
  void link(std::int64_t peer, Link link) { core.on_link(ServerId(peer), link, at_ms(now)); }
  void wait(std::int64_t ms) {
    now += ms;
    core.on_deadline(at_ms(now));
  }
  std::vector<std::string> effects() {
    std::vector<std::string> texts;
    for (const Effect& effect : core.drain()) texts.push_back(to_string(effect));
    return texts;
  }
  void quiet() { core.drain(); }
};

using Texts = std::vector<std::string>;

// Several servers and perfect links between those that are up.
struct Cluster {
  QuorumConfig config;
  std::map<ServerId, Election> up;
  std::map<ServerId, Decide> decided;
  std::int64_t now = 0;

  explicit Cluster(QuorumConfig members) : config(std::move(members)) {}

  void start(std::int64_t number, std::int64_t zxid = 0, std::int64_t epoch = 0,
             Ballot ballot = Ballot::any) {
    const ServerId id(number);
    Election& core = up.try_emplace(id, options(number), config).first->second;
    for (const auto& [other, spec] : config.members())
      if (other != id) core.on_link(other, up.contains(other) ? Link::up : Link::down, at_ms(now));
    core.look(Zxid(zxid), epoch, at_ms(now), ballot);
    for (auto& [other, peer] : up)
      if (other != id) peer.on_link(id, Link::up, at_ms(now));
    settle();
  }
  void kill(std::int64_t number) {
    up.erase(ServerId(number));
    decided.erase(ServerId(number));
    for (auto& [other, peer] : up) peer.on_link(ServerId(number), Link::down, at_ms(now));
    settle();
  }
  void look_again(std::int64_t number, std::int64_t zxid, std::int64_t epoch) {
    decided.erase(ServerId(number));
    up.at(ServerId(number)).look(Zxid(zxid), epoch, at_ms(now));
    settle();
  }
  void settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (auto& [id, core] : up)
        for (const Effect& effect : core.drain()) {
          busy = true;
          perform(id, effect);
        }
    }
  }
  void perform(ServerId from, const Effect& effect) {
    if (const auto* decide = std::get_if<Decide>(&effect)) decided[from] = *decide;
    const auto* send = std::get_if<Send>(&effect);
    if (send == nullptr) return;
    const auto peer = up.find(send->to);
    const auto wire = decode_notification(encode(send->notification));
    REQUIRE(wire.has_value());
    if (peer != up.end()) peer->second.on_notification(from, *wire, at_ms(now));
  }
  void wait(std::int64_t ms) {
    now += ms;
    for (auto& [id, core] : up) core.on_deadline(at_ms(now));
    settle();
  }
  std::string roles() const {  // "1F 2L 3-"
    std::string text;
    for (const auto& [id, core] : up) {
      const auto it = decided.find(id);
      text +=
          fmt::format("{}{}{}", text.empty() ? "" : " ", id,
                      it == decided.end() ? "-" : std::string_view(to_string(it->second.state)).substr(0, 1));
    }
    return text;
  }
};

}  // namespace

TEST_CASE("of three servers started in order the second leads, and the third joins it") {
  Cluster cluster(servers(3));
  cluster.start(1);
  CHECK(cluster.roles() == "1-");
  cluster.start(2);
  CHECK(cluster.roles() == "1F 2L");
  cluster.start(3);
  CHECK(cluster.roles() == "1F 2L 3F");
}

TEST_CASE("of five servers started in order the third leads") {
  Cluster cluster(servers(5));
  for (const int id : {1, 2}) cluster.start(id);
  CHECK(cluster.roles() == "1- 2-");
  cluster.start(3);
  CHECK(cluster.roles() == "1F 2F 3L");
  for (const int id : {4, 5}) cluster.start(id);
  CHECK(cluster.roles() == "1F 2F 3L 4F 5F");
}

TEST_CASE("after the leader's death the larger zxid leads, then the larger number") {
  Cluster cluster(servers(5));
  for (const int id : {1, 2, 3, 4, 5}) cluster.start(id);
  cluster.kill(3);
  cluster.look_again(1, 0x100000008, 1);
  cluster.look_again(2, 0x100000009, 1);
  cluster.look_again(4, 0x100000008, 1);
  cluster.look_again(5, 0x100000008, 1);
  CHECK(cluster.roles() == "1F 2L 4F 5F");
}

TEST_CASE("the larger epoch leads whatever the zxid is") {
  Cluster cluster(servers(3));
  cluster.start(1, 0x200000001, 2);
  cluster.start(3, 0x1000000ff, 1);
  CHECK(cluster.roles() == "1L 3F");
}

TEST_CASE("an observer learns who leads and is asked by nobody") {
  Cluster cluster(servers(3, 2));
  cluster.start(4);
  for (const int id : {1, 2, 3}) cluster.start(id);
  cluster.wait(200);  // the observer asks again
  CHECK(cluster.roles() == "1F 2L 3F 4O");
  cluster.start(5);
  CHECK(cluster.roles() == "1F 2L 3F 4O 5O");
}

TEST_CASE("observers elect nobody, however many they are") {
  Cluster cluster(servers(3, 3));
  for (const int id : {1, 4, 5, 6}) cluster.start(id);
  for (int i = 0; i < 20; ++i) cluster.wait(1000);
  CHECK(cluster.roles() == "1- 4- 5- 6-");
}

TEST_CASE("a server of weight 0 follows even with the largest zxid") {
  Cluster cluster(servers(3, 0, "group.1=1:2:3\nweight.3=0\n"));
  cluster.start(3, 0x100000009, 1);
  cluster.start(1, 0x100000001, 1);
  cluster.start(2, 0x100000001, 1);
  cluster.wait(200);
  cluster.wait(400);
  CHECK(cluster.roles() == "1F 2L 3F");
}

TEST_CASE("one voter alone elects itself at once") {
  One one(1, servers(1));
  one.look(0x100000001, 1);
  CHECK(one.effects() == Texts{"decide LEADING leader=1 zxid=0x100000001 epoch=1 round=1 voters=1"});
  CHECK_FALSE(one.core.next_deadline().has_value());
}

TEST_CASE("a quorum waits for a voter that may be reached, and no longer than the wait") {
  One one(2, servers(3));
  one.look(5, 0);
  one.link(1, Link::up);
  one.hear(1, vote(2, 5, 0, 1));
  CHECK(one.core.state() == ServerState::looking);
  CHECK(one.core.next_deadline() == at_ms(200));
  one.quiet();
  SUBCASE("the wait ends") {
    one.wait(199);
    CHECK(one.effects().empty());
    one.wait(1);
    CHECK(one.effects() == Texts{"decide LEADING leader=2 zxid=0x5 epoch=0 round=1 voters=1,2"});
  }
  SUBCASE("the voter cannot be reached after all") {
    one.link(3, Link::down);
    CHECK(one.effects() == Texts{"decide LEADING leader=2 zxid=0x5 epoch=0 round=1 voters=1,2"});
  }
  SUBCASE("the voter votes alike") {
    one.hear(3, vote(2, 5, 0, 1));
    CHECK(one.core.state() == ServerState::leading);
  }
  SUBCASE("the voter knows better") {
    one.hear(3, vote(3, 5, 0, 1));
    CHECK(one.core.state() == ServerState::looking);
    CHECK(one.effects() == Texts{"send to 1: LOOKING leader=3 zxid=0x5 epoch=0 round=1",
                                 "send to 3: LOOKING leader=3 zxid=0x5 epoch=0 round=1"});
  }
}

TEST_CASE("nobody waits for a server that fell silent, until it is heard again") {
  One one(2, servers(3));
  one.look(5, 1);
  one.core.on_silence(ServerId(3));
  one.hear(1, vote(2, 5, 1, 1));
  CHECK(one.core.state() == ServerState::leading);

  One two(2, servers(3));
  two.look(5, 1);
  two.core.on_silence(ServerId(3));
  two.hear(3, vote(1, 5, 1, 1));
  two.hear(1, vote(2, 5, 1, 1));
  CHECK(two.core.state() == ServerState::looking);  // it may have more to say
}

TEST_CASE("an older round is answered, a newer one is entered and clears the votes") {
  One one(2, servers(3));
  one.look(5, 0);
  one.hear(1, vote(1, 5, 0, 1));
  one.core.look(Zxid(5), 0, at_ms(10));  // round 2
  one.quiet();
  one.hear(1, vote(3, 9, 9, 1));
  CHECK(one.effects() == Texts{"send to 1: LOOKING leader=2 zxid=0x5 epoch=0 round=2"});
  one.hear(3, vote(3, 4, 0, 7));  // worse than ours
  CHECK(one.effects() == Texts{"send to 1: LOOKING leader=2 zxid=0x5 epoch=0 round=7",
                               "send to 3: LOOKING leader=2 zxid=0x5 epoch=0 round=7"});
  CHECK(one.core.status().round == 7);
}

TEST_CASE("a worse vote is told ours once, and two who disagree do not answer each other for ever") {
  One one(2, servers(3));
  one.look(5, 0);
  one.quiet();
  one.hear(1, vote(1, 5, 0, 1));
  CHECK(one.effects() == Texts{"send to 1: LOOKING leader=2 zxid=0x5 epoch=0 round=1"});
  one.hear(1, vote(1, 5, 0, 1));
  CHECK(one.effects().empty());
}

TEST_CASE("a vote for a server without a log, or for one that does not vote, is not counted") {
  One one(2, servers(3, 1));
  one.look(5, 0);
  one.quiet();
  one.hear(1, vote(3, -1, 0, 1));
  one.hear(1, vote(4, 9, 9, 1));
  one.hear(1, vote(7, 9, 9, 1));
  one.hear(2, vote(3, 9, 9, 1));  // ourselves, by somebody's mistake
  CHECK(one.effects().empty());
  CHECK(one.core.status().vote.leader == ServerId(2));
  CHECK(one.core.status().ignored == 2);
}

TEST_CASE("a late server joins when a quorum names the leader and the leader says so itself") {
  One one(3, servers(3));
  one.look(9, 0);
  one.quiet();
  one.hear(1, vote(2, 5, 1, 4, ServerState::following));
  CHECK(one.effects().empty());
  SUBCASE("two followers without the leader's word are not enough") {
    one.hear(1, vote(2, 5, 1, 4, ServerState::following));
    CHECK(one.core.state() == ServerState::looking);
  }
  SUBCASE("the leader confirms") {
    one.hear(2, vote(2, 5, 1, 4, ServerState::leading));
    CHECK(one.effects() == Texts{"decide FOLLOWING leader=2 zxid=0x5 epoch=1 round=4 voters=1,2"});
    CHECK(one.core.status().round == 4);
  }
  SUBCASE("the leader is of another epoch") {
    one.hear(2, vote(2, 5, 2, 4, ServerState::leading));
    CHECK(one.core.state() == ServerState::looking);
  }
  SUBCASE("the leader is from before 3.4.6 and cannot know the epoch") {
    one.hear(2, vote(2, 5, 0, 4, ServerState::leading, 0));
    CHECK(one.core.state() == ServerState::following);
  }
  SUBCASE("its follower is looking again") {
    one.hear(1, vote(1, 5, 1, 1));
    one.hear(2, vote(2, 5, 1, 4, ServerState::leading));
    CHECK(one.core.state() == ServerState::looking);
  }
  SUBCASE("its follower cannot be reached any more") {
    one.link(1, Link::down);
    one.hear(2, vote(2, 5, 1, 4, ServerState::leading));
    CHECK(one.core.state() == ServerState::looking);
  }
}

TEST_CASE("followers that still name us do not make a restarted leader lead in another round") {
  One one(2, servers(3));
  one.look(5, 1);
  one.quiet();
  one.hear(1, vote(2, 5, 1, 4, ServerState::following));
  one.hear(3, vote(2, 5, 1, 4, ServerState::following));
  CHECK(one.core.state() == ServerState::looking);
}

TEST_CASE("a settled server answers who looks, with the epoch that was agreed on") {
  One one(2, servers(3, 1));
  one.look(5, 0);
  one.link(3, Link::down);
  one.hear(1, vote(2, 5, 0, 1));
  one.quiet();
  one.core.set_elected_epoch(1);
  one.hear(3, vote(3, 9, 0, 1));
  CHECK(one.effects() == Texts{"send to 3: LEADING leader=2 zxid=0x5 epoch=1 round=1", "voter 3 is looking"});
  one.hear(4, vote(0, 0, 0, 1));
  CHECK(one.effects() == Texts{"send to 4: LEADING leader=2 zxid=0x5 epoch=1 round=1"});
  one.hear(1, vote(2, 5, 1, 1, ServerState::following));
  CHECK(one.effects().empty());
}

TEST_CASE("proposals are repeated ever more rarely, and at once to who comes back") {
  One one(1, servers(2));
  one.look(5, 0);
  one.quiet();
  std::int64_t waits[] = {200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000};
  for (const std::int64_t ms : waits) {
    CHECK(one.core.next_deadline() == at_ms(one.now + ms));
    one.wait(ms);
    CHECK(one.effects() == Texts{"send to 2: LOOKING leader=1 zxid=0x5 epoch=0 round=1"});
  }
  one.link(2, Link::down);
  one.link(2, Link::up);
  CHECK(one.effects() == Texts{"send to 2: LOOKING leader=1 zxid=0x5 epoch=0 round=1"});
}

TEST_CASE("a later configuration with other members is reported once, of one with the same its version") {
  One one(1, servers(3));
  one.look(5, 0);
  one.quiet();
  auto later = servers(3);
  later.set_version(0x100000000);
  const Notification same{vote(2, -1, 0, 1), later.text()};
  one.core.on_notification(ServerId(2), same, at_ms(0));
  one.core.on_notification(ServerId(2), same, at_ms(0));
  CHECK(one.effects() == Texts{"the members are known by version 0x100000000"});
  auto other = servers(4);
  other.set_version(0x100000000);
  const Notification changed{vote(2, -1, 0, 1), other.text()};
  one.core.on_notification(ServerId(2), changed, at_ms(0));
  one.core.on_notification(ServerId(2), changed, at_ms(0));
  const auto effects = one.effects();
  CHECK(effects.size() == 1);
  CHECK(effects.front().starts_with("server 2 has other members: server.1=h1:1:2"));
}

TEST_CASE("a round at the end of its numbers does not end the server") {
  One one(1, servers(3));
  one.look(5, 0);
  one.hear(2, vote(2, 5, 0, INT64_MAX));
  one.core.look(Zxid(5), 0, at_ms(1));
  CHECK(one.core.status().round == INT64_MIN);
}

TEST_CASE("a server that may have lost something elects nobody, and joins whom the others elect") {
  Cluster cluster(servers(3));
  cluster.start(3, 9, 1, Ballot::none);
  cluster.start(1, 7, 1);
  cluster.wait(60'000);
  CHECK(cluster.roles() == "1- 3-");  // its zxid was the larger one, once
  cluster.start(2, 5, 1);
  cluster.wait(1000);
  CHECK(cluster.roles() == "1L 2F 3F");
}

TEST_CASE("a server that may have lost something does not lead though the others still name it") {
  One one(3, servers(3));
  one.look(4, 1, Ballot::none);
  one.hear(1, vote(3, 9, 1, 1));
  one.hear(2, vote(3, 9, 1, 1));
  one.wait(1000);
  CHECK(one.core.state() == ServerState::looking);
  one.hear(1, vote(3, 9, 1, 1, ServerState::following));
  one.hear(2, vote(3, 9, 1, 1, ServerState::following));
  CHECK(one.core.state() == ServerState::looking);
}

TEST_CASE("nobody waits for a vote from a server that gives none") {
  Cluster cluster(servers(3));
  cluster.start(3, 9, 1, Ballot::none);
  cluster.start(1, 7, 1);
  cluster.start(2, 5, 1);
  CHECK(cluster.roles() == "1L 2F 3-");  // at once
  cluster.wait(200);
  CHECK(cluster.roles() == "1L 2F 3F");
}

TEST_CASE("empty servers elect one of them") {
  Cluster cluster(servers(3));
  cluster.start(1, 0, 0, Ballot::empty);
  cluster.start(2, 0, 0, Ballot::empty);
  cluster.wait(200);
  CHECK(cluster.roles() == "1F 2L");
  cluster.start(3, 0, 0, Ballot::empty);
  CHECK(cluster.roles() == "1F 2L 3F");
}

TEST_CASE("an empty server does not help one with a history to lead, nor one that is empty too") {
  Cluster cluster(servers(5));
  cluster.start(1, 7, 1);
  cluster.start(2, 0, 0, Ballot::empty);
  cluster.start(3, 0, 0, Ballot::empty);
  cluster.wait(60'000);
  cluster.start(4, 0, 0, Ballot::empty);
  cluster.wait(60'000);
  CHECK(cluster.roles() == "1- 2- 3- 4-");
  cluster.kill(4);
  cluster.start(4, 6, 1);
  cluster.start(5, 7, 1);
  cluster.wait(1000);
  CHECK(cluster.roles() == "1F 2F 3F 4F 5L");
}

}  // namespace tandem::coord::election
