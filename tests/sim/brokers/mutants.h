// What a careless broker does and a run must notice: none, or one. Made between the brokers and the world: of
// what they send, of what they write into the tree, by their disks and by what they find there after a
// death. Their code has no place for it and stays as it is released. One Mutation for each run.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "broker/protocol/header.h"
#include "broker/protocol/messages/produce.h"
#include "tests/sim/network.h"
#include "tests/sim/sim_disk.h"
#include "zksession/op.h"

namespace tandem::sim::brokers {

enum class BrokerMutant : std::uint8_t {
  none,
  early_acks,           // acks=all is taken for acks=1
  forgiven_errors,      // a produce that was refused is acknowledged
  counted_ahead,        // a follower counts for what it is about to fetch
  unsettled_mark,       // a leader tells its end as the high watermark
  untold_divergence,    // a follower is not told where the logs part
  blind_follower,       // a follower does not say what epoch its last records are of
  unfenced_fetches,     // a follower does not say what leader epoch it believes in
  late_ends,            // an epoch ends where the leader's log does
  watermark_cuts,       // a follower is told of no epoch, and cuts to its watermark (KIP-101)
  epochless_ends,       // it is told where an epoch ends, not which one that is (KIP-279)
  unnoted_epochs,       // of each log only the first epoch is known
  eager_reads,          // consumers read beyond the high watermark
  greedy_isr,           // whoever asks for a larger in-sync set gets everybody in
  lonely_isr,           // a leader is told that it is the only one in sync
  two_leaders,          // each replica is told that it leads
  hasty_election,       // a replica out of sync leads where that is not allowed
  stuck_epochs,         // leader epochs do not rise
  forgiven_isr,         // a refused change of the in-sync set is taken for one that was made
  lost_leaderships,     // some partitions are left out of what a broker is told
  unraised_epoch,       // a new controller does not raise the epoch
  unchecked_writes,     // states are written whatever their version
  lost_news,            // some events of the tree are not heard
  kept_registration,    // a dead broker's registration stays
  kept_office,          // a dead controller's office stays
  forgotten_commits,    // a coordinator does not load what was committed
  kept_groups,          // one that was deposed goes on
  unchecked_commits,    // a commit of an old generation is taken
  forgiven_commits,     // a commit that was refused is acknowledged
  shared_partitions,    // a member gets what another one has
  greedy_deletion,      // followers are told that the log starts at the watermark
  boasted_deletion,     // a follower says that it has deleted what it has not
  shared_ids,           // producers get the same id
  lazy_flush,           // what is acknowledged is not flushed
  lone_flush,           // only one broker flushes on acknowledgement
  no_file_syncs,        // files are never synced
  forgiven_syncs,       // a sync that failed is taken for one that did not
  no_directory_syncs,   // new and renamed names are never synced
  lost_producers,       // a start finds no producers in the snapshots
  short_memory,         // of each producer only the last batch is remembered
  unfenced_producers,   // a batch of an epoch that its producer has left is taken
  unfenced_controller,  // a controller does not check its epoch
  untold_failures,      // nobody is told of a log directory's failure
  denied_failures,      // a broker answers that a replica that has failed is well
  one_for_all,          // a broker ends for one log directory of two
};

inline constexpr std::array kBrokerMutants = {"none",
                                              "early-acks",
                                              "forgiven-errors",
                                              "counted-ahead",
                                              "unsettled-mark",
                                              "untold-divergence",
                                              "blind-follower",
                                              "unfenced-fetches",
                                              "late-ends",
                                              "watermark-cuts",
                                              "epochless-ends",
                                              "unnoted-epochs",
                                              "eager-reads",
                                              "greedy-isr",
                                              "lonely-isr",
                                              "two-leaders",
                                              "hasty-election",
                                              "stuck-epochs",
                                              "forgiven-isr",
                                              "lost-leaderships",
                                              "unraised-epoch",
                                              "unchecked-writes",
                                              "lost-news",
                                              "kept-registration",
                                              "kept-office",
                                              "forgotten-commits",
                                              "kept-groups",
                                              "unchecked-commits",
                                              "forgiven-commits",
                                              "shared-partitions",
                                              "greedy-deletion",
                                              "boasted-deletion",
                                              "shared-ids",
                                              "lazy-flush",
                                              "lone-flush",
                                              "no-file-syncs",
                                              "forgiven-syncs",
                                              "no-directory-syncs",
                                              "lost-producers",
                                              "short-memory",
                                              "unfenced-producers",
                                              "unfenced-controller",
                                              "untold-failures",
                                              "denied-failures",
                                              "one-for-all"};

inline const char* to_string(BrokerMutant mutant) {
  return kBrokerMutants.at(static_cast<std::size_t>(mutant));
}
bool parse_mutant(std::string_view text, BrokerMutant& mutant);
// Only a wide run has what it spoils.
inline bool needs_wide(BrokerMutant mutant) {
  return mutant == BrokerMutant::lone_flush || mutant == BrokerMutant::greedy_deletion ||
         mutant == BrokerMutant::boasted_deletion || mutant == BrokerMutant::short_memory ||
         mutant == BrokerMutant::unfenced_producers || mutant == BrokerMutant::unfenced_controller;
}

// And only one with disks that fail.
inline bool needs_disks(BrokerMutant mutant) {
  return mutant == BrokerMutant::untold_failures || mutant == BrokerMutant::denied_failures ||
         mutant == BrokerMutant::one_for_all;
}

class Mutation {
 public:
  Mutation(BrokerMutant mutant, base::Random random) : mutant_(mutant), random_(random) {}

  // What one end of the connection sends to a host: whole frames, requests from end 0, answers from end 1.
  std::string sent(std::uint64_t connection, int end, int to, std::string bytes);
  void written(zksession::Op& op) const;
  bool heard(const std::string& path);  // an event of the tree
  DiskLies lies() const;
  bool is(BrokerMutant mutant) const { return mutant_ == mutant; }

 private:
  struct Asked {
    broker::protocol::ApiKey key{};
    std::int16_t version = 0;
    std::string frame;  // the request, where its answer needs it
  };
  std::string request(std::deque<Asked>& asked, int to, const std::string& frame);
  std::string answer(const Asked& asked, const std::string& frame);
  std::string group_answer(const Asked& asked, const std::string& frame);
  template <class Message, class Edit>
  std::string edited_request(const broker::protocol::RequestFrame& frame, Edit edit) const;
  template <class Message, class Edit>
  std::string edited_answer(const Asked& asked, const std::string& frame, Edit edit) const;

  void forget_producers(broker::protocol::ProduceRequest& request);

  BrokerMutant mutant_;
  base::Random random_;
  std::map<std::tuple<std::string, std::int32_t, std::int64_t>, std::int16_t> producer_epochs_;  // the newest
  std::map<std::uint64_t, std::deque<Asked>> asked_;  // by connection
  struct Joined {
    std::int32_t generation = -1;
    std::string member;
  };
  Joined joined_;           // the last that did, where there is one group
  std::string assignment_;  // the first that was given in this generation
};

}  // namespace tandem::sim::brokers
