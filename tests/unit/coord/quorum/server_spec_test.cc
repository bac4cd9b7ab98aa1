#include "coord/quorum/server_spec.h"

#include <doctest/doctest.h>

namespace tandem::coord::quorum {

TEST_CASE("each form of a server line is read, and printed as Apache prints it") {
  struct Row {
    std::string line;
    std::string text;
  };
  const Row rows[] = {
      {"zoo1:2888:3888", "zoo1:2888:3888:participant"},
      {"zoo1:2888:3888:participant", "zoo1:2888:3888:participant"},
      {"zoo1:2888:3888:OBSERVER", "zoo1:2888:3888:observer"},
      {"127.0.0.1:2888:3888;2181", "127.0.0.1:2888:3888:participant;0.0.0.0:2181"},
      {"a:1:2:observer;b:2181", "a:1:2:observer;b:2181"},
      {"a:1:2;[::1]:2181", "a:1:2:participant;[0:0:0:0:0:0:0:1]:2181"},
      {"[::1]:2888:3888", "[0:0:0:0:0:0:0:1]:2888:3888:participant"},
      {"[fe80::1:00ff%eth0]:1:2", "[fe80:0:0:0:0:0:1:ff%eth0]:1:2:participant"},
      {"[2001:DB8::5]:1:2:observer", "[2001:db8:0:0:0:0:0:5]:1:2:observer"},
      {"[::ffff:10.1.2.3]:1:2", "10.1.2.3:1:2:participant"},
      {"b:1:2|a:3:4", "a:3:4|b:1:2:participant"},
      {"b:1:2:observer|a:3:4:observer;7", "a:3:4|b:1:2:observer;0.0.0.0:7"},
  };
  for (const Row& row : rows) {
    const auto spec = parse_server(ServerId(1), row.line);
    REQUIRE_MESSAGE(spec.has_value(), row.line);
    CHECK(spec->text() == row.text);
    const auto again = parse_server(ServerId(1), spec->text());
    REQUIRE(again.has_value());
    CHECK(again->text() == row.text);
  }
}

TEST_CASE("a line that names no addresses, ports or roles is refused in one sentence") {
  const char* const lines[] = {
      "",
      "zoo1",
      "zoo1:2888",
      "zoo1:2888:3888:voter",
      "zoo1:2888:3888:participant:1",
      "a:x:2",
      "a:1:70000",
      "a:1:-2",
      "a:1:1",
      "a:1:2;b:c:3",
      "[::1",
      "[::1]",
      "[::1]:",
      "a:1:2;x",
      "a:1:2;1;2",
      ":1:2",
      "a:1:2|",
      "a:1:2:observer|b:1:2:participant",
  };
  for (const char* line : lines) {
    const auto spec = parse_server(ServerId(3), line);
    if (std::string_view(line) == "a:1:2|") {  // Java's split drops an empty piece at the end
      CHECK(spec.has_value());
      continue;
    }
    CHECK_MESSAGE(!spec.has_value(), line);
    if (!spec) CHECK(spec.error().context.starts_with("server.3="));
  }
}

}  // namespace tandem::coord::quorum
