#include "broker/zk/names.h"

#include <doctest/doctest.h>

#include "broker/zk/map_order.h"
#include "broker/zk/paths.h"

using namespace tandem::broker::zk;

TEST_CASE("a topic id reads back from its text") {
  const auto id = topic_id_from_text("QW9rRX6TSum6gIlSplrNtA");
  REQUIRE(!!id);
  CHECK((*id)[0] == 0x41);
  CHECK(topic_id_text(*id) == "QW9rRX6TSum6gIlSplrNtA");
  CHECK(topic_id_text(TopicId{}) == "AAAAAAAAAAAAAAAAAAAAAA");
  CHECK_FALSE(topic_id_from_text("QW9rRX6TSum6gIlSplrNt"));
  CHECK_FALSE(topic_id_from_text("QW9rRX6TSum6gIlSplrN/A"));
}

TEST_CASE("topic names are those of Kafka") {
  for (const char* good : {"a", "A.b_c-9", "__consumer_offsets", "..."}) CHECK(is_topic_name(good));
  for (const char* bad : {"", ".", "..", "a/b", "a b", "a\nb", "\xc3\xa4"}) CHECK_FALSE(is_topic_name(bad));
  CHECK(is_topic_name(std::string(249, 'x')));
  CHECK_FALSE(is_topic_name(std::string(250, 'x')));
  CHECK(topic_names_collide("a.b", "a_b"));
  CHECK_FALSE(topic_names_collide("a.b", "a-b"));
}

TEST_CASE("config entities are URL encoded as Java does") {
  CHECK(sanitize_entity("CN=a b*~+/ü") == "CN%3Da%20b%2A~%2B%2F%C3%BC");
  CHECK(desanitize_entity("CN%3Da%20b%2A~%2B%2F%C3%BC") == "CN=a b*~+/ü");
  CHECK_FALSE(desanitize_entity("a%2"));
  CHECK_FALSE(desanitize_entity("a%zz"));
}

TEST_CASE("hashes are Java's") {
  CHECK(java_string_hash("") == 0);
  CHECK(java_string_hash("abc") == 96354);
  CHECK(java_string_hash("ü") == 252);
  CHECK(java_string_hash("\xf0\x9f\x98\x80") == 1772899);
  CHECK(java_string_hash("polygenelubricants") == INT32_MIN);
}

TEST_CASE("paths") {
  CHECK(partition_state_path({"t", 3}) == "/brokers/topics/t/partitions/3/state");
  CHECK(ancestors("/a/b/c") == std::vector<std::string>{"/a", "/a/b"});
  CHECK(ancestors("/a").empty());
  CHECK(sequence_of("config_change_0000000012", kConfigChangePrefix) == 12);
  CHECK_FALSE(sequence_of("config_change_x", kConfigChangePrefix));
}
