#include "broker/config/settings.h"

#include <doctest/doctest.h>

#include "broker/config/listeners.h"

using namespace tandem;
using namespace tandem::broker;

namespace {

constexpr const char* kMinimal = "zookeeper.connect=localhost:2181\n";

config::Settings settings(const std::string& more = "", std::vector<std::string> overrides = {}) {
  auto tables = std::make_shared<config::Tables>();
  auto loaded = config::load(tables->broker, kMinimal + more, "server.properties", overrides);
  REQUIRE_MESSAGE(loaded.has_value(), (loaded.has_error() ? loaded.error().context : ""));
  return config::Settings(tables, std::move(*loaded));
}

std::string refusal(const std::string& text) {
  const auto loaded = config::load(config::make_broker_table(), text, "server.properties", {});
  REQUIRE(loaded.has_error());
  return loaded.error().context;
}

const config::Described& find(const std::vector<config::Described>& rows, std::string_view name) {
  for (const auto& row : rows) {
    if (row.name == name) return row;
  }
  FAIL("no row");
  return rows.front();
}

}  // namespace

TEST_CASE("a file, its overrides and the defaults make the broker's settings") {
  const auto s = settings("broker.id=3\nlog.dirs=/a,/b\nnum.partitions=2\n", {"num.partitions=5"});
  CHECK(s.broker().broker_id == 3);
  CHECK(s.broker().num_partitions == 5);
  CHECK(s.broker().message_max_bytes == 1048588);
  CHECK(s.is_set_in_file("num.partitions"));
  CHECK(!s.is_set_in_file("inter.broker.protocol.version"));
}

TEST_CASE("what would weaken security or run another kind of cluster is refused") {
  const std::string zk = kMinimal;
  CHECK(refusal("broker.id=1") ==
        "server.properties: zookeeper.connect: missing; it names the coordination servers");
  CHECK(refusal(zk + "authorizer.class.name=kafka.security.authorizer.AclAuthorizer")
            .find("server.properties line 2: authorizer.class.name: ACLs") == 0);
  CHECK(refusal(zk + "zookeeper.set.acl=true").find("line 2: zookeeper.set.acl") != std::string::npos);
  CHECK(refusal(zk + "zookeeper.ssl.client.enable=true").find("TLS") != std::string::npos);
  CHECK(refusal(zk + "process.roles=broker,controller").find("KRaft") != std::string::npos);
  CHECK(refusal(zk + "zookeeper.metadata.migration.enable=true").find("migration") != std::string::npos);
  CHECK(refusal(zk + "listeners=SSL://:9093") ==
        "server.properties: listeners: listener SSL is SSL, and only PLAINTEXT is here yet");
  CHECK(refusal(zk + "listeners=EXTERNAL://:1\n").find("no security protocol") != std::string::npos);
}

TEST_CASE("listeners, their maps and the keys of older versions agree") {
  const auto several = config::resolve_listeners(
      settings("listeners=IN://127.0.0.1:9092,OUT://:9093\nadvertised.listeners=IN://a:1,OUT://b:2\n"
               "listener.security.protocol.map=IN:PLAINTEXT,OUT:PLAINTEXT\ninter.broker.listener.name=in\n")
          .broker());
  REQUIRE(several.has_value());
  CHECK(several->bound.size() == 2);
  CHECK(several->bound[1].host.empty());
  CHECK(several->advertised[1].connection_string() == "OUT://b:2");
  CHECK(several->inter_broker == "IN");

  const auto old = config::resolve_listeners(
      settings("port=9094\nhost.name=h\nadvertised.host.name=pub\nadvertised.port=80\n").broker());
  REQUIRE(old.has_value());
  CHECK(old->bound[0].connection_string() == "PLAINTEXT://h:9094");
  CHECK(old->advertised[0].connection_string() == "PLAINTEXT://pub:80");
}

