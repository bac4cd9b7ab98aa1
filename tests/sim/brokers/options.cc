#include "tests/sim/brokers/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tandem::sim::brokers {

namespace {

// Off with an even chance, else a mean of this range.
milliseconds mean_of(base::Random& random, std::int64_t low_ms, std::int64_t high_ms) {
  const bool on = random.chance(0.5);
  const std::int64_t mean = random.between(low_ms, high_ms);
  return milliseconds(on ? mean : 0);
}

}  // namespace

BrokerOptions BrokerOptions::of_seed(std::uint64_t seed, bool wide, bool disks) {
  base::Random random(seed * 2 + 1);
  BrokerOptions options;
  options.seed = seed;
  constexpr std::array<int, 6> kBrokers = {3, 3, 3, 4, 4, 5};
  options.brokers = kBrokers[random.below(kBrokers.size())];
  options.shards = random.chance(0.3) ? 2 : 1;
  options.topics = static_cast<int>(random.between(1, 3));
  options.partitions = static_cast<int>(random.between(1, 3));
  options.replication = static_cast<int>(random.between(2, 3));
  options.min_insync = static_cast<int>(random.between(1, options.replication));
  options.producers = static_cast<int>(random.between(1, 4));
  options.consumers = static_cast<int>(random.between(1, 2));
  options.idempotent = random.chance(0.8);
  options.durable = random.chance(0.4);
  options.old_protocol = random.chance(0.2);
  options.segment_bytes = static_cast<int>(random.between(1, 16)) * 1024;
  options.session_timeout = milliseconds(random.between(10, 60) * 100);
  options.lag_max = milliseconds(random.between(10, 50) * 100);
  options.fetch_wait = milliseconds(random.between(20, 500));
  options.socket_timeout = milliseconds(random.between(10, 50) * 100);
  options.think = milliseconds(random.between(5, 60));
  options.kills = mean_of(random, 1000, 8000);
  options.power_cuts = mean_of(random, 1000, 8000);
  if (!options.durable) options.power_cuts = milliseconds(0);
  options.pauses = mean_of(random, 1000, 8000);
  options.clean_stops = mean_of(random, 2000, 10000);
  options.partitions_cut = mean_of(random, 1000, 8000);
  options.resets = mean_of(random, 200, 4000);
  options.session_losses = mean_of(random, 1000, 8000);
  options.slow_disks = mean_of(random, 500, 4000);
  options.disk_errors = mean_of(random, 3000, 15000);
  options.topic_churn = mean_of(random, 500, 5000);
  options.reassignments = mean_of(random, 500, 5000);
  options.elections = mean_of(random, 500, 5000);
  options.latency = std::chrono::microseconds(random.between(50, 3000));
  options.latency_spikes = random.chance(0.3) ? 0.01 : 0;
  const bool groups = random.chance(0.6);
  options.groups = groups ? static_cast<int>(random.between(1, 2)) : 0;
  options.members = static_cast<int>(random.between(1, 3));
  options.group_session = milliseconds(random.between(3, 40) * 100);
  options.group_rebalance = milliseconds(random.between(3, 20) * 100);
  if (wide) options.widen();
  if (disks) options.endanger_disks();
  return options;
}

void BrokerOptions::widen() {
  base::Random random(~seed);
  wide = true;
  flush_on_ack = durable && random.chance(0.6);
  if (durable) blackouts = mean_of(random, 2000, 10000);
  takeover = random.chance(0.7);
  suspicion = random.chance(0.7);
  suspect = milliseconds(random.chance(0.7) ? random.between(2, 30) * 100 : 0);
  unclean_topics = random.chance(0.5) ? 1 : 0;
  if (unclean_topics > 0) {
    unclean_elections = mean_of(random, 500, 3000);
    unclean_toggles = mean_of(random, 1000, 5000);
  }
  deletions = mean_of(random, 300, 3000);
  throttles = mean_of(random, 1000, 5000);
  racks = random.chance(0.4) ? static_cast<int>(random.between(2, 3)) : 0;
  epoch_bumps = random.chance(0.5) ? 0.3 : 0;
  repetitions = random.chance(0.5) ? 0.1 : 0;
  office_losses = mean_of(random, 1000, 8000);
}

void BrokerOptions::endanger_disks() {
  base::Random random(~seed * 2 + 1);
  disks = true;
  log_dirs = random.chance(0.8) ? 2 : 1;
  dir_failures = milliseconds(random.between(1000, 8000));
  repair = milliseconds(random.between(5, 50) * 100);
  // A loss of power in the middle leaves two directories of a partition, which a person has to look at.
  dir_moves = mean_of(random, 200, 2000);
  if (durable || log_dirs == 1) dir_moves = milliseconds(0);
}

std::vector<std::string> BrokerOptions::dirs() const {
  return log_dirs == 1 ? std::vector<std::string>{"/d"} : std::vector<std::string>{"/d", "/e"};
}

void BrokerOptions::suit(BrokerMutant wanted) {
  mutant = wanted;
  if (wanted == BrokerMutant::unfenced_controller) office_losses = milliseconds(500);
  if (wanted == BrokerMutant::short_memory) repetitions = 0.1;
  if (wanted == BrokerMutant::unfenced_producers) epoch_bumps = 0.3;
  if (wanted == BrokerMutant::forgiven_isr) {
    old_protocol = false;
    lag_max = milliseconds(1000);
    pauses = kills = milliseconds(1000);
    reassignments = elections = milliseconds(300);
  }
  if (wanted == BrokerMutant::watermark_cuts || wanted == BrokerMutant::epochless_ends) old_protocol = true;
}

std::string BrokerOptions::text() const {
  return fmt::format(
      "seed={} wide={} disks={} mutant={} brokers={} shards={} topics={}x{} replication={} min_insync={} "
      "producers={} "
      "consumers={} idempotent={} durable={} flush_on_ack={} takeover={} suspicion={} suspect={} "
      "old_protocol={} "
      "segment_bytes={} session={} lag={} fetch_wait={} "
      "socket={} think={} kills={} power_cuts={} blackouts={} pauses={} clean_stops={} partitions={} "
      "resets={} "
      "session_losses={} slow_disks={} disk_errors={} churn={} reassignments={} elections={} latency_us={} "
      "spikes={} unclean={} unclean_elections={} unclean_toggles={} deletions={} throttles={} racks={} "
      "office_losses={} log_dirs={} dir_failures={} dir_moves={} repair={} epoch_bumps={} repetitions={} "
      "groups={}x{} group_session={} group_rebalance={}",
      seed, wide, disks, to_string(mutant), brokers, shards, topics, partitions, replication, min_insync,
      producers, consumers, idempotent, durable, flush_on_ack, takeover, suspicion, suspect.count(),
      old_protocol, segment_bytes, session_timeout.count(), lag_max.count(), fetch_wait.count(),
      socket_timeout.count(), think.count(), kills.count(), power_cuts.count(), blackouts.count(),
      pauses.count(), clean_stops.count(), partitions_cut.count(), resets.count(), session_losses.count(),
      slow_disks.count(), disk_errors.count(), topic_churn.count(), reassignments.count(), elections.count(),
      std::chrono::duration_cast<std::chrono::microseconds>(latency).count(), latency_spikes, unclean_topics,
      unclean_elections.count(), unclean_toggles.count(), deletions.count(), throttles.count(), racks,
      office_losses.count(), log_dirs, dir_failures.count(), dir_moves.count(), repair.count(), epoch_bumps,
      repetitions, groups, members, group_session.count(), group_rebalance.count());
}

}  // namespace tandem::sim::brokers
