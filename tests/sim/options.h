// What a seed makes of a run: the ensemble, its limits, which faults there are and how often. Printed whole,
// so that a run can be understood without running it again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "tests/sim/scheduler.h"

namespace tandem::sim {

// Faults of the harness that a run must notice, each the work of a careless implementation: none, or one.
enum class Mutant : std::uint8_t {
  none,
  early_durable,      // the log is reported durable before it is
  lost_accepted,      // accepted epochs are not kept over a crash
  early_epoch,        // the current epoch is written when it is agreed on, before the history is
  no_truncate,        // a truncation changes the tree and not the log
  short_snapshot,     // a snapshot lacks its last transaction
  small_quorum,       // one server alone is a quorum
  blind_votes,        // votes come without zxid and epoch
  dropped_proposal,   // a proposal is lost on a connection that goes on
  acks_without_data,  // acknowledgements are counted for what a server never had
};
inline constexpr int kMutants = 10;
const char* to_string(Mutant mutant);
bool parse_mutant(std::string_view text, Mutant& mutant);

struct Options {
  std::uint64_t seed = 0;
  Mutant mutant = Mutant::none;
  int voters = 3;
  int observers = 0;
  int clients = 4;
  milliseconds tick{500};
  int init_limit = 10;
  int sync_limit = 5;
  milliseconds silence{0};  // heartbeats; zero: none
  int commit_log_count = 500;
  bool log_readable = true;
  bool read_only =
      false;  // readonlymode.enabled: no client of these asks for it, roles come and go all the same
  milliseconds session_timeout{4000};
  milliseconds safety{30000};    // with faults
  milliseconds liveness{40000};  // without
  milliseconds think{30};        // between the operations of a client, on average

  // Mean time between faults of a class; zero: none of it.
  milliseconds kills{0};        // kill -9, data that was written stays
  milliseconds power_cuts{0};   // what was not synced goes
  milliseconds pauses{0};       // SIGSTOP for a while
  milliseconds partitions{0};   // one-way, one server, halves, bridge
  milliseconds resets{0};       // of one connection
  milliseconds slow_disks{0};   // a sync that takes up to a second
  milliseconds disk_errors{0};  // a sync fails: the process ends
  Duration latency{std::chrono::microseconds(300)};
  double latency_spikes = 0;  // share of messages that take up to 200 ms

  static Options of_seed(std::uint64_t seed);
  std::string text() const;
};

}  // namespace tandem::sim
