#include "broker/protocol/messages/api_versions.h"
#include "broker/protocol/messages/describe_cluster.h"
#include "broker/protocol/messages/describe_log_dirs.h"
#include "broker/protocol/messages/find_coordinator.h"
#include "broker/protocol/messages/init_producer_id.h"
#include "broker/protocol/messages/metadata.h"
#include "probe.h"

namespace tandem::differential {

namespace {

using namespace protocol;

MetadataRequest metadata(std::string name) {
  MetadataRequest request;
  request.allow_auto_topic_creation = false;
  request.topics.emplace().push_back({.name = std::move(name)});
  return request;
}

FindCoordinatorRequest coordinator(std::int8_t type, std::string key) {
  FindCoordinatorRequest request;
  request.key = key;
  request.key_type = type;
  request.coordinator_keys = {std::move(key)};
  return request;
}

}  // namespace

void ask_cluster(Probe& probe) {
  each_version<ApiVersionsRequest>([&](std::int16_t version) {
    probe.ask("name that is not one", version,
              ApiVersionsRequest{.client_software_name = "-", .client_software_version = "1"});
  });
  each_version<MetadataRequest>([&](std::int16_t version) {
    probe.ask("one topic", version, metadata("diff"));
    probe.ask("bad name", version, metadata("bad name"));
    if (version >= 4) probe.ask("unknown", version, metadata("unknown"));
    if (version >= 1) {
      MetadataRequest none;
      none.topics.emplace();
      probe.ask("no topics", version, none);
    }
    if (version >= 8) {
      auto request = metadata("diff");
      request.include_cluster_authorized_operations = version <= 10;
      request.include_topic_authorized_operations = true;
      probe.ask("operations", version, request);
    }
    if (version >= 12) {
      MetadataRequest by_id;
      by_id.topics.emplace().push_back({.topic_id = Uuid{{9, 9}}, .name = std::nullopt});
      probe.ask("unknown id", version, by_id);
    }
  });
  each_version<FindCoordinatorRequest>([&](std::int16_t version) {
    probe.ask("group", version, coordinator(0, "any-group"));
    if (version >= 1) probe.ask("unknown type", version, coordinator(9, "key"));
    probe.ask("empty key", version, coordinator(0, ""));
  });
  each_version<DescribeClusterRequest>([&](std::int16_t version) {
    probe.ask("brokers", version, DescribeClusterRequest{});
    probe.ask("operations", version, DescribeClusterRequest{.include_cluster_authorized_operations = true});
    if (version >= 1) probe.ask("controllers", version, DescribeClusterRequest{.endpoint_type = 2});
  });
  each_version<InitProducerIdRequest>([&](std::int16_t version) {
    probe.ask("idempotent", version, InitProducerIdRequest{.transaction_timeout_ms = INT32_MAX});
    probe.ask("empty transactional id", version,
              InitProducerIdRequest{.transactional_id = "", .transaction_timeout_ms = 1000});
  });
  each_version<DescribeLogDirsRequest>([&](std::int16_t version) {
    DescribeLogDirsRequest request;
    request.topics.emplace().push_back({.topic = "diff", .partitions = {0, 99}});
    probe.ask("one topic", version, request);
    request.topics->clear();
    probe.ask("no topics", version, request);
  });
}

}  // namespace tandem::differential
