#include "tests/sim/brokers/cluster.h"

#include <fmt/format.h>

#include <cstdio>

#include "broker/zk/paths.h"

namespace tandem::sim::brokers {

namespace zk = broker::zk;

namespace {

constexpr Duration kGlance = milliseconds(50);
constexpr std::uint64_t kEventsOfAnInstant = 100'000;
constexpr int kFirstClient = 100;
constexpr Duration kStartTime = milliseconds(30'000);
constexpr Duration kLastProduce = milliseconds(3'000);
constexpr Duration kCleanStopTime = milliseconds(15'000);
constexpr Duration kReplaceAgain = milliseconds(300);
constexpr double kCleanRepairs = 0.3;

}  // namespace

class Cluster::EventClock final : public base::Clock {
 public:
  explicit EventClock(const Scheduler& scheduler) : scheduler_(scheduler) {}
  Instant now() const override { return scheduler_.now(); }
  base::WallTime wall() const override {
    return {std::chrono::duration_cast<milliseconds>(now().time_since_epoch()).count()};
  }

 private:
  const Scheduler& scheduler_;
};

// A broker's lines among those of the others.
class Cluster::BrokerOutput final : public logging::Output {
 public:
  explicit BrokerOutput(int number) : number_(number) {}
  void write(std::string_view line) override {
    std::printf("%d %.*s", number_, static_cast<int>(line.size()), line.data());
    std::fflush(stdout);
  }

 private:
  int number_;
};

Cluster::Cluster(const BrokerOptions& options, bool verbose)
    : options_(options),
      verbose_(verbose),
      random_(options.seed),
      network_(scheduler_, random_.split(), options.latency, options.latency_spikes),
      tree_(scheduler_),
      mutation_(options.mutant, base::Random(options.seed + 1)),
      around_{scheduler_, network_, tree_, mutation_},
      checker_(options_, tree_),
      dirs_(options_, scheduler_, base::Random(options.seed + 2), checker_),
      tables_(std::make_shared<const broker::config::Tables>()),
      clock_(std::make_unique<EventClock>(scheduler_)) {
  network_.asleep_until = [this](int host) {
    const auto at = around_.processes.find(host);
    return at == around_.processes.end() ? Instant{} : at->second->asleep_until();
  };
  for (int number = 1; number <= options.brokers; ++number) {
    machines_[number].disk = std::make_unique<SimDisk>(random_.split(), mutation_.lies());
    dirs_.add(number, *machines_[number].disk);
    logs_.push_back(std::make_unique<logging::Log>(std::make_unique<BrokerOutput>(number), *clock_));
  }
  dirs_.note = [this](int number, const std::string& text) { note(number, text); };
  if (verbose_) checker_.trace = [this](int number, const std::string& text) { note(number, text); };
  int host = kFirstClient;
  admin_ = std::make_unique<Admin>(around_, host++, options_, random_.split(), checker_);
  for (int i = 0; i < options.producers; ++i)
    producers_.push_back(std::make_unique<Producer>(around_, host++, options_, random_.split(), checker_,
                                                    options.idempotent && i % 2 == 0));
  if (options.unclean_topics > 0)
    producers_.push_back(
        std::make_unique<Producer>(around_, host++, options_, random_.split(), checker_, false));
  for (int i = 0; i < options.consumers; ++i)
    consumers_.push_back(std::make_unique<Consumer>(around_, host++, options_, random_.split(), checker_));
  for (int i = 0; i < options.groups * options.members; ++i)
    members_.push_back(std::make_unique<GroupMember>(around_, host++, options_, random_.split(), checker_,
                                                     fmt::format("g{}", i % options.groups)));
  faults_ = {{"kill", options.kills, &Cluster::kill},
             {"power cut", options.power_cuts, &Cluster::cut_power},
             {"power cut of all", options.blackouts, &Cluster::black_out},
             {"pause", options.pauses, &Cluster::pause},
             {"member's pause", members_.empty() ? milliseconds(0) : options.pauses, &Cluster::pause_member},
             {"clean stop", options.clean_stops, &Cluster::stop_cleanly},
             {"partition", options.partitions_cut, &Cluster::cut_network},
             {"reset", options.resets, &Cluster::reset_connection},
             {"session loss", options.session_losses, &Cluster::lose_session},
             {"slow disk", options.slow_disks, &Cluster::slow_disk},
             {"disk error", options.disk_errors, &Cluster::fail_sync},
             {"topic churn", options.topic_churn, &Cluster::churn},
             {"reassignment", options.reassignments, &Cluster::reassign},
             {"election", options.elections, &Cluster::elect},
             {"unclean election asked for", options.unclean_elections, &Cluster::elect_uncleanly},
             {"unclean elections allowed or not", options.unclean_toggles, &Cluster::allow_unclean},
             {"deletion of records", options.deletions, &Cluster::delete_records},
             {"throttle", options.throttles, &Cluster::throttle},
             {"log directory struck", options.dir_failures, &Cluster::fail_dir},
             {"move between directories", options.dir_moves, &Cluster::move_replica},
             {"loss of office", options.office_losses, &Cluster::lose_office}};
}

Cluster::~Cluster() = default;

void Cluster::note(int host, const std::string& text) {
  const double seconds = std::chrono::duration<double>(scheduler_.now().time_since_epoch()).count();
  if (!verbose_) return;
  std::printf("%10.6f ---- %d %s\n", seconds, host, text.c_str());
  std::fflush(stdout);
}

// ---- brokers
// -----------------------------------------------------------------------------------------------

WatchedBrokers Cluster::running() {
  WatchedBrokers out;
  for (auto& [number, machine] : machines_)
    if (machine.broker) out[number] = machine.broker.get();
  return out;
}

int Cluster::any_running() {
  std::vector<int> up;
  for (auto& [number, machine] : machines_)
    if (machine.broker && !machine.stopping) up.push_back(number);
  return up.empty() ? 0 : up[random_.below(up.size())];
}

Duration Cluster::pause_of(std::int64_t low_ms, std::int64_t high_ms) {
  return milliseconds(random_.between(low_ms, std::max(low_ms, high_ms)));
}

void Cluster::boot(int number) {
  Machine& machine = machines_[number];
  machine.starts = false;
  if (machine.broker) return;
  if (!dirs_.replace(number)) {
    machine.starts = true;
    scheduler_.after(kReplaceAgain, [this, number] { boot(number); });
    return;
  }
  network_.set_power(number, true);
  note(number, "starts");
  machine.life = ++starts_;
  logging::Logger log;
  if (verbose_) log = logs_[static_cast<std::size_t>(number - 1)]->logger(fmt::format("b{}", number));
  machine.stopping = false;
  spoiler_.before_start(*machine.disk);
  machine.broker =
      std::make_unique<SimBroker>(around_, number, *machine.disk, options_, tables_, log, random_.split());
  machine.broker->process().after({}, nullptr, [broker = machine.broker.get()] { broker->start(); });
}

void Cluster::take_down(int number, Crash kind, Duration down) {
  Machine& machine = machines_[number];
  if (!machine.broker) return;
  checker_.on_crash(*machine.broker, kind);
  machine.broker->process().die();
  network_.leave(number, kind == Crash::kill);
  if (kind == Crash::power) network_.set_power(number, false);
  machine.broker.reset();
  machine.disk->crash(kind);
  checker_.on_end(number);
  machine.starts = true;
  scheduler_.after(down, [this, number] { boot(number); });
}

// What a supervisor does: a process that ended itself is started again.
void Cluster::watch_over() {
  scheduler_.after(kGlance, [this] {
    expired_ += static_cast<std::uint64_t>(tree_.expire());
    for (auto& [number, machine] : machines_) {
      if (!machine.broker) continue;
      if (options_.disks) dirs_.judge(*machine.broker);
      if (options_.disks && dirs_.calls_operator(number)) repair_soon(number);
      const auto& end = machine.broker->fatal();
      if (!end) continue;
      if (end->cause == End::Cause::files) dirs_.choose(number);
      note(number, "ends itself: " + end->text);
      take_down(number, Crash::kill, pause_of(100, 1000));
    }
    watch_over();
  });
}

// ---- log directories -------------------------------------------------------------------------------------

void Cluster::repair_soon(int number) {
  scheduler_.after(pause_of(100, 2 * options_.repair.count()), [this, number] {
    if (operator_rests_) return repair_soon(number);
    repair(number);
  });
}

void Cluster::repair(int number) {
  dirs_.repair(number);
  const Machine& machine = machines_[number];
  const Duration down = pause_of(10, options_.down_max.count());
  const bool able = machine.broker && machine.broker->serving() && !machine.stopping;
  if (able && random_.chance(kCleanRepairs)) return stop_cleanly(number, down);
  take_down(number, Crash::kill, down);
}

// What is left of them serves alone; then the operator comes.
bool Cluster::serve_without() {
  if (!await(options_.liveness, [this] { return checker_.unserved(running()).empty(); })) {
    if (!checker_.violation()) checker_.violate("L2", checker_.unserved(running()));
    return false;
  }
  note(0, "log directories are repaired");
  operator_rests_ = false;
  for (int number = 1; number <= options_.brokers; ++number)
    if (dirs_.is_wrong(number)) repair_soon(number);
  return advance(2 * options_.repair);
}

// ---- faults
// ------------------------------------------------------------------------------------------------

void Cluster::schedule(std::size_t fault) {
  const milliseconds mean = faults_[fault].mean;
  if (mean.count() == 0) return;
  scheduler_.after(pause_of(1, 2 * mean.count()), [this, fault] {
    if (safe_) return;
    ++faults_[fault].count;
    note(0, faults_[fault].name);
    (this->*faults_[fault].strike)();
    schedule(fault);
  });
}

void Cluster::kill() {
  if (const int number = any_running(); number != 0)
    take_down(number, Crash::kill, pause_of(10, options_.down_max.count()));
}

void Cluster::cut_power() {
  if (!options_.wide && random_.chance(0.2)) return black_out();
  if (const int number = any_running(); number != 0)
    take_down(number, Crash::power, pause_of(10, options_.down_max.count()));
}

void Cluster::black_out() {
  for (int number = 1; number <= options_.brokers; ++number)
    take_down(number, Crash::power, pause_of(100, options_.down_max.count()));
}

void Cluster::pause() {
  const int number = any_running();
  if (number == 0) return;
  const Duration time = pause_of(50, 2 * options_.session_timeout.count());
  machines_[number].broker->process().sleep_up_to(scheduler_.now() + time);
}

void Cluster::pause_member() {
  GroupMember& member = *members_[random_.below(members_.size())];
  member.pause(scheduler_.now() + pause_of(50, 3 * options_.group_session.count()));
}

void Cluster::stop_cleanly() {
  const int number = any_running();
  if (number == 0 || !machines_[number].broker->serving()) return;
  stop_cleanly(number, pause_of(10, options_.down_max.count()));
}

void Cluster::stop_cleanly(int number, Duration down) {
  Machine& machine = machines_[number];
  machine.stopping = true;
  checker_.on_stopping(number);
  SimBroker* const broker = machine.broker.get();
  // Not its address: a later life may have the same.
  const auto end = [this, number, life = machine.life, down] {
    scheduler_.after({}, [this, number, life, down] {
      if (machines_[number].broker && machines_[number].life == life) take_down(number, Crash::kill, down);
    });
  };
  broker->process().after({}, nullptr, [broker, end] { broker->stop(end); });
  scheduler_.after(kCleanStopTime, end);  // an operator's patience
}

void Cluster::cut_network() {
  const int one = static_cast<int>(random_.between(1, options_.brokers));
  const int other = static_cast<int>(random_.between(0, options_.brokers));
  switch (random_.below(4)) {
    case 0:  // from everybody
      for (int host = 0; host < kFirstClient + 20; ++host) {
        if (host == one) continue;
        network_.cut(one, host);
        network_.cut(host, one);
      }
      break;
    case 1:
      network_.cut(one, other);
      break;
    case 2:
      network_.cut(one, other);
      network_.cut(other, one);
      break;
    default:
      network_.cut(one, kTreeHost);
      network_.cut(kTreeHost, one);
  }
  scheduler_.after(pause_of(100, 2 * options_.session_timeout.count()), [this] { network_.heal(); });
}

void Cluster::reset_connection() {
  if (const auto connection = network_.any_connection()) network_.reset(connection, "reset by peer");
}

void Cluster::lose_session() {
  const std::int64_t session =
      random_.chance(0.5)
          ? tree_.owner(std::string(zk::kControllerPath))
          : tree_.owner(zk::broker_path(static_cast<std::int32_t>(random_.between(1, options_.brokers))));
  if (session != 0) tree_.close(session);
}

// The one who has it hears of it in time.
void Cluster::lose_office() {
  const std::int64_t session = tree_.owner(std::string(zk::kControllerPath));
  if (session != 0) tree_.perform(session, zksession::Op::remove(std::string(zk::kControllerPath)));
}

void Cluster::slow_disk() {
  if (const int number = any_running(); number != 0)
    machines_[number].broker->process().set_slow_disk_until(scheduler_.now() + pause_of(100, 3000));
}

void Cluster::fail_sync() {
  machines_[static_cast<int>(random_.between(1, options_.brokers))].disk->fail_next_sync();
}

// ---- a run
// -------------------------------------------------------------------------------------------------

bool Cluster::advance(Duration time) {
  const Instant end = scheduler_.now() + time;
  Instant instant = scheduler_.now();
  std::uint64_t in_it = 0;
  around_.touched = -1;
  while (!checker_.violation() && scheduler_.run_one(end)) {
    const int host = std::exchange(around_.touched, -1);
    hash_ = (hash_ ^ static_cast<std::uint64_t>(scheduler_.now().time_since_epoch().count()) ^
             static_cast<std::uint64_t>(host)) *
            0x100000001b3ULL;
    in_it = scheduler_.now() == instant ? in_it + 1 : 0;
    instant = scheduler_.now();
    if (in_it > kEventsOfAnInstant) checker_.violate("live", "time stands still");
    const auto at = machines_.find(host);
    if (at == machines_.end() || !at->second.broker) continue;
    spoiler_.after_event(*at->second.broker);
    const SimDisk::Calm calm(*at->second.disk);
    checker_.look_at(*at->second.broker, running());
  }
  return !checker_.violation();
}

template <class Condition>
bool Cluster::await(Duration at_most, Condition condition) {
  const Instant end = scheduler_.now() + at_most;
  while (scheduler_.now() < end) {
    if (condition()) return true;
    if (!advance(kGlance)) return false;
  }
  return condition();
}

// Who is asleep wakes when it was to: woken before, it would do what is new ahead of what waits for it.
Instant Cluster::last_awakening() const {
  Instant last = scheduler_.now();
  for (const auto& [host, process] : around_.processes) last = std::max(last, process->asleep_until());
  return last;
}

void Cluster::mend() {
  note(0, "all faults end");
  network_.heal();
  network_.calm();
  if (options_.disks) dirs_.end_strikes();
  operator_rests_ = true;
  for (auto& [number, machine] : machines_) {
    network_.set_power(number, true);
    if (!machine.broker && !machine.starts) boot(number);
    if (options_.disks && dirs_.is_all_wrong(number)) repair(number);
  }
}

std::string Cluster::unsettled() {
  for (auto& [number, machine] : machines_) {
    if (!machine.broker || !machine.broker->serving()) return fmt::format("broker {} does not serve", number);
    if (!tree_.has(zk::broker_path(number))) return fmt::format("broker {} is not registered", number);
  }
  if (!tree_.has(std::string(zk::kControllerPath))) return "there is no controller";
  if (!tree_.children(std::string(zk::kDeleteTopicsPath)).empty()) return "a topic is still to be deleted";
  for (const auto& producer : producers_)
    if (!producer->idle()) return producer->waits_for();
  if (admin_->throttles()) return "replication is still throttled";
  if (const auto groups = unsettled_groups(); !groups.empty()) return groups;
  return checker_.unsettled(running());
}

std::string Cluster::unsettled_groups() const {
  std::map<std::string, std::int32_t> generations;
  for (const auto& member : members_) {
    if (member->generation() < 0) return "a member of " + member->group() + " has no place in it";
    const auto [at, first] = generations.emplace(member->group(), member->generation());
    if (at->second != member->generation()) return member->group() + " is of two generations";
  }
  return "";
}

ClusterReport Cluster::run() {
  watch_over();
  for (int number = 1; number <= options_.brokers; ++number) boot(number);
  admin_->begin();
  if (!await(kStartTime, [this] { return admin_->made(); }) && !checker_.violation())
    checker_.violate("live", "the topics of the run were not made: " + unsettled());
  for (const auto& producer : producers_) producer->begin();
  for (const auto& consumer : consumers_) consumer->begin();
  for (const auto& member : members_) member->begin();
  const auto loaded = [this] {
    return checker_.committed() > 20 && (members_.empty() || checker_.groups().committed() > 0);
  };
  if (!await(kStartTime, loaded) && !checker_.violation())
    checker_.violate("live", "nothing was produced before the first fault");
  for (std::size_t fault = 0; fault < faults_.size(); ++fault) schedule(fault);
  if (!advance(options_.safety)) return report();
  safe_ = true;
  if (!advance(last_awakening() - scheduler_.now())) return report();
  mend();
  if (!advance(kLastProduce)) return report();
  for (const auto& producer : producers_) producer->stop();
  for (const auto& member : members_) member->stop();
  admin_->stop();
  if (admin_->throttles()) admin_->unthrottle();
  if (options_.disks && !serve_without()) return report();
  if (!await(options_.liveness, [this] { return unsettled().empty(); }) && !checker_.violation())
    checker_.violate("live", unsettled());
  return report();
}

ClusterReport Cluster::report() const {
  ClusterReport out;
  out.violation = checker_.violation();
  out.simulated_seconds = std::chrono::duration<double>(scheduler_.now().time_since_epoch()).count();
  out.events = scheduler_.events();
  out.hash = hash_;
  for (const FaultKind& fault : faults_) out.faults[fault.name] = fault.count;
  for (const auto& [name, count] : dirs_.counts()) out.faults[name] = count;
  std::uint64_t attempted = 0;
  for (const auto& producer : producers_) attempted += producer->attempted();
  out.counts = {{"attempted", attempted},
                {"acknowledged", checker_.acknowledged()},
                {"committed", checker_.committed()},
                {"consumed", checker_.consumed()},
                {"consumed from followers", checker_.consumed_from_followers()},
                {"commits", checker_.groups().committed()},
                {"commits refused", checker_.groups().refused()},
                {"generations", checker_.groups().generations()},
                {"leader changes", checker_.leader_changes()},
                {"in-sync changes", checker_.isr_changes()},
                {"truncations", checker_.truncations()},
                {"unclean elections", checker_.unclean_elections()},
                {"lost by them", checker_.lost()},
                {"records deleted", checker_.deleted()},
                {"said again", checker_.repeated()},
                {"of left epochs refused", checker_.fenced()},
                {"expired sessions", expired_},
                {"starts", starts_},
                {"administrations", admin_->done()}};
  return out;
}

}  // namespace tandem::sim::brokers
