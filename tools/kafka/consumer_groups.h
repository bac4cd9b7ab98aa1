// kafka-consumer-groups.sh: its options, and its parts, one file each: list, describe, reset, delete.
// Prints what Apache Kafka 3.9's tool prints, rows sorted and one a line.
#pragma once

#include "tools/kafka/groups.h"
#include "tools/kafka/options.h"

namespace tandem::tools::kafka {

inline constexpr std::string_view kGroupsName = "kafka-consumer-groups.sh";
std::span<const Option> groups_options();
int groups_usage(std::string_view sentence);  // returns 1
void groups_error(std::string_view message);  // "\nError: ..." on standard output, as Apache's

base::Result<std::vector<std::string>> chosen_groups(Admin& admin, const Options& options);
// "topic" or "topic:0,1" to partitions.
base::Result<std::vector<TopicPartition>> named_partitions(Admin& admin, const std::string& argument);

base::Status describe_groups(Admin& admin, const Options& options);
base::Status reset_offsets(Admin& admin, const Options& options);
base::Status delete_groups(Admin& admin, const Options& options);
base::Status delete_offsets(Admin& admin, const Options& options);

}  // namespace tandem::tools::kafka
