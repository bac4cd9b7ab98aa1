#include "broker/api/config_alteration.h"

#include <doctest/doctest.h>

#include "broker/api/config_registry.h"
#include "broker/api/handlers.h"
#include "broker/api/metadata_cache.h"
#include "tests/unit/broker/api/recording_sink.h"
#include "tests/unit/broker/controller/fake_control.h"

namespace tandem::broker::api {

namespace {

using protocol::AlterConfigsRequest;
using protocol::ErrorCode;
using protocol::IncrementalAlterConfigsRequest;

constexpr std::int8_t kSet = 0;
constexpr std::int8_t kRemove = 1;
constexpr std::int8_t kAppend = 2;
constexpr std::int8_t kSubtract = 3;

config::Settings settings() {
  auto tables = std::make_shared<config::Tables>();
  auto loaded = config::load(tables->broker, "zookeeper.connect=localhost:2181\n", "server.properties", {});
  REQUIRE(loaded.has_value());
  return config::Settings(tables, std::move(*loaded));
}

// Broker 0 is the controller; there is one topic, t.
struct AlteredSettings {
  base::ManualClock clock;
  Shards shards{clock, 1};
  Node node;
  MetadataCache cache;
  ConfigRegistry configs{settings()};
  test::FakeControl control;
  Services services{clock, logging::Logger(), shards, node, cache};

  AlteredSettings() {
    node.broker_id = 0;
    services.control = &control;
    services.configs = &configs;
    control.tree.put("/controller", "{}");
    control.tree.put("/brokers/topics/t", "{}");
    control.tree.put("/config/topics/t", zk::encode_config({{"retention.ms", "5"}}));
    control.tree.put("/config/brokers", "");
    control.tree.put("/config/changes", "");
  }

  template <class Request>
  AlterRefusal outcome(void (*handle)(Call, Request), Request request, std::int16_t version) {
    const auto response = answer<Request>(services, handle, std::move(request), version);
    REQUIRE(response.responses.size() == 1);
    return {response.responses[0].error_code, response.responses[0].error_message.value_or("(null)")};
  }
  AlterRefusal change(std::int8_t type, const std::string& name, const std::string& key,
                      std::int8_t operation, std::optional<std::string> value, bool validate_only = false) {
    IncrementalAlterConfigsRequest request;
    request.validate_only = validate_only;
    request.resources.push_back({type, name, {{key, operation, std::move(value)}}});
    return outcome(&incremental_alter_configs, std::move(request), 1);
  }
  AlterRefusal replace(std::int8_t type, const std::string& name, const std::string& key,
                       const std::string& value) {
    AlterConfigsRequest request;
    request.resources.push_back({type, name, {{key, value}}});
    return outcome(&alter_configs, std::move(request), 2);
  }
  std::string stored(const std::string& path) const { return control.tree.data("/config/" + path); }
};

}  // namespace

TEST_CASE_FIXTURE(AlteredSettings, "a change keeps the other settings, a replacement does not") {
  CHECK(change(kTopicResource, "t", "segment.ms", kSet, "9").code == ErrorCode::none);
  CHECK(stored("topics/t") == zk::encode_config({{"retention.ms", "5"}, {"segment.ms", "9"}}));
  CHECK(change(kTopicResource, "t", "retention.ms", kRemove, std::nullopt).code == ErrorCode::none);
  CHECK(stored("topics/t") == zk::encode_config({{"segment.ms", "9"}}));
  CHECK(replace(kTopicResource, "t", "retention.ms", "6").code == ErrorCode::none);
  CHECK(stored("topics/t") == zk::encode_config({{"retention.ms", "6"}}));
}

TEST_CASE_FIXTURE(AlteredSettings,
                  "words are added to a list and taken from it, also to and from its default") {
  CHECK(change(kTopicResource, "t", "cleanup.policy", kAppend, "compact").code == ErrorCode::none);
  CHECK(stored("topics/t") ==
        zk::encode_config({{"retention.ms", "5"}, {"cleanup.policy", "delete,compact"}}));
  CHECK(change(kTopicResource, "t", "cleanup.policy", kSubtract, "delete").code == ErrorCode::none);
  CHECK(stored("topics/t") == zk::encode_config({{"retention.ms", "5"}, {"cleanup.policy", "compact"}}));
  CHECK(change(kTopicResource, "t", "retention.ms", kAppend, "6").code == ErrorCode::invalid_config);
}

TEST_CASE_FIXTURE(AlteredSettings,
                  "every broker is told of a change, and nobody of one that is only checked") {
  CHECK(change(kTopicResource, "t", "segment.ms", kSet, "9", true).code == ErrorCode::none);
  CHECK(control.tree.writes.empty());
  CHECK(change(kTopicResource, "t", "segment.ms", kSet, "9").code == ErrorCode::none);
  CHECK(control.tree.data("/config/changes/config_change_0000000000") ==
        zk::encode_config_change({"topics", "t"}));
}

TEST_CASE_FIXTURE(AlteredSettings, "settings of one broker and of all have places of their own") {
  CHECK(change(kBrokerResource, "0", "message.max.bytes", kSet, "77").code == ErrorCode::none);
  CHECK(stored("brokers/0") == zk::encode_config({{"message.max.bytes", "77"}}));
  CHECK(change(kBrokerResource, "", "message.max.bytes", kSet, "78").code == ErrorCode::none);
  CHECK(stored("brokers/<default>") == zk::encode_config({{"message.max.bytes", "78"}}));
  CHECK(change(kBrokerResource, "5", "message.max.bytes", kSet, "1").message ==
        "Unexpected broker id, expected 0, but received 5");
}

TEST_CASE_FIXTURE(AlteredSettings, "what is refused is not written") {
  CHECK(change(kTopicResource, "none", "retention.ms", kSet, "1").code ==
        ErrorCode::unknown_topic_or_partition);
  CHECK(change(kTopicResource, "a/b", "retention.ms", kSet, "1").code ==
        ErrorCode::unknown_topic_or_partition);
  CHECK(change(kTopicResource, "t", "retention.ms", kSet, std::nullopt).code == ErrorCode::invalid_request);
  CHECK(change(kTopicResource, "t", "retention.ms", kSet, "x")
            .message.starts_with(
                "Invalid config value for resource ConfigResource(type=TOPIC, name='t'): Invalid value x"));
  CHECK(change(kTopicResource, "t", "nonsense", kSet, "1").message == "Unknown topic config name: nonsense");
  CHECK(change(kTopicResource, "t", "retention.ms", 9, "1").message == "(null)");
  CHECK(change(kBrokerLoggerResource, "0", "kafka", kSet, "DEBUG").code == ErrorCode::invalid_request);
  CHECK(control.tree.writes.empty());
}

TEST_CASE_FIXTURE(AlteredSettings, "without a controller or a session nothing is changed") {
  control.tree.remove("/controller");
  control.tree.writes.clear();
  CHECK(change(kTopicResource, "t", "segment.ms", kSet, "9").code == ErrorCode::stale_controller_epoch);
  control.lost = true;
  CHECK(change(kTopicResource, "t", "segment.ms", kSet, "9").code == ErrorCode::unknown_server_error);
  CHECK(control.tree.writes.empty());
}

}  // namespace tandem::broker::api
