#include <doctest/doctest.h>

#include "broker/group/group_records.h"

namespace tandem::broker::group {

TEST_CASE("a commit is written as Kafka 3.9 writes it: key version 1, value version 3") {
  const Record record = commit_record("g", {"t", 2}, {5, 1, "m", 1000, std::nullopt});
  CHECK_EQ(record.key, std::string("\0\1\0\1g\0\1t\0\0\0\2", 12));
  CHECK_EQ(*record.value, std::string("\0\3\0\0\0\0\0\0\0\5\0\0\0\1\0\1m\0\0\0\0\0\0\3\xe8", 25));
}

TEST_CASE("a commit with its own expiry is written in version 1") {
  const Record record = commit_record("g", {"t", 0}, {5, -1, "", 1000, 2000});
  CHECK_EQ(record.value->substr(0, 2), std::string("\0\1", 2));
  const auto stored = read_record(record.key, *record.value);
  REQUIRE(stored.has_value());
  CHECK_EQ(std::get<StoredCommit>(*stored).value->expire_timestamp, 2000);
}

TEST_CASE("records of newer protocols are skipped, broken ones are errors") {
  CHECK(std::holds_alternative<Skipped>(*read_record(std::string("\0\3abc", 5), "value")));
  CHECK_FALSE(read_record("", "value").has_value());
  CHECK_FALSE(read_record(std::string("\0\1\0\x7fg", 5), "value").has_value());
  CHECK_FALSE(read_record(commit_tombstone("g", {"t", 0}).key, std::string("\0\x63", 2)).has_value());
}

TEST_CASE("a tombstone deletes") {
  const auto commit = read_record(commit_tombstone("g", {"t", 0}).key, std::nullopt);
  REQUIRE(commit.has_value());
  CHECK_FALSE(std::get<StoredCommit>(*commit).value.has_value());
  const auto group = read_record(group_tombstone("g").key, std::nullopt);
  REQUIRE(group.has_value());
  CHECK_FALSE(std::get<StoredGroup>(*group).value.has_value());
}

}  // namespace tandem::broker::group
