#include "broker/log/text_checkpoint.h"

#include <doctest/doctest.h>

#include "broker/log/file_names.h"

using namespace tandem::broker::log;

TEST_CASE("an offset checkpoint reads back and a malformed one is refused") {
  const OffsetCheckpoint offsets{{{"a", 0}, 5}, {{"topic.with-dash", 12}, 77}};
  CHECK(format_offset_checkpoint(offsets) == "0\n2\na 0 5\ntopic.with-dash 12 77\n");
  CHECK(*parse_offset_checkpoint(format_offset_checkpoint(offsets), "f") == offsets);
  for (const char* bad :
       {"1\n0\n", "0\n", "0\n1\n", "0\n1\na 0\n", "0\n1\na x 1\n", "0\n1\na 0 1\nb 0 1\n", "x", "\n"})
    CHECK(!parse_offset_checkpoint(bad, "f").has_value());
}

TEST_CASE("the identity of a directory is read from Java's properties and written for them") {
  const auto read = parse_meta_properties(
      "#\n#Sun Nov 22 04:00:00 UTC 2026\nbroker.id=3\ncluster.id=abc_DEF-0123456789012\nversion=0\n", "f");
  REQUIRE(read.has_value());
  CHECK(read->broker_id == 3);
  CHECK(read->cluster_id == "abc_DEF-0123456789012");
  CHECK(parse_meta_properties(format_meta_properties(*read, "#now"), "f")->broker_id == 3);
  CHECK(!parse_meta_properties("version=1\nnode.id=3\n", "f").has_value());
  CHECK(!parse_meta_properties("version=0\nbroker.id=x\n", "f").has_value());
}

TEST_CASE("names of directories are told apart as Kafka tells them") {
  CHECK(parse_partition_dir("a-b-7")->topic == "a-b");
  CHECK(parse_partition_dir("a-b-7")->partition == 7);
  const auto gone = parse_partition_dir("a-7.0123456789abcdef0123456789abcdef-delete");
  REQUIRE(gone.has_value());
  CHECK(gone->kind == DirKind::deleted);
  CHECK(gone->topic == "a");
  CHECK(parse_partition_dir("a-7.0123456789abcdef0123456789abcdef-future")->kind == DirKind::future);
  for (const char* bad : {"a", "-7", "a-", "a-x", "lost+found", "a-7.x-deleted"})
    CHECK(!parse_partition_dir(bad));
  CHECK(renamed_dir(std::string(249, 't'), 11, std::string(32, '0'), "-delete").size() == 255);
}
