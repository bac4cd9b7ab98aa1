// The JSON files that Apache's tools exchange with their users: which partitions, where they are to be, up to
// which offset to delete. Version 1, the only one there is; the same shapes as the znodes that older tools
// write, and the same bound of 1 MB.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "broker/zk/topics.h"

namespace tandem::tools::kafka {

namespace zk = broker::zk;

inline constexpr std::string_view kAnyLogDir = "any";

struct Placement {
  zk::TopicPartition partition;
  zk::Replicas replicas;
  std::vector<std::string> log_dirs;  // one for each replica
};

struct PartitionOffset {
  zk::TopicPartition partition;
  std::int64_t offset = 0;
};

base::Result<std::string> read_text_file(const std::string& path);
base::Result<std::vector<Placement>> parse_placements(const std::string& json);
base::Result<std::vector<std::string>> parse_topics_to_move(const std::string& json);
base::Result<std::vector<zk::TopicPartition>> parse_partition_list(const std::string& json);
base::Result<std::vector<PartitionOffset>> parse_partition_offsets(const std::string& json);

std::string placements_json(const std::map<zk::TopicPartition, zk::Replicas>& placements);

// Those that occur twice, "t-0,t-1" in order; empty: none does.
std::string repeated(const std::vector<zk::TopicPartition>& partitions);
std::string joined(const std::vector<zk::TopicPartition>& partitions, std::string_view separator);

}  // namespace tandem::tools::kafka
