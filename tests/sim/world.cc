#include "tests/sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "coord/records/txn_batch.h"
#include "tests/sim/client.h"
#include "tests/sim/node.h"

namespace tandem::sim {

using coord::quorum::QuorumConfig;

namespace {

constexpr Duration kStep = milliseconds(100);
constexpr std::uint64_t kEventsInAnInstantMax = 200'000;
constexpr Duration kDelay = milliseconds(2);  // of an explored run
constexpr Duration kSettled = milliseconds(3000);
constexpr std::size_t kRemembered = 64;  // messages and conversations that may be replayed

Rest rest_of(const Node& node) {
  const auto& tree = node.tree();
  const auto directory = tree.find("/e");
  const bool any = directory != coord::tree::kNoNode;
  return {node.number(), tree.last_zxid().value, tree.digest(), any ? tree.child_count(directory) : 0};
}

}  // namespace

World::World(const Options& options, bool verbose)
    : options_(options),
      verbose_(verbose),
      random_(options.seed),
      network_(scheduler_, random_.split(), options.latency, options.latency_spikes),
      checker_(options.voters) {
  network_.asleep_until = [this](int host) {
    return host <= node_count() ? node(host).asleep_until() : Instant{};
  };
  for (int number = 1; number <= options.voters + options.observers; ++number)
    nodes_.push_back(std::make_unique<Node>(*this, number, random_.split()));
  told_ = std::make_unique<Told>();
  for (int number = 1; number <= options.clients; ++number)
    clients_.push_back(std::make_unique<Client>(*this, *told_, number, random_.split()));
  const auto of_disk = [&](milliseconds mean) { return options.real_disk ? mean : milliseconds(0); };
  faults_ = {{"kill", options.kills, &World::kill},
             {"power cut", options.power_cuts, &World::cut_power},
             {"pause", options.pauses, &World::pause},
             {"partition", options.partitions, &World::partition},
             {"reset", options.resets, &World::reset_connection},
             {"slow disk", options.slow_disks, &World::slow_disk},
             {"disk error", options.disk_errors, &World::fail_disk},
             {"purge", milliseconds(4000), &World::purge},
             {"full disk", of_disk(options.full_disks), &World::fill_disk},
             {"read error", of_disk(options.read_errors), &World::fail_read},
             {"rot", of_disk(options.rot), &World::rot},
             {"clock jump", options.clock_jumps, &World::jump_clock},
             {"replay", options.replays, &World::replay}};
  if (options.voters >= 3) rotting_ = static_cast<int>(random_.between(1, node_count()));
  if (options.is_apache(rotting_)) rotting_ = 0;  // it refuses to start, and an operator must look
}

World::~World() = default;

void World::note(int node, const std::string& text) {
  const double seconds = std::chrono::duration<double>(scheduler_.now().time_since_epoch()).count();
  if (verbose_) std::printf("%10.6f %d %s\n", seconds, node, text.c_str());
}

QuorumConfig World::config(int for_node) const {
  std::string text;
  std::string group;
  for (int number = 1; number <= options_.voters + options_.observers; ++number) {
    text += fmt::format("server.{}=n{}:2888:3888{}\n", number, number,
                        number > options_.voters ? ":observer" : "");
    if (number <= options_.voters) group += fmt::format("{}{}", group.empty() ? "" : ":", number);
  }
  if (options_.mutant == Mutant::small_quorum && for_node <= options_.voters)
    text += fmt::format("group.1={}\nweight.{}=100\n", group, for_node);
  return *QuorumConfig::parse(text);
}

// ---- faults -----------------------------------------------------------------------------------------------

void World::schedule(std::size_t fault) {
  FaultClass& one = faults_[fault];
  if (one.mean.count() == 0) return;
  const auto twice = static_cast<std::uint64_t>(2 * one.mean.count());
  scheduler_.after(milliseconds(1 + random_.below(twice)), [this, fault] {
    if (safe_) return;
    (this->*faults_[fault].strike)();
    schedule(fault);
  });
}

Node* World::any_up() {
  std::vector<Node*> up;
  for (const auto& node : nodes_)
    if (node->up()) up.push_back(node.get());
  return up.empty() ? nullptr : up[random_.below(up.size())];
}

void World::take_down(int number, Crash kind) {
  node(number).crash(kind);
  if (kind == Crash::power) network_.set_power(number, false);
  start_later(number);
}

void World::start_later(int number) {
  scheduler_.after(milliseconds(random_.between(50, options_.down_max.count())), [this, number] {
    network_.set_power(number, true);
    if (!node(number).up() && !refused_.contains(number)) node(number).start();
  });
}

// What the system has of it goes on living, unless the machine goes too.
void World::process_ended(int number, const std::string& reason) {
  note(number, "ends itself: " + reason);
  scheduler_.after(Duration{0}, [this, number] { take_down(number, any_crash()); });
}

// Without faults in what is at rest every start succeeds, but for errors that pass.
void World::start_failed(int number, const base::Error& error) {
  note(number, "cannot start: " + error.context);
  if (error.code == base::Errc::io || error.code == base::Errc::no_space) return start_later(number);
  refused_.insert(number);
  if (!node(number).disk().rotten())
    checker_.violate("D2", fmt::format("server {} cannot start: {}", number, error.context));
}

// Now, or within the next changes of its disk.
void World::kill() {
  Node* node = any_up();
  if (node == nullptr) return;
  ++faults_[0].count;
  const Crash kind = random_.chance(0.7) ? Crash::kill : Crash::power;
  const auto died = [this, number = node->number(), kind] {
    scheduler_.after(Duration{0}, [this, number, kind] { take_down(number, kind); });
  };
  if (random_.chance(0.5) && node->disk().die_soon(died)) return;
  take_down(node->number(), Crash::kill);
}

void World::cut_power() {
  ++faults_[1].count;
  const bool all = random_.chance(0.2);
  for (const auto& node : nodes_)
    if (node->up() && (all || random_.chance(0.3))) take_down(node->number(), Crash::power);
}

void World::pause() {
  Node* node = any_up();
  if (node == nullptr) return;
  ++faults_[2].count;
  node->pause(milliseconds(random_.between(50, 8000)));
}

void World::partition() {
  ++faults_[3].count;
  if (!network_.is_whole()) return network_.heal();
  const int count = node_count();
  const int one = static_cast<int>(random_.between(1, count));
  const int other = static_cast<int>(random_.between(1, count));
  switch (random_.below(4)) {
    case 0:  // one server, both ways or one
    case 1: {
      const std::uint64_t ways = random_.between(1, 3);
      for (int number = 1; number <= count; ++number) {
        if (number == one) continue;
        if ((ways & 1U) != 0) network_.cut(one, number);
        if ((ways & 2U) != 0) network_.cut(number, one);
      }
      break;
    }
    case 2:  // halves
      for (int a = 1; a <= count; ++a)
        for (int b = 1; b <= count; ++b)
          if ((a <= one) != (b <= one)) network_.cut(a, b);
      break;
    default:  // two who do not see each other, all others see both
      network_.cut(one, other);
      network_.cut(other, one);
  }
}

void World::reset_connection() {
  const auto connection = network_.any_connection();
  if (connection == nullptr) return;
  ++faults_[4].count;
  network_.reset(connection, "connection reset");
}

// Half of the time the one at which many wait.
void World::slow_disk() {
  Node* node = options_.crowded != 0 && random_.chance(0.5) ? &this->node(options_.crowded) : any_up();
  if (node == nullptr) return;
  ++faults_[5].count;
  node->disk().slow_down(milliseconds(random_.between(5, 1000)));
}

// A sync that failed is final: the process ends, and what it did not sync may be gone.
void World::fail_disk() {
  Node* node = any_up();
  if (node == nullptr) return;
  ++faults_[6].count;
  node->disk().fail_next();
}

void World::purge() {
  Node* node = any_up();
  if (node == nullptr) return;
  ++faults_[7].count;
  node->disk().purge();
}

void World::fill_disk() {
  Node* node = any_up();
  if (node == nullptr) return;
  ++faults_[8].count;
  node->disk().set_full(true);
  scheduler_.after(milliseconds(random_.between(100, 5000)), [node] { node->disk().set_full(false); });
}

void World::fail_read() {
  ++faults_[9].count;
  nodes_[random_.below(nodes_.size())]->disk().fail_next_read();
}

// The one that rots may have to stay away: the others must be able to elect without it, and an empty server
// elects nobody who is not.
bool World::others_vote(int number) const {
  for (int other = 1; other <= options_.voters; ++other) {
    if (other != number && !nodes_[static_cast<std::size_t>(other - 1)]->votes()) return false;
  }
  return true;
}

void World::rot() {
  if (rotting_ != 0 && others_vote(rotting_) && node(rotting_).disk().rot()) ++faults_[10].count;
}

// Forwards or back, by a moment or by years.
void World::jump_clock() {
  ++faults_[11].count;
  constexpr std::int64_t kYear = 365LL * 24 * 3600 * 1000;
  const std::int64_t most = random_.chance(0.3) ? kYear : random_.chance(0.5) ? 3'600'000 : 5'000;
  nodes_[random_.below(nodes_.size())]->move_clock(milliseconds(random_.between(-most, most)));
}

void World::remember_notification(Said said) {
  notifications_.push_back(std::move(said));
  if (notifications_.size() > kRemembered) notifications_.pop_front();
}

std::shared_ptr<Said> World::remember_conversation(int from, int to) {
  conversations_.push_back(std::make_shared<Said>(Said{from, to, {}}));
  if (conversations_.size() > kRemembered) conversations_.pop_front();
  return conversations_.back();
}

// Not to Apache's leader and not in the name of an Apache server: their ACKEPOCH names no leader and no
// connection, and one that answered another would be counted.
void World::replay() {
  if (random_.chance(0.5) && !notifications_.empty()) {
    const Said& said = notifications_[random_.below(notifications_.size())];
    if (!node(said.to).up()) return;
    ++faults_[12].count;
    return node(said.to).replay_notification(said.from, said.items.front());
  }
  if (conversations_.empty()) return;
  const auto said = conversations_[random_.below(conversations_.size())];
  if (!node(said->to).listens(false) || node(said->to).is_apache() || node(said->from).is_apache()) return;
  ++faults_[12].count;
  node(said->to).replay_learner(said->items, said->from);
}

// Apache's leader goes on without a voter that has accepted a later epoch, and that one never finds in: until
// somebody restarts the leader.
void World::restart_apache() {
  ++operator_restarts_;
  for (const auto& node : nodes_)
    if (node->is_apache() && node->up()) take_down(node->number(), Crash::kill);
}

void World::mend() {
  safe_ = true;
  network_.heal();
  network_.calm();
  for (const auto& node : nodes_) {
    network_.set_power(node->number(), true);
    node->disk().set_full(false);
    if (!node->up() && !refused_.contains(node->number())) node->start();
    if (node->asleep_until() > scheduler_.now()) node->pause(Duration{0});
  }
  for (const auto& client : clients_) client->probe();
}

// ---- phases -----------------------------------------------------------------------------------------------

bool World::advance(Duration time) {
  const Instant end = scheduler_.now() + time;
  Instant last{};
  std::uint64_t in_this_instant = 0;
  while (!checker_.violation() && scheduler_.run_one(end)) {
    in_this_instant = scheduler_.now() == last ? in_this_instant + 1 : 0;
    last = scheduler_.now();
    if (in_this_instant > kEventsInAnInstantMax) checker_.violate("Z17", "time does not move on");
  }
  return !checker_.violation();
}

// Z17, Z5: all serve, with the same tree. S4: the clients are gone, so are their sessions, and with them
// their nodes.
std::optional<World::Unrest> World::not_at_rest() const {
  std::optional<Rest> first;
  for (const auto& node : nodes_) {
    if (refused_.contains(node->number())) continue;
    if (!node->up() || !node->peer().status().serving)
      return Unrest{"Z17", fmt::format("server {} does not serve", node->number())};
    const Rest rest = rest_of(*node);
    if (!first) first = rest;
    if (const Finding finding = rests_alike(*first, rest, options_.apache != 0))
      return Unrest{"Z5", *finding};
    if (const Finding finding = rests_alone(rest)) return Unrest{"S4", *finding};
  }
  return std::nullopt;
}

template <class Condition>
void World::await(Condition condition, const std::function<Unrest()>& unrest) {
  const Instant end = scheduler_.now() + options_.liveness;
  const Instant half = scheduler_.now() + options_.liveness / 2;
  bool restarted = options_.apache == 0;
  while (!checker_.violation() && !condition() && scheduler_.now() < end) {
    if (!restarted && scheduler_.now() >= half) restart_apache();
    restarted = restarted || scheduler_.now() >= half;
    advance(kStep);
  }
  if (checker_.violation() || condition()) return;
  const Unrest found = unrest();
  checker_.violate(found.invariant, found.text);
}

void World::begin() {
  for (const auto& node : nodes_) {
    scheduler_.after(milliseconds(random_.below(300)), [&node = *node] { static_cast<void>(node.start()); });
  }
  for (const auto& client : clients_) client->start();
}

Report World::run() {
  begin();
  for (std::size_t fault = 0; fault < faults_.size(); ++fault) schedule(fault);
  advance(options_.safety);
  if (!checker_.violation()) {
    mend();
    const auto is_served = [](const auto& client) { return client->is_served(); };
    await([&] { return std::all_of(clients_.begin(), clients_.end(), is_served); },
          [&] {
            const auto waits = std::find_if_not(clients_.begin(), clients_.end(), is_served);
            return Unrest{"Z17", "not served again: " + (*waits)->text()};
          });
  }
  for (const auto& client : clients_) client->stop();
  await([this] { return !not_at_rest(); }, [this] { return *not_at_rest(); });
  return report();
}

Node* World::leading(const Node* but) {
  for (const auto& node : nodes_) {
    if (node.get() == but || !node->up()) continue;
    const auto status = node->peer().status();
    if (status.serving && status.leading && status.leading->phase == coord::zab::LeaderPhase::broadcast)
      return node.get();
  }
  return nullptr;
}

Report World::deafen(Duration& alone) {
  begin();
  await([this] { return leading() != nullptr; }, [] { return Unrest{"Z17", "nobody leads at first"}; });
  advance(kSettled);
  Node* const deaf = leading();
  if (deaf == nullptr) checker_.violate("Z17", "the first leader went by itself");
  if (checker_.violation()) return report();
  for (int number = 1; number <= node_count(); ++number)
    if (number != deaf->number()) network_.cut(number, deaf->number());
  const Instant since = scheduler_.now();
  await([&] { return leading(deaf) != nullptr; },
        [&] {
          return Unrest{"Z17", fmt::format("nobody leads but server {}, which hears nobody", deaf->number())};
        });
  alone = scheduler_.now() - since;
  mend();
  for (const auto& client : clients_) client->stop();
  await([this] { return !not_at_rest(); }, [this] { return *not_at_rest(); });
  return report();
}

Report World::follow(const Script& script, std::uint64_t events_max,
                     const std::function<bool(std::uint64_t at, std::uint64_t state)>& look) {
  begin();
  auto next = script.begin();
  const auto done = [this] {
    const auto finished = [](const auto& client) { return client->wrote_all(); };
    return std::all_of(clients_.begin(), clients_.end(), finished) && !not_at_rest();
  };
  for (std::uint64_t at = 0; !checker_.violation(); ++at) {
    for (; next != script.end() && next->at == at; ++next) {
      if (next->kind == Interference::delay) {
        scheduler_.postpone(kDelay);
      } else if (node(next->server).up()) {
        take_down(next->server, next->kind == Interference::kill ? Crash::kill : Crash::power);
      }
    }
    if (next == script.end() && (done() || !look(at, fingerprint()))) break;
    if (at == events_max) checker_.violate("Z17", "does not come to rest");
    if (!scheduler_.run_one(Instant::max())) break;
  }
  return report();
}

// Of what servers, disks and connections hold; not of timers.
std::uint64_t World::fingerprint() const {
  std::uint64_t state = network_.fingerprint();
  const auto mix = [&state](std::uint64_t value) { state = (state ^ value) * 0x100000001b3ULL; };
  for (const auto& node : nodes_) mix(node->fingerprint());
  for (const auto& client : clients_) mix(client->fingerprint());
  return state;
}

Report World::report() const {
  Report report;
  report.violation = checker_.violation();
  report.hash = checker_.hash();
  report.events = scheduler_.events();
  report.elections = checker_.elections();
  report.acked_writes = checker_.acked_writes();
  for (const auto& client : clients_) report.operations += client->operations();
  report.simulated_seconds = std::chrono::duration<double>(scheduler_.now().time_since_epoch()).count() - 1;
  for (const FaultClass& fault : faults_) report.faults.emplace_back(fault.name, fault.count);
  std::uint64_t healed = 0;
  std::uint64_t served_by_masters = 0;
  for (const auto& node : nodes_) {
    healed += node->disk().healed();
    served_by_masters += node->served_by_masters();
  }
  report.others.emplace_back("rotten server healed", healed);
  report.others.emplace_back("observer at a follower", served_by_masters);
  report.others.emplace_back("run with models of Apache's", options_.apache != 0 ? 1 : 0);
  report.others.emplace_back("restart of these by an operator", operator_restarts_);
  return report;
}

}  // namespace tandem::sim
