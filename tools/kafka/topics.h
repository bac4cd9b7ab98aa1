// kafka-topics.sh: options, and what both of its back ends share: brokers (prints as Kafka 3.9) and the
// coordination tree (--zookeeper, prints as Kafka 2.7).
#pragma once

#include <map>

#include "tools/kafka/options.h"

namespace tandem::tools::kafka {

inline constexpr std::string_view kTopicsName = "kafka-topics.sh";
std::span<const Option> topics_options();
std::string topics_conflict(const Options& options);  // two options that exclude each other; or empty

struct TopicConfigs {
  std::map<std::string, std::string> added;
  std::vector<std::string> removed;
};
base::Result<TopicConfigs> topic_configs(const Options& options);

// "1:2,2:1": the replicas of each partition.
base::Result<std::vector<std::vector<std::int32_t>>> replica_assignment(const Options& options);

struct PartitionLine {
  std::string topic;
  std::int32_t partition = 0;
  std::int32_t leader = -1;
  std::vector<std::int32_t> replicas;
  std::vector<std::int32_t> isr;
};
std::string to_text(const PartitionLine& line);

// Which partitions --describe prints.
struct PartitionFilter {
  explicit PartitionFilter(const Options& options);
  // `replicas`: as many as should be in sync.
  bool wants(const PartitionLine& line, std::size_t replicas, int min_isr, bool leader_is_alive) const;
  bool any() const { return under_replicated || unavailable || under_min_isr || at_min_isr; }

  bool under_replicated, unavailable, under_min_isr, at_min_isr;
};

int topics_failure(std::string_view message);  // prints as Apache does; returns 1

inline constexpr std::string_view kCollisionWarning =
    "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could "
    "collide. "
    "To avoid issues it is best to use either, but not both.";

// --zookeeper: everything through the coordination tree, printed as Kafka 2.7 does.
int topics_by_zookeeper(const Options& options);

}  // namespace tandem::tools::kafka
