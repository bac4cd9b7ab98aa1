// A broker's partitions without sockets: two shards with their threads, logs in a directory of its own, topic
// t with three partitions led here. ask() calls a handler on shard 0 as a connection would and waits for its
// answer; records that go out as file ranges come back as bytes.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <future>
#include <mutex>

#include "broker/api/handlers.h"
#include "broker/api/metadata_cache.h"
#include "broker/api/replicas.h"
#include "broker/record/builder.h"
#include "fs/posix_disk.h"

namespace tandem::broker::api {

class AwaitedSink final : public ResponseSink {
 public:
  void deliver(std::uint64_t, bytes::Chain response) override {
    std::string out;
    for (const auto& piece : response.pieces()) {
      if (const auto* text = std::get_if<std::string>(&piece)) out += *text;
      if (const auto* slice = std::get_if<bytes::Slice>(&piece)) out += slice->view();
      const auto* range = std::get_if<bytes::FileRange>(&piece);
      if (range == nullptr) continue;
      std::string bytes(range->size, '\0');
      const auto got = ::pread(range->fd, bytes.data(), bytes.size(), static_cast<off_t>(range->offset));
      if (got == static_cast<ssize_t>(bytes.size())) out += bytes;
    }
    done.set_value(out);
  }
  void deliver_nothing(std::uint64_t) override { done.set_value("nothing"); }
  void close(std::uint64_t) override { done.set_value("closed"); }
  std::string* begin_direct(std::uint64_t) override { return nullptr; }
  void end_direct(std::uint64_t) override {}

  std::promise<std::string> done;
};

class PartitionsFixture {
 public:
  PartitionsFixture() : PartitionsFixture(posix, 1) {}
  PartitionsFixture(fs::Disk& disk, int dirs, bool flush_on_ack = false)
      : disk(disk), flush_on_ack(flush_on_ack) {
    char name[] = "/tmp/tandem-api-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    root = name;
    for (int i = 0; i < dirs; ++i) log_dirs.push_back(fs::join(root, fmt::format("d{}", i)));
    node.broker_id = 1;
    node.cluster_id = "c";
    id.bytes[0] = 9;
    start();
  }
  ~PartitionsFixture() {
    stop();
    (void)fs::remove_tree(posix, root);
  }

  void start() {
    start_without_leaders();
    lead(++leader_epoch);
  }
  void start_without_leaders() {
    shards = std::make_unique<Shards>(clock, 2);
    ReplicasOptions options;
    options.log_dirs = log_dirs;
    options.flush_on_ack = flush_on_ack;
    options.on_dir_failure = [this](const std::string& dir, bool all) {
      const std::lock_guard lock(lost_mutex);
      lost_dirs.push_back(dir);
      lost_all = all;
    };
    options.on_replica_failure = [this] { ++replica_failures; };
    options.config_of = [this](const std::string&) { return config; };
    replicas = std::make_unique<Replicas>(clock, logging::Logger(), *shards, node, disk, options);
    services.emplace(Services{clock, logging::Logger(), *shards, node, cache});
    services->replicas = replicas.get();
    if (attach) attach();
    REQUIRE(replicas->open_dirs().has_value());
    REQUIRE(replicas->claim("#date").has_value());
    REQUIRE(replicas->load().has_value());
    shards->start();
    replicas->start();
  }
  void stop() {
    if (!shards) return;
    shards->stop();
    if (detach) detach();
    REQUIRE(replicas->shutdown().has_value());
    replicas.reset();
    services.reset();
    shards.reset();
  }

  void lead(std::int32_t epoch) {
    protocol::UpdateMetadataRequest update;
    update.controller_epoch = 1;
    update.live_brokers.push_back({1, "", 0, {{9092, "h", "PLAINTEXT", 0}}, std::nullopt});
    update.topic_states.push_back({"t", id, {}});
    protocol::LeaderAndIsrRequest request;
    request.controller_epoch = 1;
    request.topic_states.push_back({"t", id, {}});
    for (std::int32_t p = 0; p < 3; ++p) {
      protocol::UpdateMetadataRequest::UpdateMetadataPartitionState known;
      known.partition_index = p;
      known.leader = 1;
      known.leader_epoch = epoch;
      known.isr = known.replicas = {1};
      update.topic_states[0].partition_states.push_back(known);
      protocol::LeaderAndIsrRequest::LeaderAndIsrPartitionState state;
      state.partition_index = p;
      state.leader = 1;
      state.leader_epoch = epoch;
      state.isr = in_sync_ids;
      state.replicas = replica_ids;
      request.topic_states[0].partition_states.push_back(state);
    }
    REQUIRE(cache.update(update, connection) == protocol::ErrorCode::none);
    const auto response = ask(&leader_and_isr, request, 7);
    REQUIRE(response.error_code == protocol::ErrorCode::none);
    for (const auto& partition : response.topics.at(0).partition_errors)
      REQUIRE(partition.error_code == protocol::ErrorCode::none);
  }

