#include <doctest/doctest.h>

#include "tools/shell/arguments.h"
#include "tools/shell/print.h"
#include "tools/shell/quota.h"

namespace tandem::tools::shell {

namespace {

constexpr Option kOptions[] = {{"s", false, "stats"}, {"v", true, "version"}, {"w", false, "watch"}};

std::string complaint(const std::vector<std::string>& words, OptionSet set = {kOptions}) {
  const auto parsed = parse_arguments(words, set);
  return parsed ? "" : parsed.error().context;
}

}  // namespace

TEST_CASE("words are cut at blanks, and quotes hold them together") {
  CHECK(split_words("  set /a \"b c\" 'd \"e'  ") == std::vector<std::string>{"set", "/a", "b c", "d \"e"});
  CHECK(split_words("set /a ''") == std::vector<std::string>{"set", "/a", ""});
  CHECK(split_words("a'b c") == std::vector<std::string>{"a'b", "c"});
}

TEST_CASE("options stand anywhere, joined or with their value glued on") {
  const auto parsed = parse_arguments({"get", "/a", "-sw", "-v", "-1"}, {kOptions});
  REQUIRE(parsed.has_value());
  CHECK(parsed->words == std::vector<std::string>{"get", "/a"});
  CHECK(parsed->has("s"));
  CHECK(parsed->has("w"));
  CHECK_EQ(parsed->value("v"), "-1");
  CHECK_EQ(parse_arguments({"get", "-v3"}, {kOptions})->value("v"), "3");
}

TEST_CASE("complaints are those of Commons CLI") {
  CHECK_EQ(complaint({"get", "-z"}),
           "org.apache.commons.cli.UnrecognizedOptionException: Unrecognized option: -z");
  CHECK_EQ(complaint({"get", "-v"}),
           "org.apache.commons.cli.MissingArgumentException: Missing argument for option: v");
  CHECK_EQ(complaint({"get"}, {kOptions, true, false}),
           "org.apache.commons.cli.MissingOptionException: Missing required option: [-s stats, -v version, "
           "-w watch]");
}

TEST_CASE("option lines are sorted and aligned") {
  CHECK_EQ(describe_options({kOptions}), " -s         stats\n -v <arg>   version\n -w         watch\n");
}

TEST_CASE("quota text survives a round trip in the order that old servers need") {
  CHECK_EQ(Quota::parse("count=5,bytes=10=;byteHardLimit=20;countHardLimit=-1").text(),
           "count=5,bytes=10=;byteHardLimit=20;countHardLimit=-1");
  CHECK_EQ(Quota::parse("count=1,bytes=2").text(), "count=1,bytes=2");
  CHECK_EQ(Quota().text(), "count=-1,bytes=-1");
}

TEST_CASE("base64 and hex dump show bytes as the original does") {
  CHECK_EQ(base64("hello"), "aGVsbG8=");
  CHECK_EQ(*from_base64("aGVsbG8="), "hello");
  CHECK_FALSE(from_base64("a*b").has_value());
  const std::string dump = hex_dump("hello");
  CHECK_NE(dump.find("|00000000| 68 65 6c 6c 6f                                  |hello           |"),
           std::string::npos);
}

TEST_CASE("events print as WatchedEvent does") {
  zksession::Event event{jute::EventType::node_created, jute::KeeperState::sync_connected, "/a",
                         jute::Zxid(7)};
  CHECK_EQ(event_text(event), "WatchedEvent state:SyncConnected type:NodeCreated path:/a zxid: 7");
}

}  // namespace tandem::tools::shell
