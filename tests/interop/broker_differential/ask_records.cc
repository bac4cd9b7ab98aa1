#include "broker/protocol/messages/create_topics.h"
#include "broker/protocol/messages/delete_records.h"
#include "broker/protocol/messages/fetch.h"
#include "broker/protocol/messages/list_offsets.h"
#include "broker/protocol/messages/offset_for_leader_epoch.h"
#include "broker/protocol/messages/produce.h"
#include "broker/record/builder.h"
#include "probe.h"

namespace tandem::differential {

namespace {

using namespace protocol;

constexpr std::int64_t kTime = 1'700'000'000'000;

std::string batch(std::int16_t produce_version, std::int8_t magic_wrong = -1,
                  std::optional<std::string_view> key = "key") {
  broker::record::BatchOptions options;
  options.magic = produce_version >= 3   ? std::int8_t{2}
                  : produce_version == 2 ? std::int8_t{1}
                                         : std::int8_t{0};
  if (magic_wrong >= 0) options.magic = magic_wrong;
  broker::record::BatchBuilder builder(options);
  builder.append(kTime, key, "value");
  builder.append(kTime + 1, "key2", "value2");
  return builder.finish().value();
}

ProduceRequest produce(std::string topic, std::int32_t partition, std::string records,
                       std::int16_t acks = 1) {
  ProduceRequest request;
  request.acks = acks;
  request.timeout_ms = 5000;
  auto& data = request.topic_data.emplace_back();
  data.name = std::move(topic);
  data.partition_data.push_back({partition, Records(bytes::Slice::own(std::move(records)))});
  return request;
}

FetchRequest fetch(const Side& side, std::string topic, std::int32_t partition, std::int64_t offset) {
  FetchRequest request;
  request.max_wait_ms = 100;
  request.min_bytes = 1;
  auto& asked = request.topics.emplace_back();
  asked.topic = topic;
  if (const auto id = side.topic_ids.find(topic); id != side.topic_ids.end()) asked.topic_id = id->second;
  if (!side.topic_ids.contains(topic)) asked.topic_id = Uuid{{7, 7, 7}};
  asked.partitions.push_back(
      {.partition = partition, .fetch_offset = offset, .partition_max_bytes = 1 << 20});
  return request;
}

ListOffsetsRequest offsets(std::string topic, std::int32_t partition, std::int64_t timestamp,
                           std::int32_t epoch = -1) {
  ListOffsetsRequest request;
  request.replica_id = -1;
  request.topics.push_back(
      {std::move(topic),
       {{.partition_index = partition, .current_leader_epoch = epoch, .timestamp = timestamp}}});
  return request;
}

void ask_fetch(Probe& probe, std::int16_t version) {
  const auto ask = [&](const char* label, auto change) {
    probe.ask(
        label, version,
        [&](Side& side) {
          FetchRequest request = fetch(side, "diff", 0, 0);
          change(request);
          return request;
        },
        [](Side&, const auto&) {});
  };
  ask("from the start", [](FetchRequest&) {});
  ask("beyond the end", [](FetchRequest& request) { request.topics[0].partitions[0].fetch_offset = 999999; });
  ask("negative offset", [](FetchRequest& request) { request.topics[0].partitions[0].fetch_offset = -7; });
  ask("unknown partition", [](FetchRequest& request) { request.topics[0].partitions[0].partition = 99; });
  ask("few bytes", [](FetchRequest& request) { request.topics[0].partitions[0].partition_max_bytes = 1; });
  probe.ask(
      "unknown topic", version, [&](Side& side) { return fetch(side, "unknown", 0, 0); },
      [](Side&, const auto&) {});
  if (version >= 4) ask("committed only", [](FetchRequest& request) { request.isolation_level = 1; });
  if (version >= 7) {
    ask("unknown session", [](FetchRequest& request) {
      request.session_id = 12345;
      request.session_epoch = 3;
    });
    ask("new session", [](FetchRequest& request) { request.session_epoch = 0; });
  }
  if (version >= 9)
    ask("newer epoch",
        [](FetchRequest& request) { request.topics[0].partitions[0].current_leader_epoch = 50; });
}

}  // namespace

void ask_records(Probe& probe) {
  CreateTopicsRequest compacted;
  compacted.timeout_ms = 10'000;
  compacted.topics.push_back({.name = "compacted",
                              .num_partitions = 1,
                              .replication_factor = 1,
                              .configs = {{"cleanup.policy", "compact"}}});
  probe.ask("setup", 4, compacted);
  each_version<ProduceRequest>([&](std::int16_t version) {
    probe.ask("two records", version, produce("diff", 0, batch(version)));
    probe.ask("all replicas", version, produce("diff", 1, batch(version), -1));
    probe.ask("unknown partition", version, produce("diff", 99, batch(version)));
    probe.ask("unknown topic", version, produce("bad name", 0, batch(version)));
    probe.ask("acks 5", version, produce("diff", 0, batch(version), 5));
    std::string corrupt = batch(version);
    corrupt.back() = static_cast<char>(corrupt.back() ^ 1);
    probe.ask("wrong checksum", version, produce("diff", 0, corrupt));
    probe.ask("no key", version, produce("compacted", 0, batch(version, -1, std::nullopt)));
    if (version >= 3) probe.ask("two batches", version, produce("diff", 0, batch(version) + batch(version)));
    if (version >= 3) probe.ask("old format", version, produce("diff", 0, batch(version, 1)));
  });
  each_version<FetchRequest>([&](std::int16_t version) { ask_fetch(probe, version); });
  each_version<ListOffsetsRequest>([&](std::int16_t version) {
    for (const std::int64_t timestamp :
         {std::int64_t{-1}, std::int64_t{-2}, kTime, kTime + 1, kTime + 100000})
      probe.ask("time", version, offsets("diff", 0, timestamp));
    probe.ask("newest", version, offsets("diff", 0, -3));
    probe.ask("local start", version, offsets("diff", 0, -4));
    probe.ask("tiered", version, offsets("diff", 0, -5));
    probe.ask("unknown partition", version, offsets("diff", 99, -1));
    probe.ask("unknown topic", version, offsets("unknown", 0, -1));
    if (version >= 4) probe.ask("newer epoch", version, offsets("diff", 0, -1, 50));
  });
  each_version<OffsetForLeaderEpochRequest>([&](std::int16_t version) {
    for (const auto& [topic, partition, current, epoch] :
         {std::tuple{"diff", 0, -1, 0}, std::tuple{"diff", 0, -1, 5}, std::tuple{"diff", 0, 50, 0},
          std::tuple{"diff", 99, -1, 0}, std::tuple{"unknown", 0, -1, 0}}) {
      OffsetForLeaderEpochRequest request;
      request.replica_id = -1;
      request.topics.push_back({topic, {{partition, current, epoch}}});
      probe.ask("epoch", version, request);
    }
  });
  each_version<DeleteRecordsRequest>([&](std::int16_t version) {
    for (const auto& [topic, partition, offset] :
         {std::tuple{"diff", 1, std::int64_t{version} + 1}, std::tuple{"diff", 1, std::int64_t{99999}},
          std::tuple{"diff", 99, std::int64_t{1}}, std::tuple{"unknown", 0, std::int64_t{1}},
          std::tuple{"diff", 1, std::int64_t{-5}}}) {
      DeleteRecordsRequest request;
      request.timeout_ms = 5000;
      request.topics.push_back({topic, {{partition, offset}}});
      probe.ask("delete", version, request);
    }
  });
}

}  // namespace tandem::differential
