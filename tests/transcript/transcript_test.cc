#include "tests/transcript/transcript.h"

#include <doctest/doctest.h>

namespace tandem::transcript {
namespace {

struct Counter : World {
  Counter() {
    on("add", [this](const Command& c) { say(std::to_string(total += c.number(0) * c.option("times", 1))); });
    on("quote", [this](const Command& c) { say(c.text(0)); });
    on("wait", [this](const Command& c) { say(std::to_string(c.time(0).count())); });
    on("nothing", [](const Command&) {});
  }
  std::int64_t total = 0;
};

constexpr std::string_view kScript = R"(# A story.

# Two commands make one block.
add 2
add 3 times=4
----
2
14

quote {"a": "b=c"}  as it stands
nothing
----
{"a": "b=c"}  as it stands

# The end.
)";

}  // namespace

TEST_CASE("a script that prints what it should is as it was") {
  Counter world;
  const auto outcome = run(parse(kScript), world);
  CHECK(outcome.failures.empty());
  CHECK(outcome.fault.empty());
  CHECK(format(outcome.blocks) == kScript);
}

TEST_CASE("what differs is shown from the first line that does, and can be written down") {
  Counter world;
  const auto outcome = run(parse("add 1\nadd 1\n----\n1\n3\n"), world);
  REQUIRE(outcome.failures.size() == 1);
  CHECK(outcome.failures[0] == "1: `add 1; add 1` printed something else\n      1\n    - 3\n    + 2\n");
  CHECK(format(outcome.blocks) == "add 1\nadd 1\n----\n1\n2\n");
}

TEST_CASE("commands that are not understood end the script") {
  for (const auto& [line, why] : std::vector<std::pair<std::string, std::string>>{
           {"jump", "2: 'jump' is no verb here; there are add nothing quote wait\n"},
           {"add x", "2: 'x' is not a number\n"},
           {"add", "2: 'add' takes more than 0 words\n"},
           {"add 1 2", "2: 'add' does not know what to do with '2'\n"},
           {"add 1 tims=2", "2: 'add' knows no option 'tims'\n"},
           {"wait 5", "2: '5' is not a time such as 250ms, 6s, 10m, 2h or 7d\n"}}) {
    Counter world;
    CHECK(run(parse("# a\n" + line + "\n----\n"), world).fault == why);
  }
}

TEST_CASE("times have units") {
  Counter world;
  CHECK(run(parse("wait 250ms\nwait 2m\n----\n250\n120000\n"), world).failures.empty());
}

}  // namespace tandem::transcript
