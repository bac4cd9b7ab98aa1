// The models of Apache's servers against what Apache's servers said to each other (tests/golden/apache): a
// model of one of the three hears what that one heard, in the recorded order and at the recorded times, and
// must say what it said. Timers decide how often something is repeated, and clients what is asked for: votes
// are compared without repetitions, pings and what belongs to clients are left out.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <doctest/doctest.h>
#include <algorithm>
#include <charconv>
#include <deque>
#include <fstream>
#include <map>
#include <sstream>

#include "bytes/reader.h"
#include "coord/election/handshake.h"
#include "coord/election/notification.h"
#include "tests/sim/apache_election.h"
#include "tests/sim/apache_leader.h"
#include "tests/sim/apache_learner.h"

namespace tandem::sim {
namespace {

namespace election = coord::election;
namespace records = coord::records;
namespace zab = coord::zab;
using base::Instant;
using base::milliseconds;
using coord::quorum::ServerId;
using jute::Zxid;
using records::PacketType;

constexpr milliseconds kTick{500};  // of record.py
constexpr int kLimit = 20;
constexpr milliseconds kLate{600};    // a timer of a busy server
constexpr milliseconds kMoment{100};  // its threads' idea of its vote
const std::string kSignature = "BenWasHere";

std::int64_t number(std::string_view text, int base = 10) {
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value, base);
  REQUIRE(read.ec == std::errc());
  return value;
}

int small(std::string_view text) { return static_cast<int>(number(text)); }

std::string unhex(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<char>(number(std::string_view(text).substr(i, 2), 16)));
  return bytes;
}

struct Line {
  Instant at;
  std::vector<std::string> words;
};

