#include "conf/table.h"

#include <doctest/doctest.h>

#include "conf/reference.h"

using namespace tandem;
using conf::setting;

namespace {

struct Config {
  std::int32_t tick_time_ms = 3000;
  std::string data_dir;
  bool force_sync = true;
  std::optional<std::int64_t> retention_ms;
  double ratio = 0.5;
  std::vector<std::string> policy{"delete"};
  std::string password;
  std::map<std::string, std::string> servers;
};

conf::Table<Config> table() {
  return conf::Table<Config>({
      setting("tickTime", &Config::tick_time_ms, {.doc = "One tick.", .min = 1}),
      setting("dataDir", &Config::data_dir, {.doc = "Where data is."}),
      setting("forceSync", &Config::force_sync,
              {.doc = "Sync.", .property = "zookeeper.forceSync", .truth = conf::Truth::yes_no}),
      setting("log.retention.ms", &Config::retention_ms, {.doc = "How long.", .aliases = {"retention"}}),
      setting("ratio", &Config::ratio, {.doc = "A ratio.", .min = 0, .max = 1}),
      setting("cleanup.policy", &Config::policy,
              {.doc = "What.", .one_of = {"delete", "compact"}, .change = conf::Change::live}),
      setting("password", &Config::password,
              {.doc = "Secret.", .sensitive = true, .type = conf::Type::password}),
      conf::family("server.*", &Config::servers, {.doc = "Members."}),
      conf::recognised("sslQuorum", conf::Type::boolean, "false",
                       {.doc = "TLS.",
                        .refuse = [](std::string_view value) -> std::optional<std::string> {
                          if (value != "true") return std::nullopt;
                          return "TLS between servers is not here yet";
                        }}),
      conf::recognised("snapshot.compression", conf::Type::string, "",
                       {.doc = "Later.", .state = conf::State::accepted}),
      conf::recognised("port", conf::Type::int32, "9092",
                       {.doc = "Use listeners.", .state = conf::State::retired}),
  });
}

std::string error_of(std::string_view text) {
  Config config;
  conf::Findings findings;
  const auto status = table().apply(config, *conf::parse_properties(text, "zoo.cfg"), findings);
  REQUIRE(status.has_error());
  return status.error().context;
}

}  // namespace

TEST_CASE("entries fill the struct, the last one of a key holds") {
  Config config;
  conf::Findings findings;
  const auto entries = conf::parse_properties(
      "tickTime=+5\ntickTime=7\ndataDir=/d\nforceSync=No\nretention=-1\nratio=0.25\n"
      "cleanup.policy=compact, delete\nserver.2=b\nserver.10=a:1:2",
      "zoo.cfg");
  REQUIRE(table().apply(config, *entries, findings).has_value());
  CHECK(findings.warnings.empty());
  CHECK(config.tick_time_ms == 7);
  CHECK(config.data_dir == "/d");
  CHECK(!config.force_sync);
  CHECK(config.retention_ms == -1);
  CHECK(config.ratio == 0.25);
  CHECK(config.policy == std::vector<std::string>{"compact", "delete"});
  CHECK(config.servers.at("10") == "a:1:2");
  CHECK(table().diff(config, Config{}).size() == 7);
}

TEST_CASE("an error is one sentence with file, line and key") {
  CHECK(error_of("\ntickTime=abc") == "zoo.cfg line 2: tickTime: \"abc\" is not a 32-bit number");
  CHECK(error_of("tickTime=0") == "zoo.cfg line 1: tickTime: \"0\" is not at least 1");
  CHECK(error_of("tickTime=99999999999") ==
        "zoo.cfg line 1: tickTime: \"99999999999\" is not a 32-bit number: it is out of range");
  CHECK(error_of("forceSync=true") == "zoo.cfg line 1: forceSync: \"true\" is not yes or no");
  CHECK(error_of("cleanup.policy=keep") ==
        "zoo.cfg line 1: cleanup.policy: \"keep\" is not one of delete, compact");
  CHECK(error_of("sslQuorum=true") == "zoo.cfg line 1: sslQuorum: TLS between servers is not here yet");
}

TEST_CASE("unknown, retired and not yet supported keys are named in warnings") {
  Config config;
  conf::Findings findings;
  const auto entries = conf::parse_properties(
      "tickTme=1\nport=1\nsnapshot.compression=gz\nsnapshot.compression=gz\nzzz=1", "zoo.cfg");
  REQUIRE(table().apply(config, *entries, findings).has_value());
  REQUIRE(findings.warnings.size() == 3);
  CHECK(findings.warnings[0] == "zoo.cfg line 1: unknown key tickTme; did you mean tickTime?");
  CHECK(findings.warnings[1] == "zoo.cfg line 2: port is of an older version and ignored: Use listeners.");
  CHECK(findings.warnings[2] == "zoo.cfg line 5: unknown key zzz");
  CHECK(conf::not_here_yet_warning(findings).find(": snapshot.compression") != std::string::npos);
  CHECK(findings.not_here_yet.size() == 1);
  CHECK(findings.unknown.size() == 2);
}

TEST_CASE("system properties are looked up by their own names") {
  Config config;
  conf::Findings findings;
  const std::vector<conf::Entry> entries{{"zookeeper.forceSync", "no", "-D", 0}, {"tickTime", "1", "-D", 0}};
  REQUIRE(table().apply(config, entries, findings, conf::Names::properties).has_value());
  CHECK(!config.force_sync);
  CHECK(config.tick_time_ms == 3000);
}

TEST_CASE("the reference names every key with its default") {
  const std::string text = conf::render_reference({"Settings", "All of them."}, table());
  CHECK(text.find("| `tickTime` | INT ≥ 1 | `3000` | at start | One tick. |\n") != std::string::npos);
  CHECK(text.find("| `log.retention.ms` | LONG | – |") != std::string::npos);
  CHECK(text.find("| `password` | PASSWORD | empty |") != std::string::npos);
  CHECK(conf::fields::print(1.7976931348623157e308, {}) == "1.7976931348623157E308");
  CHECK(conf::fields::print(1.0, {}) == "1.0");
}
