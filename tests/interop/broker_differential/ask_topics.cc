#include <fmt/core.h>

#include "broker/protocol/messages/create_partitions.h"
#include "broker/protocol/messages/create_topics.h"
#include "broker/protocol/messages/delete_topics.h"
#include "broker/protocol/messages/metadata.h"
#include "probe.h"

namespace tandem::differential {

namespace {

using namespace protocol;

CreateTopicsRequest create(std::string name, std::int32_t partitions, std::int16_t factor,
                           std::vector<CreateTopicsRequest::CreatableTopicConfig> configs = {}) {
  CreateTopicsRequest request;
  request.timeout_ms = kTimeoutMs;
  request.topics.push_back({.name = std::move(name),
                            .num_partitions = partitions,
                            .replication_factor = factor,
                            .configs = std::move(configs)});
  return request;
}

CreatePartitionsRequest grow(std::string name, std::int32_t count) {
  CreatePartitionsRequest request;
  request.timeout_ms = kTimeoutMs;
  request.topics.push_back({.name = std::move(name), .count = count});
  return request;
}

DeleteTopicsRequest remove(const std::string& name) {
  DeleteTopicsRequest request;
  request.timeout_ms = kTimeoutMs;
  request.topic_names = {name};
  request.topics.push_back({.name = name});
  return request;
}

void ask_creation(Probe& probe, std::int16_t version) {
  const std::string name = fmt::format("c{}", version);
  probe.ask("new", version, create(name, 2, 1, {{"retention.ms", "1000000"}}));
  probe.ask("again", version, create(name, 2, 1));
  probe.ask("bad name", version, create("bad name", 1, 1));
  probe.ask("empty name", version, create("", 1, 1));
  probe.ask("dots", version, create("..", 1, 1));
  probe.ask("no partitions", version, create("x", 0, 1));
  probe.ask("too many replicas", version, create("x", 1, 3));
  probe.ask("no replicas", version, create("x", 1, 0));
  probe.ask("unknown config", version, create("x", 1, 1, {{"nonsense", "1"}}));
  probe.ask("bad config", version, create("x", 1, 1, {{"retention.ms", "abc"}}));
  auto twice = create("twice", 1, 1);
  twice.topics.push_back(twice.topics.front());
  probe.ask("named twice", version, twice);
  auto assigned = create(fmt::format("a{}", version), -1, -1);
  assigned.topics.front().assignments = {{0, {0}}, {1, {0}}};
  probe.ask("assignment", version, assigned);
  assigned.topics.front().name = "x";
  assigned.topics.front().assignments = {{0, {0, 0}}};
  probe.ask("assignment repeats a broker", version, assigned);
  assigned.topics.front().assignments = {{1, {0}}};
  probe.ask("assignment with a gap", version, assigned);
  if (version < 1) return;
  auto validate = create("only-validated", 1, 1);
  validate.validate_only = true;
  probe.ask("validate only", version, validate);
}

void ask_growth(Probe& probe, std::int16_t version) {
  probe.ask("more", version, grow(fmt::format("c{}", version), 4));
  probe.ask("fewer", version, grow(fmt::format("c{}", version), 1));
  probe.ask("the same", version, grow(fmt::format("c{}", version), 4));
  probe.ask("negative", version, grow(fmt::format("c{}", version), -3));
  probe.ask("unknown", version, grow("unknown", 3));
}

}  // namespace

void ask_topics(Probe& probe) {
  probe.ask("setup", CreateTopicsRequest::kVersionMax,
            create("diff", 3, 1, {{"retention.ms", "-1"}}));  // the records are old
  each_version<CreateTopicsRequest>([&](std::int16_t version) { ask_creation(probe, version); });
  each_version<CreatePartitionsRequest>([&](std::int16_t version) { ask_growth(probe, version); });
  each_version<DeleteTopicsRequest>([&](std::int16_t version) {
    probe.ask("there", version, remove(fmt::format("a{}", version)));
    probe.ask("unknown", version, remove("unknown"));
    if (version < 6) return;
    DeleteTopicsRequest by_id;
    by_id.timeout_ms = kTimeoutMs;
    by_id.topics.push_back({.topic_id = Uuid{{1, 2, 3}}});
    probe.ask("unknown id", version, by_id);
  });
  MetadataRequest request;
  request.allow_auto_topic_creation = false;
  request.topics.emplace().push_back({.name = "diff"});
  probe.ask(
      "ids", MetadataRequest::kVersionMax, [&](Side&) { return request; },
      [](Side& side, const MetadataResponse& response) {
        for (const auto& topic : response.topics) side.topic_ids[topic.name.value_or("")] = topic.topic_id;
      });
}

}  // namespace tandem::differential