TEST_CASE("a topic's settings come from its own, then the broker's, then the defaults") {
  std::vector<std::string> complaints;
  auto s = settings("log.retention.hours=1\nlog.retention.minutes=2\nlog.roll.hours=3\n");
  CHECK(s.topic("t").retention_ms == 120'000);
  CHECK(s.topic("t").segment_ms == 3 * 3600 * 1000);
  s = s.with_cluster({{"log.retention.ms", "-1"}, {"broker.id", "9"}, {"num.io.threads", "x"}}, complaints);
  CHECK(complaints.size() == 2);
  CHECK(s.topic("t").retention_ms == -1);
  s = s.with_topic("t", {{"retention.ms", "5"}, {"future.key", "1"}});
  CHECK(s.topic("t").retention_ms == 5);
  CHECK(s.topic("u").retention_ms == -1);

  const auto rows = s.describe_topic("t");
  const auto& retention = find(rows, "retention.ms");
  CHECK(*retention.value == "5");
  CHECK(retention.source == config::Source::topic);
  REQUIRE(retention.synonyms.size() == 5);
  CHECK(retention.synonyms[1].source == config::Source::dynamic_default_broker);
  CHECK(retention.synonyms[2].name == "log.retention.minutes");
  CHECK(retention.synonyms[3].name == "log.retention.hours");
  CHECK(retention.synonyms[3].source == config::Source::static_broker);
  CHECK(retention.synonyms[4].source == config::Source::fallback);
}

TEST_CASE("a topic shows no broker setting that comes before the first of its names, as in Kafka") {
  const auto rows = settings("log.retention.hours=1\n").describe_topic("t");
  const auto& retention = find(rows, "retention.ms");
  CHECK(*retention.value == "3600000");
  CHECK(retention.source == config::Source::fallback);
  CHECK(retention.synonyms.empty());
}

TEST_CASE("what may change while running is told from what may not") {
  const auto s = settings();
  CHECK(s.check_dynamic({{"log.retention.ms", "1"}}, true).has_value());
  CHECK(s.check_dynamic({{"num.partitions", "1"}}, false).error().context ==
        "Cannot update these configs dynamically: Set(num.partitions)");
  CHECK(s.check_dynamic({{"advertised.listeners", "PLAINTEXT://h:1"}}, true).has_error());
  CHECK(s.check_dynamic({{"max.connections", "-1"}}, false).has_error());
  CHECK(config::check_topic_overrides(s.tables().topic, {{"retention.ms", "abc"}}).has_error());
  CHECK(config::check_topic_overrides(s.tables().topic, {{"nope", "1"}}).error().context ==
        "Unknown topic config name: nope");
}

TEST_CASE("a key that does not act is still checked as Kafka checks it") {
  const config::Tables tables;
  CHECK(config::load(tables.broker, "zookeeper.connect=h:1\nnum.io.threads=1\n", "f", {}).has_value());
  const auto loaded = config::load(tables.broker, "zookeeper.connect=h:1\nnum.io.threads=0\n", "f", {});
  REQUIRE(loaded.has_error());
  CHECK(loaded.error().context.find("at least 1") != std::string::npos);
}

TEST_CASE("what is advertised may change while running, what is listened on may not") {
  const auto s = settings("listeners=PLAINTEXT://:9092\n");
  const auto fault_of = [&](const char* key, const char* value) {
    const auto status = s.check_dynamic({{key, value}}, false);
    return status ? std::string() : status.error().context;
  };
  CHECK(fault_of("advertised.listeners", "PLAINTEXT://other:19092").empty());
  CHECK(fault_of("advertised.listeners", "OTHER://h:1").find("OTHER") != std::string::npos);
  CHECK(fault_of("advertised.listeners", "PLAINTEXT://0.0.0.0:1").find("0.0.0.0") != std::string::npos);
  CHECK(fault_of("listeners", "PLAINTEXT://:9092").empty());
  CHECK(fault_of("listeners", "PLAINTEXT://:9093").find("restart") != std::string::npos);
}

TEST_CASE("throttled rates have no row in the table, and are shown where they are set") {
  std::vector<std::string> complaints;
  auto s = settings("");
  const auto count = s.describe_broker().size();
  s = s.with_cluster({{std::string(config::kLeaderRate), "5"}}, complaints)
          .with_broker({{std::string(config::kLeaderRate), "7"}}, complaints);
  const auto rows = s.describe_broker();
  REQUIRE(rows.size() == count + 1);
  CHECK(find(rows, config::kLeaderRate).value == "7");
  CHECK(find(rows, config::kLeaderRate).source == config::Source::dynamic_broker);
  CHECK(find(rows, config::kLeaderRate).synonyms.size() == 2);
  CHECK(find(rows, config::kLeaderRate).read_only);
  REQUIRE(s.describe_cluster().size() == 1);
  CHECK(s.describe_cluster().front().value == "5");
  CHECK(complaints.empty());
}

TEST_CASE("passwords are never shown, and the default layer shows only what it holds") {
  std::vector<std::string> complaints;
  auto s = settings("ssl.keystore.password=secret\n");
  const auto rows = s.describe_broker();
  CHECK(find(rows, "ssl.keystore.password").sensitive);
  CHECK(!find(rows, "ssl.keystore.password").value.has_value());
  CHECK(find(rows, "log.dirs").read_only);
  CHECK(s.describe_cluster().empty());
  s = s.with_cluster({{"max.connections", "7"}}, complaints);
  CHECK(s.describe_cluster().size() == 1);
  CHECK(s.broker().max_connections == 7);
}
