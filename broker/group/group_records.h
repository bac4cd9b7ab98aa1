// Records of __consumer_offsets <-> state, in the versions that Kafka 3.9 writes: commits as key v1 with
// value v3 (v1 when the commit brings its own expiry), groups as key v2 with value v3. Keys of version 3 and
// above belong to newer protocols and are skipped.
#pragma once

#include <optional>
#include <variant>

#include "base/result.h"
#include "broker/group/group.h"

namespace tandem::broker::group {

Record commit_record(const std::string& group, const TopicPartition& at, const Committed& value);
Record commit_tombstone(const std::string& group, const TopicPartition& at);
// The group with these assignments (by member id) in place of those it has.
Record group_record(const Group& group, const std::map<std::string, std::string>& assignments);
Record group_tombstone(const std::string& group);

struct StoredCommit {
  std::string group;
  TopicPartition at;
  std::optional<Committed> value;  // none: deleted
};
struct StoredGroup {
  std::string group;
  std::optional<Group::Stored> value;  // none: deleted
};
struct Skipped {};
using Stored = std::variant<Skipped, StoredCommit, StoredGroup>;

base::Result<Stored> read_record(std::string_view key, std::optional<std::string_view> value);

}  // namespace tandem::broker::group
