// What the tools ask about consumer groups and offsets, over the admin client: questions that take several
// requests (find the coordinator, ask every broker, ask each leader) as one call.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tools/kafka/admin.h"

namespace tandem::tools::kafka {

using TopicPartition = std::pair<std::string, std::int32_t>;
using Offsets = std::map<TopicPartition, std::int64_t>;

struct ListedGroup {
  std::string id;
  std::string state;
  std::string type;
};

struct GroupMember {
  std::string id;
  std::string instance_id;  // empty: none
  std::string client_id;
  std::string host;
  std::vector<TopicPartition> assignment;
};

struct DescribedGroup {
  std::string id;
  std::string state;
  std::string assignor;
  Node coordinator;
  std::vector<GroupMember> members;
};

inline constexpr std::int64_t kLatest = -1;
inline constexpr std::int64_t kEarliest = -2;

// Ascending by id; empty filters take everything.
base::Result<std::vector<ListedGroup>> list_groups(Admin& admin, const std::vector<std::string>& states,
                                                   const std::vector<std::string>& types);
base::Result<DescribedGroup> describe_group(Admin& admin, const std::string& group);
base::Result<Offsets> committed_offsets(Admin& admin, const std::string& group);
base::Status commit_offsets(Admin& admin, const std::string& group, const Offsets& offsets);

// Offsets at a timestamp, asked from the partitions' leaders; a partition without an answer is left out of
// the result and its error put into `errors` when that is given.
base::Result<Offsets> list_offsets(Admin& admin, const std::vector<TopicPartition>& partitions,
                                   std::int64_t timestamp,
                                   std::map<TopicPartition, ErrorCode>* errors = nullptr);
base::Result<std::vector<TopicPartition>> partitions_of(Admin& admin, const std::string& topic);

}  // namespace tandem::tools::kafka