std::vector<Line> tape(const std::string& version) {
  std::ifstream in("tests/golden/apache/tape-" + version + ".txt");
  REQUIRE_MESSAGE(in.good(), version);
  std::vector<Line> lines;
  for (std::string text; std::getline(in, text);) {
    std::istringstream stream(text);
    std::int64_t ms = 0;
    stream >> ms;
    Line line{Instant(milliseconds(ms + 1000)), {}};
    for (std::string word; stream >> word;) line.words.push_back(word);
    if (line.words.front() == "end") break;
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string said(const election::Vote& vote) {
  return fmt::format("{} {} {:x} round {} epoch {}", to_string(vote.state), vote.leader, vote.zxid.value,
                     vote.round, vote.peer_epoch);
}

// The version of a configuration is its last line.
std::string version_of(jute::BufferView text) {
  const std::string whole(text.value_or(std::string_view()));
  return whole.substr(whole.rfind('\n') + 1);
}

// One line for what does not depend on clients and timers; empty for what does.
std::string said(const records::QuorumPacket& packet, bool to_leader) {
  switch (packet.type) {
    case PacketType::request:
    case PacketType::revalidate:
    case PacketType::sync:
    case PacketType::ping:
      return {};
    case PacketType::new_leader:
      return fmt::format("NEWLEADER {:x} {}", packet.zxid.value, version_of(packet.data));
    default:
      break;
  }
  return fmt::format("{} {} {:x} {:x}", to_leader ? "up" : "down", records::to_string(packet.type),
                     packet.zxid.value, std::hash<std::string>()(std::string(packet.data.value_or(""))));
}

// A stream of packets, trees left out, as lines.
class Script {
 public:
  explicit Script(bool to_leader) : to_leader_(to_leader) {}

  template <class Visit>
  void feed(std::string_view bytes, Visit visit) {
    decoder_.feed(bytes);
    for (;;) {
      if (decoder_.in_snapshot()) {
        const auto end = decoder_.raw().find(kSignature);
        if (end == std::string_view::npos) return;
        decoder_.consume_raw(end + kSignature.size());
        decoder_.end_snapshot();
      }
      const auto packet = decoder_.next();
      REQUIRE(packet.has_value());
      if (!*packet) return;
      // A log and the connection's reader are two threads there: only among themselves have these an order.
      const bool of_log = (*packet)->type == PacketType::ack && records::counter_of((*packet)->zxid) != 0;
      if (std::string line = said(**packet, to_leader_); !line.empty())
        (of_log ? acks : lines).push_back(std::move(line));
      visit(**packet);
    }
  }

  std::vector<std::string> lines;
  std::vector<std::string> acks;

 private:
  bool to_leader_;
  records::QuorumPacketDecoder decoder_{1U << 24};
};

struct Connection {
  bool learner = false;
  int opener = 0;
  int target = 0;
  std::string in[2];  // of the opener, of the other
  bool greeted = false;
  Script theirs[2] = {Script(true), Script(false)};
  Script models[2] = {Script(true), Script(false)};
  std::optional<zab::LearnerId> id;  // of the model that leads
};

std::vector<std::string> without_repetitions(const std::vector<std::string>& lines) {
  std::vector<std::string> once;
  for (const std::string& line : lines)
    if (once.empty() || once.back() != line) once.push_back(line);
  return once;
}

struct Heard {
  Instant at;
  std::string vote;
};

// What was its vote about then: a server of several threads may say what it was a moment ago, and the order
// of two connections at a proxy is not the order at their end.
bool was_held(const std::vector<std::pair<Instant, std::string>>& held, const Heard& heard) {
  for (std::size_t i = 0; i < held.size(); ++i) {
    const Instant until = i + 1 < held.size() ? held[i + 1].first : Instant::max();
    if (held[i].second == heard.vote && held[i].first <= heard.at + kMoment && until >= heard.at - kMoment)
      return true;
  }
  return false;
}

// A newer message takes the place of one that is not sent yet: what was heard is a part of what was said.
void compare_votes(const std::string& what, const std::vector<Heard>& theirs,
                   const std::vector<std::string>& models,
                   const std::vector<std::pair<Instant, std::string>>& held) {
  const auto spoken = without_repetitions(models);
  auto at = spoken.begin();
  std::string before;
  for (const Heard& heard : theirs) {
    if (heard.vote == std::exchange(before, heard.vote)) continue;
    const auto found = std::find(at, spoken.end(), heard.vote);
    if (found == spoken.end() && was_held(held, heard)) continue;
    CHECK_MESSAGE(found != spoken.end(), what << ": the model does not say: " << heard.vote << " but "
                                              << fmt::format("{}", fmt::join(spoken, "; ")));
    if (found == spoken.end()) return;
    at = found;
  }
}

// One server of the recording, played by the models.
class Actor {
 public:
  Actor(int number, bool old, std::map<Zxid, std::string>& txns)
      : number_(number), old_(old), txns_(txns), config_(config()) {}

  static coord::quorum::QuorumConfig config() {
    std::string text;
    for (int n = 1; n <= 3; ++n) text += fmt::format("server.{}=n{}:2888:3888\n", n, n);
    return *coord::quorum::QuorumConfig::parse(text);
  }

  void start(std::int64_t accepted, std::int64_t current, Zxid last, Instant now) {
    accepted_ = accepted;
    current_ = current;
    last_ = last;
    commit_log_.clear();
    for (const auto& [zxid, payload] : txns_)
      if (zxid <= last) commit_log_.add(ref(zxid));
    election_.emplace(ServerId(number_), config_);
    for (const int other : links_) election_->on_link(ServerId(other), true);
    election_->look(last_, current_, now);
    settle(now);
  }
  void kill() {
    election_.reset();
    leader_.reset();
    learner_.reset();
    leading_.clear();
    following_ = nullptr;
    links_.clear();
  }
  bool runs() const { return election_.has_value(); }

  void link(int other, bool up, Instant now) {
    up ? static_cast<void>(links_.insert(other)) : static_cast<void>(links_.erase(other));
    if (!runs()) return;
    election_->on_link(ServerId(other), up);
    settle(now);
  }
  void hear(int from, const election::Notification& notification, Instant now) {
    advance(now);
    if (!runs()) return;
    election_->on_notification(ServerId(from), notification, now);
    settle(now);
  }

  // It connected to its leader: by then it has decided.
  void follow(Connection& connection, Instant now) {
    advance(now);
    if (election_->state() == election::ServerState::looking) decide_soon(now);
    REQUIRE_MESSAGE(election_->state() == election::ServerState::following, "server " << number_);
    CHECK(election_->status().vote.leader.value == connection.target);
    following_ = &connection;
    learner_->on_connected(now);
    settle(now);
  }
  void hear_leader(const records::QuorumPacket& packet, Instant now) {
    if (!learner_) return;
    REQUIRE(learner_->reading());
    learner_->on_packet(packet, now);
    settle(now);
  }
  void lose_leader(Connection& connection, Instant now) {
    if (following_ != &connection || !learner_) return;
    following_ = nullptr;
    learner_->on_disconnected("closed");
    settle(now);
  }
  // Its connection to the elected leader was refused behind the proxy, which it hears as an end.
  void refused(Instant now) {
    advance(now);
    if (election_->state() == election::ServerState::looking) decide_soon(now);
    if (!learner_ || following_ != nullptr) return;
    learner_->on_disconnected("refused");
    settle(now);
  }

  void accept(Connection& connection, Instant now) {
    advance(now);
    if (!leader_ && election_->state() == election::ServerState::looking) decide_soon(now);
    if (!leader_) return;
    connection.id = leader_->open_learner(now);
    leading_[connection.id->value] = &connection;
  }
  void hear_learner(Connection& connection, const records::QuorumPacket& packet, Instant now) {
    advance(now);
    if (!leader_ || !connection.id) return;
    leader_->on_packet(*connection.id, packet, now);
    settle(now);
  }
  void lose_learner(Connection& connection) {
    if (leader_ && connection.id) leader_->on_closed(*connection.id);
  }
  // What the recorded leader proposed, so that the model proposes it.
  void propose(Zxid zxid, Instant now) {
    if (!leader_ || zxid != leader_->status().last_proposed.next()) return;
    auto batch = std::make_shared<records::TxnBatch>();
    batch->first = batch->last = zxid;
    batch->bytes = txns_.at(zxid);
    batch->sizes.push_back(static_cast<std::uint32_t>(batch->bytes.size()));
    leader_->propose(batch, now);
    settle(now);
  }

  void advance(Instant now) {
    while (runs()) {
      std::optional<Instant> next = election_->next_deadline();
      if (leader_ && leader_->next_deadline() && (!next || *leader_->next_deadline() < *next))
        next = leader_->next_deadline();
      if (!next || *next > now) return;
      election_->on_deadline(*next);
      if (leader_) leader_->on_deadline(*next);
      settle(*next);
    }
  }

  std::map<int, std::vector<std::string>> votes;      // said to whom
  std::vector<std::pair<Instant, std::string>> held;  // its vote from then on

 private:
  records::TxnRef ref(Zxid zxid) const {
    auto batch = std::make_shared<records::TxnBatch>();
    batch->bytes = txns_.at(zxid);
    return records::TxnRef{zxid, bytes::Slice(batch, batch->bytes)};
  }
  // From the last one at or before `from`.
  zab::LogChunk logged(Zxid from, Zxid through) const {
    zab::LogChunk chunk;
    chunk.last = true;
    auto first = txns_.upper_bound(from);
    if (first != txns_.begin()) --first;
    for (; first != txns_.end() && first->first <= through; ++first) chunk.txns.push_back(ref(first->first));
    return chunk;
  }
  void decide_soon(Instant now) {
    const auto next = election_->next_deadline();
    if (!next || *next > now + kLate) return;
    election_->on_deadline(*next);
    settle(*next);
  }

  void take_role(const election::Decide& decision, Instant now) {
    if (decision.state == election::ServerState::leading) {
      zab::LeaderOptions options;
      options.self = ServerId(number_);
      options.tick = kTick;
      options.init_limit = options.sync_limit = kLimit;
      leader_.emplace(options, zab::LeaderStart{accepted_, current_, last_, {}}, config_, commit_log_, now);
      return;
    }
    zab::LearnerOptions options;
    options.self = ServerId(number_);
    options.tick = kTick;
    options.init_limit = options.sync_limit = kLimit;
    options.config_version = config_.version();
    learner_.emplace(options, ApacheOptions{old_, false}, zab::LearnerStart{accepted_, current_, last_},
                     commit_log_, now);
  }

  void settle(Instant now) {
    for (bool more = true; more;) {
      more = false;
      for (const auto& effect : election_->drain()) {
        more = true;
        if (const auto* send = std::get_if<election::Send>(&effect))
          votes[static_cast<int>(send->to.value)].push_back(said(send->notification.vote));
        if (const auto* decision = std::get_if<election::Decide>(&effect)) take_role(*decision, now);
      }
      if (leader_)
        for (const auto& effect : leader_->take_effects()) more = perform(effect, now) || more;
      if (learner_)
        for (const auto& effect : learner_->take_effects()) more = perform(effect, now) || more;
      if (ended_) {
        ended_ = false;
        learner_.reset();
        leader_.reset();
        election_->look(last_, current_, now);
      }
    }
    const election::Status status = election_->status();
    election::Vote vote = status.vote;
    vote.state = status.state;
    vote.round = status.round;
    held.emplace_back(now, said(vote));
  }

  bool perform(const zab::LeaderEffect& effect, Instant now) {
    if (const auto* accepted = std::get_if<zab::PersistAcceptedEpoch>(&effect)) {
      accepted_ = accepted->epoch;
      leader_->on_accepted_epoch_durable(accepted_, now);
    } else if (const auto* current = std::get_if<zab::PersistCurrentEpoch>(&effect)) {
      current_ = current->epoch;
      leader_->on_current_epoch_durable(current_, now);
    } else if (const auto* persist = std::get_if<zab::Persist>(&effect)) {
      leader_->on_durable(persist->batch->last);
    } else if (const auto* send = std::get_if<zab::SendToLearner>(&effect)) {
      const auto to = leading_.find(send->to.value);
      std::string bytes = send->bytes;
      if (to != leading_.end()) to->second->models[1].feed(bytes, [](const auto&) {});
    } else if (const auto* tree = std::get_if<zab::SendSnapshot>(&effect)) {
      leading_.at(tree->to.value)->models[1].feed(kSignature, [](const auto&) {});
      leader_->on_snapshot_sent(tree->to, now);
    } else if (const auto* read = std::get_if<zab::ReadLog>(&effect)) {
      leader_->on_log_chunk(read->to, logged(read->from, read->through), now);
    } else if (const auto* start = std::get_if<zab::StartLeading>(&effect)) {
      election_->set_elected_epoch(records::epoch_of(start->epoch_start));
      last_ = start->epoch_start;
    } else if (const auto* commit = std::get_if<zab::Commit>(&effect)) {
      last_ = commit->through;
    } else if (std::get_if<zab::StepDown>(&effect) != nullptr) {
      ended_ = true;
    }
    return true;
  }

  bool perform(const zab::LearnerEffect& effect, Instant now) {
    if (const auto* accepted = std::get_if<zab::PersistAcceptedEpoch>(&effect)) {
      accepted_ = accepted->epoch;
      learner_->on_accepted_epoch_durable(accepted_, now);
    } else if (const auto* current = std::get_if<zab::PersistCurrentEpoch>(&effect)) {
      current_ = current->epoch;
      learner_->on_current_epoch_durable(current_, now);
    } else if (const auto* persist = std::get_if<zab::Persist>(&effect)) {
      learner_->on_durable(persist->batch->last);
    } else if (const auto* send = std::get_if<zab::SendToLeader>(&effect)) {
      if (following_ != nullptr) following_->models[0].feed(send->bytes, [](const auto&) {});
    } else if (const auto* cut = std::get_if<zab::Truncate>(&effect)) {
      last_ = cut->zxid;
      learner_->on_truncated(last_, now);
    } else if (const auto* tree = std::get_if<zab::InstallSnapshot>(&effect)) {
      last_ = tree->zxid;
      learner_->on_snapshot_installed(last_, now);
    } else if (const auto* apply = std::get_if<zab::Apply>(&effect)) {
      last_ = apply->txns.back().zxid;
    } else if (const auto* start = std::get_if<zab::StartFollowing>(&effect)) {
      election_->set_elected_epoch(records::epoch_of(start->epoch_start));
    } else if (const auto* ping = std::get_if<zab::PingAsked>(&effect)) {
      learner_->answer_ping(ping->zxid, {});
    } else if (std::get_if<zab::Abandon>(&effect) != nullptr) {
      ended_ = true;
    }
    return true;
  }

  int number_;
  bool old_;
  std::map<Zxid, std::string>& txns_;
  coord::quorum::QuorumConfig config_;
  std::int64_t accepted_ = 0;
  std::int64_t current_ = 0;
  Zxid last_;
  zab::CommitLog commit_log_;
  std::optional<ApacheElection> election_;
  std::optional<ApacheLeader> leader_;
  std::optional<ApacheLearner> learner_;
  std::map<std::uint64_t, Connection*> leading_;
  Connection* following_ = nullptr;
  std::set<int> links_;
  bool ended_ = false;
};

// The whole recording, with a model in the place of one of the servers.
class Replay {
 public:
  Replay(const std::string& version, int number)
      : number_(number),
        what_(fmt::format("{} server {}", version, number)),
        actor_(number, version < "3.6", txns_) {
    for (const Line& line : tape(version)) play(line);
    finish();
  }

 private:
  void play(const Line& line) {
    const auto& words = line.words;
    const std::string& verb = words.front();
    if (verb == "case") return;
    if (verb == "start" && small(words[1]) == number_) {
      actor_.start(number(words[2]), number(words[3]), Zxid(number(words[4], 16)), line.at);
    } else if (verb == "kill" && small(words[1]) == number_) {
      actor_.kill();
    } else if (verb == "refused") {
      if (words[1] == "l" && small(words[2]) == number_ && actor_.runs()) actor_.refused(line.at);
    } else if (verb == "open") {
      open(small(words[1]), words[2] == "l", small(words[3]), small(words[4]), line.at);
    } else if (verb == "close") {
      close(connections_[small(words[1])], line.at);
    } else if (verb != "start" && verb != "kill") {
      Connection& connection = connections_[small(verb)];
      const int end = words[1] == ">" ? 0 : 1;
      const std::string bytes = unhex(words[2]);
      connection.learner ? learner_bytes(connection, end, bytes, line.at)
                         : election_bytes(connection, end, bytes, line.at);
    }
  }

  void open(int number, bool learner, int opener, int target, Instant now) {
    Connection& connection = connections_[number];
    connection.learner = learner;
    connection.opener = opener;
    connection.target = target;
    if (!learner || !actor_.runs()) return;
    if (opener == number_) actor_.follow(connection, now);
    if (target == number_) actor_.accept(connection, now);
  }

  void close(Connection& connection, Instant now) {
    if (!actor_.runs()) return;
    if (!connection.learner) {
      if (connection.opener == number_ && connection.greeted) actor_.link(connection.target, false, now);
      if (connection.target == number_ && connection.greeted) actor_.link(connection.opener, false, now);
      return;
    }
    if (connection.opener == number_) actor_.lose_leader(connection, now);
    if (connection.target == number_) actor_.lose_learner(connection);
  }

  // The handshake of a smaller number is answered with an end.
  void election_bytes(Connection& connection, int end, const std::string& bytes, Instant now) {
    std::string& in = connection.in[end];
    in += bytes;
    if (end == 0 && !connection.greeted) {
      const auto size = election::handshake_size(in);
      REQUIRE(size.has_value());
      if (*size == 0 || in.size() < *size) return;
      in.erase(0, *size);
      if (connection.opener < connection.target) return;
      connection.greeted = true;
      if (connection.opener == number_) actor_.link(connection.target, true, now);
      if (connection.target == number_) actor_.link(connection.opener, true, now);
    }
    const int from = end == 0 ? connection.opener : connection.target;
    const int to = end == 0 ? connection.target : connection.opener;
    while (in.size() >= 4) {
      bytes::Reader reader(in);
      const auto length = static_cast<std::size_t>(reader.i32());
      if (in.size() < 4 + length) return;
      const auto notification = election::decode_notification(std::string_view(in).substr(4, length));
      REQUIRE(notification.has_value());
      CHECK(notification->vote.version == 2);
      if (from == number_) heard_[to].push_back({now, said(notification->vote)});
      if (to == number_ && actor_.runs()) actor_.hear(from, *notification, now);
      in.erase(0, 4 + length);
    }
  }

  void learner_bytes(Connection& connection, int end, const std::string& bytes, Instant now) {
    connection.theirs[end].feed(bytes, [&](const records::QuorumPacket& packet) {
      if (packet.type == PacketType::proposal || packet.type == PacketType::inform)
        txns_[packet.zxid] = std::string(*packet.data);
      if (!actor_.runs()) return;
      if (end == 1 && connection.target == number_ && packet.type == PacketType::proposal)
        actor_.propose(packet.zxid, now);
      if (end == 1 && connection.opener == number_) actor_.hear_leader(packet, now);
      if (end == 0 && connection.target == number_) actor_.hear_learner(connection, packet, now);
    });
  }

  // A server that was killed did not come to say all that a model says.
  static void compare(const std::string& where, const std::vector<std::string>& theirs,
                      const std::vector<std::string>& models) {
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      const std::string model = i < models.size() ? models[i] : "nothing";
      CHECK_MESSAGE(model == theirs[i], where << ", line " << i);
      if (model != theirs[i]) return;
    }
    CHECK(models.size() <= theirs.size() + 2);
  }

  void finish() {
    for (const auto& [to, lines] : heard_)
      compare_votes(fmt::format("{} to {}", what_, to), lines, actor_.votes[to], actor_.held);
    int compared = 0;
    for (auto& [number, connection] : connections_) {
      if (!connection.learner) continue;
      for (const int end : {0, 1}) {
        if ((end == 0 ? connection.opener : connection.target) != number_) continue;
        ++compared;
        const std::string where = fmt::format("{} on connection {}", what_, number);
        compare(where, connection.theirs[end].lines, connection.models[end].lines);
        compare(where, connection.theirs[end].acks, connection.models[end].acks);
      }
    }
    CHECK_MESSAGE(compared > 0, what_);
    CHECK(!heard_.empty());
  }

  int number_;
  std::string what_;
  std::map<Zxid, std::string> txns_;
  Actor actor_;
  std::map<int, Connection> connections_;
  std::map<int, std::vector<Heard>> heard_;
};

}  // namespace

TEST_CASE("a model in the place of any server of Apache's 3.9.5 says what that one said") {
  for (int number = 1; number <= 3; ++number) Replay("3.9.5", number);
}

TEST_CASE("a model in the place of any server of Apache's 3.5.10 says what that one said") {
  for (int number = 1; number <= 3; ++number) Replay("3.5.10", number);
}

}  // namespace tandem::sim
