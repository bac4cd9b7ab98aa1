#include "tests/sim/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tandem::sim {

namespace {

constexpr std::array<const char*, kMutants> kNames = {"none",
                                                      "early-durable",
                                                      "lost-accepted",
                                                      "early-epoch",
                                                      "no-truncate",
                                                      "short-snapshot",
                                                      "small-quorum",
                                                      "blind-votes",
                                                      "dropped-proposal",
                                                      "acks-without-data",
                                                      "no-file-syncs",
                                                      "no-directory-syncs",
                                                      "forgiven-syncs",
                                                      "blind-checksums",
                                                      "greedy-purge",
                                                      "trusting-recovery",
                                                      "lost-current",
                                                      "unsaved-snapshot",
                                                      "early-current-ack",
                                                      "early-accepted-ack",
                                                      "undrained-log",
                                                      "kept-tree",
                                                      "votes-without-zxid",
                                                      "zxid-before-epoch",
                                                      "always-looking",
                                                      "early-commit",
                                                      "early-uptodate",
                                                      "short-diff",
                                                      "untold-trunc",
                                                      "immortal-sessions",
                                                      "half-multi",
                                                      "left-ephemerals",
                                                      "untold-touches",
                                                      "local-sync",
                                                      "early-syncs",
                                                      "late-watches",
                                                      "lost-watches",
                                                      "double-watches",
                                                      "swapped-replies",
                                                      "forgotten-watches",
                                                      "deep-trunc",
                                                      "damaged-votes",
                                                      "ignored-versions"};

// Off with an even chance, else a mean of this range.
milliseconds swarm(base::Random& random, std::int64_t low_ms, std::int64_t high_ms) {
  const bool on = random.chance(0.5);
  const std::int64_t mean = random.between(low_ms, high_ms);
  return milliseconds(on ? mean : 0);
}

// Asked for, a third of the seeds with an ensemble have one or two models of Apache's among the voters, some
// all but one. What is drawn behind is the same either way. They exchange no heartbeats, read-only mode is
// not part of the model.
void draw_apache(Options& options, base::Random& random, bool wanted) {
  const bool drawn = random.chance(0.35);
  const std::uint64_t count = random.chance(0.2) ? 7 : random.between(1, 2);
  const bool old = random.chance(0.4);
  const bool quick = random.chance(0.5);
  if (!wanted || !drawn || options.voters < 2) return;
  for (std::uint64_t i = 0; i < count; ++i) options.apache |= 1U << random.between(1, options.voters);
  options.apache_old = old;
  options.apache_quick_acks = quick;
  options.liveness = milliseconds(120000);
}

// A quarter of the seeds with an ensemble: several clients wait for the same slow disk.
void draw_crowd(Options& options, base::Random& random) {
  const bool drawn = random.chance(0.25);
  const int server = static_cast<int>(random.between(1, options.voters + options.observers));
  const int clients = static_cast<int>(random.between(6, 10));
  const milliseconds slow_disks(random.between(50, 500));
  if (!drawn || options.voters < 2) return;
  options.crowded = server;
  options.clients = clients;
  options.slow_disks = slow_disks;
}

}  // namespace

const char* to_string(Mutant mutant) { return kNames.at(static_cast<std::size_t>(mutant)); }

bool parse_mutant(std::string_view text, Mutant& mutant) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (text != kNames[i]) continue;
    mutant = static_cast<Mutant>(i);
    return true;
  }
  return false;
}

