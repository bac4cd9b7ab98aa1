#include "zksession/connect_string.h"

#include <doctest/doctest.h>

namespace tandem::zksession {

TEST_CASE("hosts, ports and a chroot are told apart") {
  const auto parsed = parse_connect_string("a:2182, b ,[::1]:2183,c:/kafka/x");
  REQUIRE(parsed.has_value());
  CHECK(parsed->hosts == std::vector<Host>{{"a", 2182}, {"b", 2181}, {"::1", 2183}, {"c", 2181}});
  CHECK_EQ(parsed->chroot, "/kafka/x");
}

TEST_CASE("a lone slash is no chroot") {
  const auto parsed = parse_connect_string("localhost:2181/");
  REQUIRE(parsed.has_value());
  CHECK(parsed->chroot.empty());
}

TEST_CASE("what cannot be reached is refused") {
  CHECK_FALSE(parse_connect_string("").has_value());
  CHECK_FALSE(parse_connect_string("a:70000").has_value());
  CHECK_FALSE(parse_connect_string("a:b").has_value());
  CHECK_FALSE(parse_connect_string("a:2181/x/").has_value());
}

TEST_CASE("path faults have Apache's wording") {
  CHECK_EQ(path_fault("/a/b.c/..d"), "");
  CHECK_EQ(path_fault(""), "Path length must be > 0");
  CHECK_EQ(path_fault("a"), "Path must start with / character");
  CHECK_EQ(path_fault("/a/"), "Path must not end with / character");
  CHECK_EQ(path_fault("/a//b"), "Invalid path string \"/a//b\" caused by empty node name specified @3");
  CHECK_EQ(path_fault("/a/./b"), "Invalid path string \"/a/./b\" caused by relative paths not allowed @3");
  CHECK_EQ(path_fault("/a/.."), "Invalid path string \"/a/..\" caused by relative paths not allowed @4");
  CHECK_EQ(path_fault("/\x01"), "Invalid path string \"/\x01\" caused by invalid character @1");
  CHECK_EQ(path_fault("/\xc3\xa9\xe2\x82\xac"), "");
}

}  // namespace tandem::zksession