  // As a connection makes it; one that gathers has the shard's StagedAppends finished by the test.
  template <class Request>
  Call call(std::shared_ptr<ResponseSink> sink, std::int16_t version, bool gathers = false) {
    auto client = std::make_shared<Client>();
    client->host = "/127.0.0.1";
    client->listener = "PLAINTEXT";
    client->number = connection;
    protocol::RequestFrame frame;
    frame.api = &protocol::api_of(Request::kApi);
    frame.version = version;
    frame.client_id = "test";
    return {*services, client, frame, clock.now(), Responder(std::move(sink), 0, version, 1), gathers};
  }

  template <class Request>
  std::future<std::string> send(void (*handle)(Call, Request), Request request, std::int16_t version) {
    auto sink = std::make_shared<AwaitedSink>();
    auto future = sink->done.get_future();
    shards->post(0,
                 [this, sink, handle, request, version] { handle(call<Request>(sink, version), request); });
    return future;
  }

  template <class Request>
  typename Request::Response receive(std::future<std::string> future, std::int16_t version) {
    REQUIRE(future.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
    const std::string frame = future.get();
    REQUIRE(frame.size() > 4);
    auto response = protocol::read_response(bytes::Slice::own(frame.substr(4)), Request::kApi, version);
    REQUIRE(response.has_value());
    auto decoded = protocol::decode<typename Request::Response>(response->body, version);
    REQUIRE(decoded.has_value());
    return *decoded;
  }

  template <class Request>
  typename Request::Response ask(void (*handle)(Call, Request), Request request, std::int16_t version) {
    return receive<Request>(send(handle, std::move(request), version), version);
  }

  // By the controller, of partition 0.
  protocol::ErrorCode told(std::int32_t leader, std::int32_t epoch, std::vector<std::int32_t> isr) {
    protocol::LeaderAndIsrRequest request;
    request.controller_epoch = 1;
    request.topic_states.push_back({"t", id, {}});
    auto& state = request.topic_states[0].partition_states.emplace_back();
    state.partition_index = 0;
    state.leader = leader;
    state.leader_epoch = epoch;
    state.isr = std::move(isr);
    state.replicas = replica_ids;
    return ask(&leader_and_isr, request, 7).topics.at(0).partition_errors.at(0).error_code;
  }

  static std::string batch(int count = 3, record::BatchOptions options = {}) {
    record::BatchBuilder builder(options);
    for (int i = 0; i < count; ++i) builder.append(i, 1'700'000'000'000 + i, "key", "value");
    return *builder.finish();
  }

  static protocol::ProduceRequest produce_request(std::int32_t partition, std::string records,
                                                  std::int16_t acks = -1) {
    protocol::ProduceRequest request;
    request.acks = acks;
    request.timeout_ms = 1000;
    request.topic_data.push_back(
        {"t", {{partition, protocol::Records(bytes::Slice::own(std::move(records)))}}});
    return request;
  }
  protocol::ProduceResponse::PartitionProduceResponse put(std::int32_t partition, std::string records,
                                                          std::int16_t version = 11) {
    return ask(&produce, produce_request(partition, std::move(records)), version)
        .responses.at(0)
        .partition_responses.at(0);
  }

  protocol::FetchRequest fetch_request(std::vector<std::pair<std::int32_t, std::int64_t>> from,
                                       std::int32_t min_bytes = 0) const {
    protocol::FetchRequest request;
    request.min_bytes = min_bytes;
    request.max_wait_ms = min_bytes > 0 ? 10000 : 0;
    request.topics.push_back({"t", id, {}});
    for (const auto& [partition, offset] : from) {
      protocol::FetchRequest::FetchPartition wanted;
      wanted.partition = partition;
      wanted.fetch_offset = offset;
      wanted.partition_max_bytes = 1 << 20;
      request.topics[0].partitions.push_back(wanted);
    }
    return request;
  }

  base::SystemClock clock;
  fs::PosixDisk posix;
  fs::Disk& disk;
  bool flush_on_ack;
  std::string root;
  std::vector<std::string> log_dirs;
  std::mutex lost_mutex;
  std::vector<std::string> lost_dirs;
  bool lost_all = false;
  std::atomic<int> replica_failures{0};
  log::LogConfig config;
  Node node;
  protocol::Uuid id;
  MetadataCache cache;
  std::int32_t leader_epoch = 0;
  std::uint64_t connection = 0;              // that ask() is on
  std::vector<std::int32_t> replica_ids{1};  // of each partition
  std::vector<std::int32_t> in_sync_ids{1};
  std::function<void()> attach;  // what works beside the replicas: before they start
  std::function<void()> detach;  // and once the shards have stopped; whoever sets it calls stop() at its end
  std::unique_ptr<Shards> shards;
  std::unique_ptr<Replicas> replicas;
  std::optional<Services> services;
};

}  // namespace tandem::broker::api