Options Options::of_seed(std::uint64_t seed, bool mixed) {
  base::Random random(seed * 2 + 1);
  Options options;
  options.seed = seed;
  constexpr std::array<int, 8> kVoters = {1, 2, 3, 3, 3, 5, 5, 7};
  options.voters = kVoters[random.below(kVoters.size())];
  options.observers = random.chance(0.4) ? static_cast<int>(random.between(1, 2)) : 0;
  options.clients = static_cast<int>(random.between(2, 6));
  options.tick = milliseconds(random.between(1, 8) * 100);
  options.init_limit = static_cast<int>(random.between(5, 20));
  options.sync_limit = static_cast<int>(random.between(2, 8));
  options.commit_log_count = static_cast<int>(random.between(1, 200));
  options.log_readable = random.chance(0.7);
  options.session_timeout = milliseconds(random.between(4, 20) * options.tick.count());
  options.think = milliseconds(random.between(5, 60));
  options.kills = swarm(random, 1000, 10000);
  options.power_cuts = swarm(random, 1000, 10000);
  options.pauses = swarm(random, 1000, 10000);
  options.partitions = swarm(random, 1000, 8000);
  options.resets = swarm(random, 300, 5000);
  options.slow_disks = swarm(random, 200, 3000);
  options.disk_errors = swarm(random, 3000, 15000);
  options.latency = std::chrono::microseconds(random.between(50, 5000));
  options.latency_spikes = random.chance(0.3) ? 0.01 : 0;
  options.read_only = random.chance(0.3);
  options.silence = milliseconds(random.chance(0.7) ? random.between(100, 2000) : 0);
  options.real_disk = random.chance(0.5);
  options.snap_count = static_cast<int>(random.between(10, 1000));
  options.preallocate = random.chance(0.3) ? 0 : static_cast<int>(random.between(1, 32)) * 1024;
  options.log_bytes_max = random.chance(0.7) ? 0 : static_cast<int>(random.between(2, 64)) * 1024;
  options.full_disks = swarm(random, 3000, 15000);
  options.read_errors = swarm(random, 3000, 15000);
  options.rot = swarm(random, 2000, 15000);
  draw_apache(options, random, mixed);
  options.clock_jumps = swarm(random, 1000, 8000);
  options.replays = swarm(random, 500, 5000);
  // Apache's models are no masters, and where nobody follows there is none.
  const bool masters = random.chance(0.5);
  options.observer_masters = masters && options.observers > 0 && options.voters >= 3 && options.apache == 0;
  if (options.observer_masters) options.observer_delay = milliseconds(random.between(0, 1000));
  draw_crowd(options, random);
  options.sync_verified = !random.chance(0.15);
  options.closes = random.chance(0.3);
  options.local_sessions = random.chance(0.15) && options.apache == 0;
  options.log_in_groups = random.chance(0.7);
  // An observer of Apache's hears of a transaction when it is committed only, and cannot tell.
  options.renumbers = random.chance(0.3) && (options.observers == 0 || options.apache == 0);
  return options;
}

Options Options::of_quiet_seed(std::uint64_t seed) {
  const Options drawn = of_seed(seed, false);
  Options options;
  options.seed = seed;
  options.voters = std::max(drawn.voters, 3);
  options.observers = drawn.observers;
  options.clients = drawn.clients;
  options.tick = drawn.tick;
  options.init_limit = drawn.init_limit;
  options.sync_limit = drawn.sync_limit;
  options.silence = drawn.silence;
  options.session_timeout = drawn.session_timeout;
  options.latency = drawn.latency;
  return options;
}

std::string Options::text() const {
  return fmt::format(
      "seed={} mutant={} voters={} observers={} clients={} tick={} init={} sync={} silence={} commit_log={} "
      "log_readable={} read_only={} "
      "session={} think={} kills={} power_cuts={} pauses={} partitions={} resets={} slow_disks={} "
      "disk_errors={} "
      "latency_us={} spikes={} real_disk={} snap_count={} preallocate={} log_bytes_max={} full_disks={} "
      "read_errors={} rot={} apache={:#x}{}{} clock_jumps={} replays={} masters={} observer_delay={} "
      "sync_verified={} crowded={} closes={} local_sessions={} log_in_groups={} renumbers={}",
      seed, to_string(mutant), voters, observers, clients, tick.count(), init_limit, sync_limit,
      silence.count(), commit_log_count, log_readable, read_only, session_timeout.count(), think.count(),
      kills.count(), power_cuts.count(), pauses.count(), partitions.count(), resets.count(),
      slow_disks.count(), disk_errors.count(),
      std::chrono::duration_cast<std::chrono::microseconds>(latency).count(), latency_spikes, real_disk,
      snap_count, preallocate, log_bytes_max, full_disks.count(), read_errors.count(), rot.count(), apache,
      apache_old ? " (3.5)" : "", apache_quick_acks ? " (quick)" : "", clock_jumps.count(), replays.count(),
      observer_masters, observer_delay.count(), sync_verified, crowded, closes, local_sessions, log_in_groups,
      renumbers);
}

}  // namespace tandem::sim
