#include "broker/protocol/messages/alter_configs.h"
#include "broker/protocol/messages/describe_configs.h"
#include "broker/protocol/messages/incremental_alter_configs.h"
#include "probe.h"

namespace tandem::differential {

namespace {

using namespace protocol;

constexpr std::int8_t kTopic = 2;
constexpr std::int8_t kBroker = 4;

DescribeConfigsRequest describe(std::int8_t type, std::string name, std::vector<std::string> keys = {}) {
  DescribeConfigsRequest request;
  request.include_synonyms = true;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = type;
  resource.resource_name = std::move(name);
  if (!keys.empty()) resource.configuration_keys = std::move(keys);
  return request;
}

AlterConfigsRequest alter(std::int8_t type, std::string name, std::string key,
                          std::optional<std::string> value) {
  AlterConfigsRequest request;
  request.resources.push_back({type, std::move(name), {{std::move(key), std::move(value)}}});
  return request;
}

IncrementalAlterConfigsRequest change(std::string name, std::string key, std::int8_t operation,
                                      std::optional<std::string> value) {
  IncrementalAlterConfigsRequest request;
  request.resources.push_back({kTopic, std::move(name), {{std::move(key), operation, std::move(value)}}});
  return request;
}

}  // namespace

void ask_configs(Probe& probe) {
  each_version<DescribeConfigsRequest>([&](std::int16_t version) {
    probe.ask("topic", version, describe(kTopic, "diff"));
    probe.ask("some keys", version, describe(kTopic, "diff", {"retention.ms", "nonsense", "cleanup.policy"}));
    probe.ask("unknown topic", version, describe(kTopic, "unknown"));
    probe.ask("broker keys", version,
              describe(kBroker, "0", {"num.io.threads", "log.retention.hours", "broker.id"}));
    probe.ask("other broker", version, describe(kBroker, "77"));
    probe.ask("not a broker", version, describe(kBroker, "abc"));
    probe.ask("unknown type", version, describe(33, "x"));
  });
  each_version<AlterConfigsRequest>([&](std::int16_t version) {
    probe.ask("set", version, alter(kTopic, "diff", "max.message.bytes", "100000"));
    probe.ask("bad value", version, alter(kTopic, "diff", "max.message.bytes", "-5"));
    probe.ask("unknown key", version, alter(kTopic, "diff", "nonsense", "1"));
    probe.ask("null", version, alter(kTopic, "diff", "max.message.bytes", std::nullopt));
    probe.ask("unknown topic", version, alter(kTopic, "unknown", "max.message.bytes", "100000"));
    probe.ask("broker, not dynamic", version, alter(kBroker, "0", "broker.id", "5"));
  });
  each_version<IncrementalAlterConfigsRequest>([&](std::int16_t version) {
    probe.ask("set", version, change("diff", "retention.ms", 0, "123456"));
    probe.ask("delete", version, change("diff", "retention.ms", 1, std::nullopt));
    probe.ask("append", version, change("diff", "cleanup.policy", 2, "compact"));
    probe.ask("subtract", version, change("diff", "cleanup.policy", 3, "compact"));
    probe.ask("append to what is no list", version, change("diff", "retention.ms", 2, "5"));
    probe.ask("bad value", version, change("diff", "retention.ms", 0, "abc"));
    probe.ask("unknown operation", version, change("diff", "retention.ms", 9, "5"));
    probe.ask("unknown topic", version, change("unknown", "retention.ms", 0, "5"));
  });
  probe.ask("afterwards", DescribeConfigsRequest::kVersionMax, describe(kTopic, "diff"));
}

}  // namespace tandem::differential
