#include "broker/shell/config_watcher.h"

#include <doctest/doctest.h>

#include "broker/zk/configs.h"
#include "tests/unit/broker/controller/fake_control.h"

namespace tandem::broker::shell {

namespace {

constexpr const char* kChanges = "/config/changes/config_change_";

config::Settings settings() {
  auto tables = std::make_shared<config::Tables>();
  auto loaded = config::load(tables->broker, "zookeeper.connect=localhost:2181\n", "server.properties", {});
  REQUIRE(loaded.has_value());
  return config::Settings(tables, std::move(*loaded));
}

std::string config(const std::string& key, const std::string& value) {
  return zk::encode_config({{key, value}});
}

// Broker 3; topic `a` is kept for 5 ms when it starts.
struct WatchedTree {
  base::ManualClock clock;
  test::FakeControl control;
  api::ConfigRegistry configs{settings()};
  ConfigWatcher watcher{control, configs, clock, logging::Logger()};
  int loads = 0;

  WatchedTree() {
    control.tree.put("/config/changes", "");
    control.tree.put("/config/brokers", "");
    control.tree.put("/config/topics/a", config("retention.ms", "5"));
    control.subscribe([this](const std::string& path, zk::ZkEvent) { watcher.on_event(path); });
  }
  void start() {
    watcher.start(3, [this] { ++loads; });
  }
  // What kafka-configs.sh of another broker does: the settings, then the notification.
  void change(const std::string& type, const std::string& entity, const std::string& json, int sequence) {
    control.tree.put("/config/" + type + "/" + entity, json);
    control.tree.put(fmt::format("{}{:010}", kChanges, sequence), zk::encode_config_change({type, entity}));
    control.perform({}, [](auto) {});  // lets what was fired out
  }
  std::int64_t retention(const std::string& topic) const { return configs.topic(topic).retention_ms; }
};

}  // namespace

TEST_CASE_FIXTURE(WatchedTree, "all settings in the tree are in force once they are loaded") {
  control.tree.put("/config/brokers/<default>", config("log.retention.ms", "77"));
  control.tree.put("/config/brokers/3", config("message.max.bytes", "1234"));
  control.tree.put("/config/brokers/4", config("message.max.bytes", "9"));
  start();
  CHECK(loads == 1);
  CHECK(retention("a") == 5);
  CHECK(retention("b") == 77);
  CHECK(configs.now()->broker().message_max_bytes == 1234);
}

TEST_CASE_FIXTURE(WatchedTree,
                  "a notification brings the settings that it names into force, one after another") {
  start();
  change("topics", "a", config("retention.ms", "6"), 0);
  CHECK(retention("a") == 6);
  change("topics", "b", config("retention.ms", "7"), 1);
  CHECK(retention("b") == 7);
  change("topics", "a", zk::encode_config({}), 2);
  CHECK(retention("a") == 604800000);
  change("brokers", "<default>", config("log.retention.ms", "8"), 3);
  CHECK(retention("a") == 8);
}

TEST_CASE_FIXTURE(WatchedTree,
                  "what was notified before the start is not read again, and of other brokers not taken") {
  change("topics", "a", config("retention.ms", "6"), 0);
  start();
  control.tree.put("/config/topics/a", config("retention.ms", "9"));
  change("brokers", "4", config("message.max.bytes", "9"), 1);
  CHECK(retention("a") == 6);
  CHECK(configs.now()->broker().message_max_bytes == 1048588);
}

TEST_CASE_FIXTURE(WatchedTree, "damaged settings and notifications change nothing") {
  start();
  change("topics", "a", "{not json", 0);
  CHECK(retention("a") == 5);
  control.tree.put(std::string(kChanges) + "0000000001", "{");
  control.perform({}, [](auto) {});
  CHECK(retention("a") == 5);
  change("topics", "a", config("retention.ms", "6"), 2);
  CHECK(retention("a") == 6);
}

TEST_CASE_FIXTURE(WatchedTree, "a new session reads everything again, one that is lost meanwhile nothing") {
  start();
  control.lost = true;
  control.tree.put("/config/topics/a", config("retention.ms", "6"));
  watcher.on_event("");
  CHECK(retention("a") == 5);
  control.lost = false;
  watcher.on_event("");
  CHECK(retention("a") == 6);
}

TEST_CASE_FIXTURE(WatchedTree, "notifications older than a quarter of an hour are taken away") {
  clock.set_wall({0});  // when the tree's nodes were made
  start();
  change("topics", "a", config("retention.ms", "6"), 0);
  CHECK(control.tree.has(std::string(kChanges) + "0000000000"));
  clock.advance(std::chrono::minutes(16));
  change("topics", "a", config("retention.ms", "7"), 1);
  CHECK_FALSE(control.tree.has(std::string(kChanges) + "0000000000"));
}

}  // namespace tandem::broker::shell
