// What a seed makes of a run: the ensemble, its limits, which faults there are and how often. Printed whole,
// so that a run can be understood without running it again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "tests/sim/scheduler.h"

namespace tandem::sim {

// What a careless implementation does and a run must notice: none, or one. Made by the disks (list_disk,
// store_disk, sim_disk) and between core and world (mutations.h), the cores stay as they are.
enum class Mutant : std::uint8_t {
  none,
  early_durable,       // the log is reported durable before it is
  lost_accepted,       // accepted epochs are not kept over a crash
  early_epoch,         // the current epoch is written when it is agreed on, before the history is
  no_truncate,         // a truncation changes the tree and not the log
  short_snapshot,      // a snapshot lacks its last transaction
  small_quorum,        // one server alone is a quorum
  blind_votes,         // votes come without zxid and epoch
  dropped_proposal,    // a proposal is lost on a connection that goes on
  acks_without_data,   // acknowledgements are counted for what a server never had
  no_file_syncs,       // files are never synced
  no_directory_syncs,  // new and renamed names are never synced
  forgiven_syncs,      // a sync that failed is taken for one that did not
  blind_checksums,     // damaged entries are taken for good ones
  greedy_purge,        // logs are removed that the snapshots need
  trusting_recovery,   // what a start reads is not made durable
  lost_current,        // current epochs are not kept over a crash
  unsaved_snapshot,    // a leader's snapshot stays in memory
  early_current_ack,   // NEWLEADER is acknowledged before the current epoch is durable
  early_accepted_ack,  // LEADERINFO is acknowledged before the accepted epoch is durable
  undrained_log,       // a role begins while the log of the one before still writes
  kept_tree,           // a truncation changes the log and not the tree
  votes_without_zxid,  // votes come without zxid
  zxid_before_epoch,   // the longer history wins, whatever its epoch
  always_looking,      // who leads or follows says that it looks
  early_commit,        // COMMIT is sent with the proposal
  early_uptodate,      // UPTODATE is sent with NEWLEADER
  short_diff,          // a DIFF lacks its last transaction
  untold_trunc,        // DIFF where TRUNC is needed
  immortal_sessions,   // every session that is asked for lives
  half_multi,          // a learner applies a multi without its last part
  left_ephemerals,     // a learner keeps a closed session's nodes
  untold_touches,      // a learner does not say which sessions it heard of
  local_sync,          // sync is answered by the server that it came to
  early_syncs,         // the answer of a sync overtakes the COMMITs before it
  late_watches,        // events come behind the reply that shows the change
  lost_watches,        // some events are not sent
  double_watches,      // events are sent twice
  swapped_replies,     // a reply overtakes another
  forgotten_watches,   // watches are not set again after a reconnect
  deep_trunc,          // TRUNC names the transaction before
  damaged_votes,       // who has lost what it acknowledged votes all the same
  ignored_versions,    // a write on the condition of a version is done without
};
inline constexpr int kMutants = 43;
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
  milliseconds down_max{4000};   // of a server
  int operations_max = 0;        // of a client, all of them writes; 0: no end to them

  // Mean time between faults of a class; zero: none of it.
  milliseconds kills{0};        // kill -9, data that was written stays
  milliseconds power_cuts{0};   // what was not synced goes
  milliseconds pauses{0};       // SIGSTOP for a while
  milliseconds partitions{0};   // one-way, one server, halves, bridge
  milliseconds resets{0};       // of one connection
  milliseconds slow_disks{0};   // a sync that takes up to a second
  milliseconds disk_errors{0};  // a sync fails: the process ends
  bool log_in_groups = false;   // of the list; the real code always does
  // Of the real storage code only.
  bool real_disk = false;
  int snap_count = 1000;
  int preallocate = 4096;
  int log_bytes_max = 0;           // of a file; 0: no limit
  milliseconds full_disks{0};      // for a while
  milliseconds read_errors{0};     // of one read
  milliseconds clock_jumps{0};     // of one server's wall clock
  milliseconds replays{0};         // of one message of an election, or of a learner's connection
  milliseconds rot{0};             // of bytes at rest, of one voter or observer, so that a quorum knows
  bool observer_masters = false;   // observers are served by followers
  milliseconds observer_delay{0};  // at most, before one connects or looks again
  // Models of Apache's servers among the voters: one bit for each number.
  unsigned apache = 0;
  bool apache_old = false;         // of 3.5
  bool apache_quick_acks = false;  // ApacheOptions
  bool is_apache(int number) const { return (apache >> number & 1U) != 0; }
  bool sync_verified = true;  // tandem.sync.quorumVerified
  int crowded = 0;      // most clients are at this server, all ask for syncs, its disk is often slow; 0: none
  bool closes = false;  // clients close their sessions now and then
  bool renumbers = false;       // clients number their requests anew on each connection
  bool local_sessions = false;  // upgraded when they want a node of their own
  Duration latency{std::chrono::microseconds(300)};
  double latency_spikes = 0;  // share of messages that take up to 200 ms

  static Options of_seed(std::uint64_t seed, bool mixed);  // mixed: models of Apache's may be among them
  // An ensemble of the seed's kind, none of its faults, three voters or more, ours.
  static Options of_quiet_seed(std::uint64_t seed);
  std::string text() const;
};

}  // namespace tandem::sim
