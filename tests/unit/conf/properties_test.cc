#include "conf/properties.h"

#include <doctest/doctest.h>

using namespace tandem;

namespace {

std::string flat(std::string_view text) {
  const auto entries = conf::parse_properties(text, "f");
  REQUIRE(entries.has_value());
  std::string out;
  for (const auto& entry : *entries)
    out += entry.key + "[" + entry.value + "]" + std::to_string(entry.line) + " ";
  return out;
}

}  // namespace

TEST_CASE("separators, blanks and comments are read as Java reads them") {
  CHECK(flat("a=1\nb: 2\nc 3\n  d = = 4 \n\n# no\n ! no\ne\n") == "a[1]1 b[2]2 c[3]3 d[= 4]4 e[]8 ");
  CHECK(flat("a=1\r\nb=2\rc=3") == "a[1]1 b[2]2 c[3]3 ");
  CHECK(flat("a=x # not a comment") == "a[x # not a comment]1 ");
}

TEST_CASE("lines go on behind a backslash, and the entry keeps its first line") {
  CHECK(flat("a=1,\\\n   2,\\\n   3\nb=4") == "a[1,2,3]1 b[4]4 ");
  CHECK(flat("a=1\\\\\nb=2") == "a[1\\]1 b[2]2 ");
  CHECK(flat("a=1\\") == "a[1]1 ");
  CHECK(flat("a=\\\n#2") == "a[#2]1 ");
}

TEST_CASE("escapes give their characters") {
  CHECK(flat("a\\=b\\:c\\ d=\\t\\u0041\\u00e9\\u20ac\\z") == "a=b:c d[\tA\u00e9\u20acz]1 ");
  const auto bad = conf::parse_properties("ok=1\nx=\\u00g1", "zoo.cfg");
  REQUIRE(bad.has_error());
  CHECK(bad.error().context == "zoo.cfg line 2: \\u is not followed by four hex digits");
}

TEST_CASE("options of a JVM give their -D words") {
  const auto entries = conf::parse_jvm_flags("-Xmx1g -Dzookeeper.a=b=c \"-Dx\" -Dy=", "SERVER_JVMFLAGS");
  REQUIRE(entries.size() == 3);
  CHECK(entries[0] == conf::Entry{"zookeeper.a", "b=c", "SERVER_JVMFLAGS", 0});
  CHECK(entries[1].key == "x");
  CHECK(entries[2].value.empty());
  CHECK(conf::parse_assignment("a=b=c", "--override")->value == "b=c");
  CHECK(conf::parse_assignment("ab", "--override").has_error());
}
