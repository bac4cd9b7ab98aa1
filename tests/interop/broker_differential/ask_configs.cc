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

// Values that a topic or a broker does not take, one kind of fault each.
void ask_bad_values(Probe& probe) {
  const auto set = [&](std::string_view label, std::int8_t type, std::string name, std::string key,
                       std::string value) {
    probe.ask(label, AlterConfigsRequest::kVersionMax,
              alter(type, std::move(name), std::move(key), std::move(value)));
  };
  set("no boolean", kTopic, "diff", "preallocate", "yes");
  set("not among the words", kTopic, "diff", "compression.type", "best");
  set("a word of a list", kTopic, "diff", "cleanup.policy", "delete,burn");
  set("below the least", kTopic, "diff", "min.insync.replicas", "0");
  set("above the largest", kTopic, "diff", "min.cleanable.dirty.ratio", "2");
  set("no real number", kTopic, "diff", "min.cleanable.dirty.ratio", "half");
  set("beyond 32 bits", kTopic, "diff", "segment.bytes", "99999999999");
  set("settings in conflict", kTopic, "diff", "min.compaction.lag.ms", "9223372036854775807");
  set("bad name", kTopic, "bad name", "retention.ms", "1");
  set("no name", kTopic, "", "retention.ms", "1");
  set("of a broker, no number", kBroker, "0", "message.max.bytes", "abc");
  set("of a broker, below the least", kBroker, "0", "message.max.bytes", "-5");
  set("of all brokers, no number", kBroker, "", "message.max.bytes", "abc");
  set("of all brokers, each its own", kBroker, "", "listeners", "PLAINTEXT://:9092");
  set("of another broker", kBroker, "77", "message.max.bytes", "5");
  set("of no broker", kBroker, "abc", "message.max.bytes", "5");
  set("unknown type", 33, "x", "message.max.bytes", "5");
}

void ask_configs(Probe& probe) {
  ask_bad_values(probe);
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
