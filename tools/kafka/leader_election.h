// Elections of leaders: kafka-leader-election.sh (preferred or unclean, of the partitions named or of all),
// and what it shares with kafka-preferred-replica-election.sh, its forerunner until Kafka 2.7
// (preferred_election.cc).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "tools/kafka/options.h"
#include "tools/kafka/partition_files.h"

namespace tandem::tools::kafka {

using Elected = std::optional<std::vector<zk::TopicPartition>>;  // nullopt: all

// How the tool calls what it does.
struct ElectionWords {
  std::string_view election;
  std::string_view idle;    // which is elected already
  std::string_view failed;  // so many could not be
};

// Asks the controller, prints what became of it; returns the exit code.
int elect_by_brokers(const Options& options, const Elected& partitions, bool unclean,
                     const ElectionWords& words);

}  // namespace tandem::tools::kafka
